import { useCallback, useEffect, useState } from "preact/hooks";

import type { Api } from "../api";
import { useCatalog, useDesktop, useRemembered, useSite, useTask } from "../live/hooks";
import { withoutSecrets } from "../remember";
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
import { Unknown } from "./unknown";

/** One desktop, whatever it is doing; with `start` it is started first. */
export function DesktopView({ uid, start }: { uid: string; start?: StartRequest | undefined }) {
  const { api, memory, catalog, go } = useSite();
  const { desktop, problem: silence, tell } = useDesktop(uid);
  const [request, setRequest] = useState(start);
  const remembered = useRemembered().find((known) => known.uid === uid);
  const [latest, setLatest] = useState<StartRequest>(start ?? { ...(remembered?.env && { vm: remembered.app, env: remembered.env }) });
  const [changing, setChanging] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [stopping, setStopping] = useState(false);
  // From the first picture on, the screen itself finds out what becomes of the desktop.
  const [live, setLive] = useState(false);
  const app = useApp(desktop?.app || request?.vm || remembered?.app);
  const state = desktop?.state;

  const begin = useCallback((body: StartRequest) => {
    setProblem(undefined);
    setChanging(false);
    setLatest(body);
    setRequest(body);
  }, []);

  useTask(
    async (signal) => {
      if (!request) return;
      if (request.vm) {
        const variables = (await catalog(signal)).find((known) => known.id === request.vm)?.variables ?? [];
        memory.use(uid, request.vm, withoutSecrets(request.env ?? {}, variables));
      }
      await startOrAnew(api, uid, request, { vm: app.id, env: memory.find(uid)?.env ?? {} }, signal);
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
      memory.ran(uid);
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

  const again = () => begin(latest);
  // Of a desktop that has run the settings are the server's alone, and cannot be shown to be changed.
  const change = app.variables.length > 0 && latest.vm ? () => setChanging(true) : undefined;
  const refused = problem?.code === "invalid_env" ? problem : undefined;
  if ((changing || refused) && app.variables.length > 0) {
    return (
      <Cover app={app} title={`${app.title}: settings`} uid={uid}>
        <section class="panel" data-code={refused?.code ?? "settings"}>
          <h1>{app.title}: settings</h1>
          <SettingsForm
            app={app}
            values={latest.env}
            refused={refused}
            start={(env) => begin({ vm: app.id, env })}
            cancel={() => (refused ? go({ view: "launcher" }) : setChanging(false))}
          />
        </section>
      </Cover>
    );
  }
  if (problem?.code === "unknown_uid") return <Unknown app={app} uid={uid} start={() => begin({ vm: app.id })} />;
  if (problem) {
    return (
      <Cover app={app} title={`${app.title} did not start`} uid={uid}>
        {problem.reason && problem.code !== "at_capacity" ? (
          <StartFailure app={app} reason={problem.reason} again={again} change={change} />
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
        <StartFailure app={app} reason={desktop!.reason ?? { phase: "", message: "" }} again={again} change={change} />
      </Cover>
    );
  }
  if (state === "absent" && !desktop?.app) return <Unknown app={app} uid={uid} start={() => begin({ vm: app.id, env: latest.env ?? {} })} />;
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

/** Starts a desktop with the settings that are kept; where none are, as after a first start that failed, as `anew` says. */
async function startOrAnew(api: Api, uid: string, request: StartRequest, anew: StartRequest, signal: AbortSignal): Promise<void> {
  try {
    await api.start(uid, request, signal);
  } catch (error) {
    if (request.vm || !anew.vm || asProblem(error).code !== "unknown_uid") throw error;
    await api.start(uid, anew, signal);
  }
}

/** The app of a desktop as the catalog has it, or as much as is known. */
function useApp(id = ""): App {
  const { apps } = useCatalog();
  const known = apps?.find((app) => app.id === id || app.aliases.includes(id));
  return known ?? { id, title: id || "Desktop", description: "", icon: "", aliases: [], endpoints: [], variables: [] };
}

