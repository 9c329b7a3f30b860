import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { socketAddress, tokenOf } from "../address";
import { useSite, useTask } from "../live/hooks";
import { useWindow } from "../live/window";
import { confirm } from "../parts/dialog";
import { Progress } from "../parts/progress";
import type { Problem } from "../problem";
import { canPlay, playAudio } from "../screen/audio";
import { shareClipboard } from "../screen/clipboard";
import { keepConnected } from "../screen/connection";
import { LeaveKey } from "../screen/leavekey";
import { loadPreferences, savePreferences } from "../screen/preferences";
import { Screen } from "../screen/screen";
import { isRunning, type App, type Desktop } from "../wire";
import { Bar } from "./bar";
import { TouchKeyboard } from "./touchkeyboard";

interface StageProps {
  uid: string;
  app: App;
  desktop: Desktop;
  /** The desktop is no longer there; `cut` says that it went while nobody could see it. */
  gone: (cut: boolean, signal: AbortSignal) => Promise<void>;
  failed: (problem: Problem) => void;
  stop: () => void;
}

/** A desktop that runs, in the whole window, with its bar. */
export function Stage({ uid, app, desktop, gone, failed, stop }: StageProps) {
  const { api, root } = useSite();
  const target = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const touch = useRef<HTMLTextAreaElement>(null);
  const player = useRef<HTMLAudioElement>(null);
  const [preferences, setPreferences] = useState(() => loadPreferences(localStorage));
  const [screen, setScreen] = useState<Screen>();
  const [connection, setConnection] = useState<{ connected: boolean; failures: number }>({ connected: false, failures: 0 });
  const [copied, setCopied] = useState("");
  const [sound, setSound] = useState(false);
  const [heard, setHeard] = useState(false);
  const [barHidden, setBarHidden] = useState(false);
  const [warned, setWarned] = useState(false);
  const hurry = useMemo(() => new EventTarget(), []);
  const newest = useRef(desktop);
  newest.current = desktop;
  useWindow(app.title, app.icon);

  useTask(
    async (signal) => {
      const screen = new Screen(target.current!, false, preferences);
      setScreen(screen);
      const clipboard = shareClipboard(screen, signal);
      let known = newest.current.url;
      const locate = async (now: AbortSignal) => {
        const url = known ?? (await locateAnew(now));
        known = undefined;
        return url && socketAddress(root, url, "vnc");
      };
      const locateAnew = async (now: AbortSignal) => {
        const found = await api.desktop(uid, now);
        return found && isRunning(found.state) && found.url ? found.url : null;
      };
      const verdict = await keepConnected(
        screen,
        locate,
        {
          connecting: (failures) => setConnection({ connected: false, failures }),
          connected: () => {
            setConnection({ connected: true, failures: 0 });
            // A dialog or a panel in which somebody writes keeps the keyboard.
            if (!frame.current?.querySelector(".popover:focus-within")) screen.focus();
          },
          clipboard: (text) => {
            clipboard.received(text);
            setCopied(text);
          },
          named: () => undefined,
        },
        hurry,
        signal,
      );
      if (verdict.kind === "problem") failed(verdict.problem);
      else await gone(verdict.cut, signal);
    },
    [uid],
    failed,
  );

  useEffect(() => {
    screen?.prefer(preferences);
  }, [screen, preferences]);

  useEffect(() => {
    const now = () => hurry.dispatchEvent(new Event("hurry"));
    addEventListener("online", now);
    return () => removeEventListener("online", now);
  }, []);

  const audible = app.endpoints.some((endpoint) => endpoint.name === "audio") && canPlay();
  useTask(
    async (signal) => {
      const { url } = newest.current;
      if (sound && url) await playAudio(player.current!, socketAddress(root, url, "audio"), setHeard, signal);
    },
    [sound, desktop.url],
  );

  useEffect(() => {
    const leave = new LeaveKey();
    const take = (event: KeyboardEvent) => {
      if (!leave.take(event)) return;
      setBarHidden(false);
      frame.current?.querySelector<HTMLElement>(".bar .tool")?.focus();
    };
    // Capturing, because noVNC lets no key event through.
    addEventListener("keydown", take, { capture: true });
    addEventListener("keyup", take, { capture: true });
    return () => {
      removeEventListener("keydown", take, { capture: true });
      removeEventListener("keyup", take, { capture: true });
    };
  }, []);

  useEffect(() => {
    const changed = () => {
      setBarHidden(document.fullscreenElement !== null);
      screen?.focus();
    };
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, [screen]);

  async function askToStop() {
    if (await confirm(`Stop ${app.title}?`, "Its windows close for everyone who is here. Its files stay for the next time.", "Stop")) stop();
    else screen?.focus();
  }

  async function save() {
    const picture = await screen?.picture();
    if (!picture) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(picture);
    link.download = `${app.title} ${new Date().toISOString().slice(0, 19).replace("T", " ").replaceAll(":", ".")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    screen?.focus();
  }

  const state = connection.connected ? "connected" : connection.failures > 0 ? "disconnected" : "connecting";
  return (
    <div class="desktop" ref={frame} data-view="desktop" data-bar={barHidden ? "hidden" : "shown"}>
      <Bar
        app={app}
        desktop={desktop}
        screen={screen}
        copied={copied}
        sound={audible ? sound : undefined}
        heard={heard}
        preferences={preferences}
        shareAddress={desktop.view_url ? new URL(`./view/${tokenOf(desktop.view_url)}`, root).href : ""}
        hidden={barHidden}
        hide={setBarHidden}
        prefer={(wanted) => {
          setPreferences(wanted);
          savePreferences(localStorage, wanted);
        }}
        toggleSound={() => {
          setSound(!sound);
          screen?.focus();
        }}
        toggleKeyboard={() => touch.current?.focus()}
        fullscreen={() => void toggleFullscreen(frame.current!)}
        save={() => void save()}
        stop={() => void askToStop()}
      />
      <main class="stage">
        <div
          id="screen"
          ref={target}
          data-state={state}
          role="application"
          aria-label={`${app.title}. Press Ctrl, Alt and Shift together to leave it with the keyboard.`}
        />
        {screen && <TouchKeyboard field={touch} screen={screen} />}
        {audible && <audio ref={player} data-state={heard ? "playing" : "silent"} />}
        <div class="overlay" role="status">
          {state !== "connected" && (
            <Connecting lost={state === "disconnected"} stopping={desktop.state === "stopping"} now={() => hurry.dispatchEvent(new Event("hurry"))} />
          )}
          {state === "connected" && desktop.home_lost && !warned && (
            <HomeLost
              close={() => {
                setWarned(true);
                screen?.focus();
              }}
            />
          )}
        </div>
      </main>
    </div>
  );
}

/** Says that the person's files were removed by another program. */
function HomeLost({ close }: { close: () => void }) {
  return (
    <div class="panel note" data-note="home-lost">
      <p>
        <strong>Your earlier files are not here any more.</strong> Another program on the server removed them, so this desktop starts empty. Ask whoever runs the
        server whether there is a backup.
      </p>
      <button type="button" class="button" onClick={close}>
        Go on
      </button>
    </div>
  );
}

/** What a screen says while it is not connected. */
export function Connecting({ lost, stopping, now }: { lost: boolean; stopping?: boolean; now: () => void }) {
  const text = stopping ? "This desktop is being stopped…" : lost ? "The connection was lost. Reconnecting…" : "Connecting…";
  return (
    <div class="panel note">
      <Progress label={text} />
      <p>{text}</p>
      {lost && !stopping && (
        <button type="button" class="button" onClick={now}>
          Try now
        </button>
      )}
    </div>
  );
}

/** Full screen; where the browser can, with the keys that it keeps for itself otherwise (Keyboard Lock). */
export async function toggleFullscreen(element: HTMLElement): Promise<void> {
  const { keyboard } = navigator as { keyboard?: { lock?: () => Promise<void> } };
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else {
      await element.requestFullscreen({ navigationUI: "hide" });
      await keyboard?.lock?.();
    }
  } catch {
    // The browser said no; the window stays as it is.
  }
}
