import { useState } from "preact/hooks";

import { useInSight, useNow, useSite } from "../live/hooks";
import { room, useStats } from "../live/stats";
import { AppIcon } from "../parts/appicon";
import { Chart } from "../parts/chart";
import { confirm } from "../parts/dialog";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { usePicture } from "../parts/picture";
import { advise } from "../advice";
import { asProblem, type Problem } from "../problem";
import { isRunning, type App, type Desktop } from "../wire";
import { ago, bytes, company, countdown, phaseWords, span, stateWords } from "../words";
import { LogDialog } from "./logdialog";

const pictureEveryMs = 10_000;

interface CardProps {
  desktop: Desktop;
  app: Pick<App, "title" | "icon">;
  /** When this browser has used it last; undefined in the list of all. */
  used?: number;
  /** Whether to show the uid. */
  named?: boolean;
}

/** One desktop in a list: its picture, how it is, and what can be done with it. */
export function Card({ desktop, app, used, named }: CardProps) {
  const { api, memory, go } = useSite();
  const [element, inSight] = useInSight<HTMLLIElement>();
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState<Problem>();
  const [log, setLog] = useState(false);
  const running = isRunning(desktop.state);
  const picture = usePicture(desktop.uid, 480, running ? pictureEveryMs : 24 * 3600_000, inSight, running);
  const { uid } = desktop;
  const name = named ? `${app.title} (${uid})` : app.title;

  async function act(doing: string, call: (signal: AbortSignal) => Promise<void>) {
    setBusy(doing);
    setProblem(undefined);
    try {
      // It goes on when the page is left.
      await call(new AbortController().signal);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy("");
    }
  }

  async function remove() {
    const kept = desktop.home === false ? "Its settings are deleted." : "Its files and settings are deleted and cannot be brought back.";
    if (!(await confirm(`Delete ${app.title}?`, kept, "Delete"))) return;
    await act("Deleting…", async (signal) => {
      await api.stop(uid, true, signal);
      memory.forget(uid);
    });
  }

  async function stop() {
    if (!(await confirm(`Stop ${app.title}?`, "Its windows close for everyone who is there. Its files stay for the next time.", "Stop"))) return;
    await act("Stopping…", (signal) => api.stop(uid, false, signal));
  }

  async function restart() {
    if (!(await confirm(`Restart ${app.title}?`, "Its windows close, then it starts anew. Its files stay.", "Restart"))) return;
    await act("Restarting…", (signal) => api.restart(uid, signal));
  }

  return (
    <li class="card" ref={element} data-uid={uid} data-state={desktop.state} aria-busy={busy !== ""}>
      <Link to={{ view: "desktop", uid }} class="thumb" label={`Open ${name}`}>
        {picture ? <img src={picture} alt="" /> : <AppIcon app={app} />}
      </Link>
      <span class="chip" data-state={desktop.state}>
        {busy || stateWords(desktop.state)}
      </span>
      <div class="card-body">
        <div class="who">
          <AppIcon app={app} />
          <h2>{app.title}</h2>
          {named && <code class="uid">{uid}</code>}
        </div>
        <Facts desktop={desktop} used={used} />
        {running && <Charts desktop={desktop} wanted={inSight} />}
        {problem && (
          <p class="mistake" role="alert">
            {advise(problem).title}. {problem.detail}
          </p>
        )}
        <div class="card-actions">
          {desktop.state === "absent" || desktop.state === "failed" ? (
            <button type="button" class="button" onClick={() => go({ view: "desktop", uid }, {})}>
              Start again
            </button>
          ) : (
            <Link to={{ view: "desktop", uid }} class="button primary">
              Open
            </Link>
          )}
          {desktop.state !== "absent" && (
            <Action icon="log" label={`Log of ${name}`} run={() => setLog(true)} disabled={false} action="log" />
          )}
          {running && <Action icon="restart" label={`Restart ${name}`} run={() => void restart()} disabled={busy !== ""} action="restart" />}
          {desktop.state !== "absent" && desktop.state !== "failed" && (
            <Action icon="stop" label={`Stop ${name}`} run={() => void stop()} disabled={busy !== ""} action="stop" />
          )}
          <Action icon="trash" label={`Delete ${name}`} run={() => void remove()} disabled={busy !== ""} action="delete" />
        </div>
      </div>
      {log && <LogDialog uid={uid} title={app.title} close={() => setLog(false)} />}
    </li>
  );
}

function Action({ icon, label, run, disabled, action }: { icon: "log" | "restart" | "stop" | "trash"; label: string; run: () => void; disabled: boolean; action: string }) {
  return (
    <button type="button" class="tool" data-action={action} title={label} aria-label={label} disabled={disabled} onClick={run}>
      <Icon name={icon} />
    </button>
  );
}

/** How old a desktop is, who is there, and when it will end. */
function Facts({ desktop, used }: { desktop: Desktop; used: number | undefined }) {
  const now = useNow(1000);
  if (desktop.state === "absent") return <p class="facts">{used === undefined ? "" : `Last used ${ago(now - used)}`}</p>;
  if (desktop.state === "failed") return <p class="facts bad">It failed {phaseWords(desktop.reason?.phase ?? "")}.</p>;
  const since = Date.parse(desktop.started_at ?? desktop.created_at ?? "");
  const idle = Date.parse(desktop.idle_deadline ?? "");
  const end = Date.parse(desktop.expires_at ?? "");
  const people = company(desktop);
  return (
    <p class="facts">
      {!Number.isNaN(since) && <span>Started {ago(now - since)}</span>}
      {isRunning(desktop.state) && <span>{people || "Nobody is here"}</span>}
      {desktop.state === "ready" && !Number.isNaN(idle) && <span class="soon">Stops in {countdown(idle - now)} if nobody comes</span>}
      {!Number.isNaN(end) && end - now < 3600_000 && <span class="soon">Ends in {span(end - now)}</span>}
    </p>
  );
}

function Charts({ desktop, wanted }: { desktop: Desktop; wanted: boolean }) {
  const stats = useStats(desktop.uid, wanted);
  if (!stats) return <p class="quiet small">This server does not tell how much it uses.</p>;
  const last = stats.at(-1);
  const processors = desktop.limits?.cpus ?? 1;
  const memory = last?.memory_limit_bytes || desktop.limits?.memory_bytes || Math.max(1, ...stats.map((one) => one.memory_bytes)) * 1.5;
  return (
    <div class="charts">
      <Chart
        title="Processor"
        value={last ? `${Math.round(last.cpu_percent / processors)} %` : "–"}
        values={stats.map((one) => one.cpu_percent)}
        most={100 * processors}
        room={room}
      />
      <Chart title="Memory" value={last ? bytes(last.memory_bytes) : "–"} values={stats.map((one) => one.memory_bytes)} most={memory} room={room} />
    </div>
  );
}

