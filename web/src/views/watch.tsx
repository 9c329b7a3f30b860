import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { socketAddress, streamOf } from "../address";
import { useSite, useTask } from "../live/hooks";
import { useWindow } from "../live/window";
import { Failure } from "../parts/failure";
import { Icon } from "../parts/icon";
import type { Problem } from "../problem";
import { keepConnected } from "../screen/connection";
import { loadPreferences } from "../screen/preferences";
import { Screen } from "../screen/screen";
import { Connecting, toggleFullscreen } from "./stage";

// After so many tries in a row the desktop has probably ended.
const manyFailures = 4;

/** A desktop that somebody lets others watch: only its view-only stream is known here. */
export function Watch({ token }: { token: string }) {
  const { root } = useSite();
  const target = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [name, setName] = useState("");
  const [connection, setConnection] = useState({ connected: false, failures: 0 });
  const [problem, setProblem] = useState<Problem>();
  const hurry = useMemo(() => new EventTarget(), []);
  useWindow(name ? `Watching ${name}` : "Watching");
  useEffect(() => {
    const now = () => hurry.dispatchEvent(new Event("hurry"));
    addEventListener("online", now);
    return () => removeEventListener("online", now);
  }, []);
  useTask(
    async (signal) => {
      const screen = new Screen(target.current!, true, loadPreferences(localStorage));
      const address = socketAddress(root, streamOf(token), "vnc");
      const verdict = await keepConnected(
        screen,
        async () => address,
        {
          connecting: (failures) => setConnection({ connected: false, failures }),
          connected: () => setConnection({ connected: true, failures: 0 }),
          clipboard: () => undefined,
          named: setName,
        },
        hurry,
        signal,
      );
      if (verdict.kind === "problem") setProblem(verdict.problem);
    },
    [token],
    setProblem,
  );
  const state = connection.connected ? "connected" : connection.failures > 0 ? "disconnected" : "connecting";
  return (
    <div class="desktop" ref={frame} data-view="watch">
      <header class="bar-place">
        <div class="bar" role="toolbar" aria-label="Watching">
          <span class="tool still">
            <Icon name="eye" />
          </span>
          <h1 class="title">
            {name || "Desktop"} <span class="quiet small">You are watching</span>
          </h1>
          {document.fullscreenEnabled && (
            <button type="button" class="tool" data-action="fullscreen" aria-label="Full screen" title="Full screen" onClick={() => void toggleFullscreen(frame.current!)}>
              <Icon name="fullscreen" />
            </button>
          )}
        </div>
      </header>
      <main class="stage">
        <div id="screen" ref={target} data-state={state} role="img" aria-label={`The picture of ${name || "a desktop"}`} />
        <div class="overlay" role="status">
          {problem ? (
            <Failure problem={problem} />
          ) : connection.failures >= manyFailures ? (
            <div class="panel note">
              <p>This desktop cannot be reached. It may have been stopped.</p>
              <p class="quiet small">Whoever sent you the address can tell. The page goes on trying.</p>
              <button type="button" class="button" onClick={() => hurry.dispatchEvent(new Event("hurry"))}>
                Try now
              </button>
            </div>
          ) : (
            state !== "connected" && <Connecting lost={state === "disconnected"} now={() => hurry.dispatchEvent(new Event("hurry"))} />
          )}
        </div>
      </main>
    </div>
  );
}
