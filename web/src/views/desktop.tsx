import { useCallback, useEffect, useState } from "preact/hooks";

import type { Api } from "../api";
import { useCatalog, useDesktop, useRemembered, useSite, useTask } from "../live/hooks";
import { Failure, Retry } from "../parts/failure";
import { Link } from "../parts/link";
import { SettingsForm } from "../parts/settings";
import { asProblem, isPassing, Problem, unreachable } from "../problem";
import { isRunning, isStarting, type App, type StartRequest } from "../wire";
import { Cover } from "./cover";
import { Stage } from "./stage";
import { StartFailure } from "./startfailure";
import { Starting } from "./starting";
import { Stopped } from "./stopped";

/** One desktop, whatever it is doing; with `start` it is started first. */
export function DesktopView({ uid, start }: { uid: string; start?: StartRequest | undefined }) {
  const { api, memory, go } = useSite();
  const { desktop, problem: silence, tell } = useDesktop(uid);
  const [request, setRequest] = useState(start);
  const [latest, setLatest] = useState<StartRequest>(start ?? {});
  const [problem, setProblem] = useState<Problem>();
  const [stopping, setStopping] = useState(false);
  // From the first picture on, the screen itself finds out what becomes of the desktop.
  const [live, setLive] = useState(false);
  const app = useApp(uid, desktop?.app || request?.vm);
  const state = desktop?.state;

  const begin = useCallback((body: StartRequest) => {
    setProblem(undefined);
    setLatest(body);
    setRequest(body);
  }, []);

  useTask(
    async (signal) => {
      if (!request) return;
      await startOrAnew(api, uid, request, app.id, signal);
      // The events may be a moment behind the answer.
      tell(await api.desktop(uid, signal));
      setRequest(undefined);
    },
    [uid, request],
    (failed) => {
      setRequest(undefined);
      setProblem(failed);
    },
  );

  useEffect(() => {
    if (!desktop) return;
    // Whoever tells of the desktop is there again.
    setProblem((known) => (known?.code === unreachable ? undefined : known));
    if (isRunning(desktop.state)) {
      setLive(true);
      memory.use(uid, desktop.app);
    }
  }, [desktop]);

  const gone = useCallback(
    async (cut: boolean, signal: AbortSignal) => {
      const now = await api.desktop(uid, signal);
      tell(now);
      setLive(false);
      // It went while nobody here could see it, so nobody here has ended it.
      if (cut && (now === null || now.state === "stopping")) begin({});
    },
    [uid],
  );

  async function stop() {
    setStopping(true);
    try {
      const forever = new AbortController().signal;
      await api.stop(uid, false, forever);
      tell(null);
      setLive(false);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setStopping(false);
    }
  }

  if (problem) {
    const again = () => begin(latest);
    return (
      <Cover app={app} title={`${app.title} did not start`} uid={uid}>
        {problem.code === "invalid_env" && app.variables.length > 0 ? (
          <section class="panel" data-code={problem.code}>
            <h1>{app.title}: settings</h1>
            <SettingsForm
              app={app}
              values={latest.env}
              refused={problem}
              start={(env) => begin({ vm: app.id, env })}
              cancel={() => go({ view: "launcher" })}
            />
          </section>
        ) : problem.reason && problem.code !== "at_capacity" ? (
          <StartFailure app={app} reason={problem.reason} again={again} />
        ) : (
          <Failure problem={problem}>
            {isPassing(problem) ? (
              <Retry key={problem} after={problem.retryAfter ?? 10} again={again} />
            ) : (
              problem.status !== 404 && (
                <button type="button" class="button primary" onClick={again}>
                  Try again
                </button>
              )
            )}
            <Link class="button" to={{ view: "launcher" }}>
              All apps
            </Link>
          </Failure>
        )}
      </Cover>
    );
  }
  if (stopping) return <Starting app={app} uid={uid} desktop={undefined} closing />;
  if (request || isStarting(state)) return <Starting app={app} uid={uid} desktop={desktop} />;
  if (live && desktop) return <Stage key={uid} uid={uid} app={app} desktop={desktop} gone={gone} failed={setProblem} stop={() => void stop()} />;
  if (state === "stopping") return <Starting app={app} uid={uid} desktop={desktop} closing />;
  if (state === "failed") {
    return (
      <Cover app={app} title={`${app.title} failed`} uid={uid}>
        <StartFailure app={app} reason={desktop!.reason ?? { phase: "", message: "" }} again={() => begin(latest)} />
      </Cover>
    );
  }
  if (state === "absent") return <Stopped app={app} uid={uid} start={() => begin({})} />;
  return (
    <Cover app={app} title={app.title} uid={uid}>
      {silence ? (
        <Failure problem={silence}>
          <Link class="button" to={{ view: "launcher" }}>
            All apps
          </Link>
        </Failure>
      ) : (
        <p class="quiet" role="status">
          Looking for the desktop…
        </p>
      )}
    </Cover>
  );
}

/** Starts a desktop with the settings that are kept; where none are, as after a first start that failed, with the app's own. */
async function startOrAnew(api: Api, uid: string, request: StartRequest, app: string, signal: AbortSignal): Promise<void> {
  try {
    await api.start(uid, request, signal);
  } catch (error) {
    if (request.vm || !app || asProblem(error).code !== "unknown_uid") throw error;
    await api.start(uid, { vm: app }, signal);
  }
}

/** The app of a desktop as the catalog has it, or as much as is known. */
function useApp(uid: string, told: string | undefined): App {
  const { apps } = useCatalog();
  const remembered = useRemembered().find((known) => known.uid === uid);
  const id = told || remembered?.app || "";
  const known = apps?.find((app) => app.id === id || app.aliases.includes(id));
  return known ?? { id, title: id || "Desktop", description: "", icon: "", aliases: [], endpoints: [], variables: [] };
}

