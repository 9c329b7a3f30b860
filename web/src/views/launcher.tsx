import { useMemo, useRef, useState, useEffect } from "preact/hooks";

import { useCatalog, useNow, usePolled, useRemembered, useSite } from "../live/hooks";
import { useMine } from "../live/mine";
import { useWindow } from "../live/window";
import { advise } from "../advice";
import { AppIcon } from "../parts/appicon";
import { Dialog } from "../parts/dialog";
import { Failure } from "../parts/failure";
import { Icon } from "../parts/icon";
import { SettingsForm } from "../parts/settings";
import { Sheet } from "../parts/sheet";
import { newUID } from "../remember";
import { isRunning, type App, type Desktop, type StartRequest } from "../wire";
import { ago } from "../words";

// With fewer apps a search is in the way.
const manyApps = 8;
const readyEveryMs = 15_000;

/** The apps on offer; an app that this browser has used is opened again with its files. */
export function Launcher() {
  const { apps, problem, again } = useCatalog();
  const [wanted, setWanted] = useState("");
  const mine = useMine();
  useWindow("");
  const found = useMemo(() => apps?.filter((app) => matches(app, wanted)), [apps, wanted]);
  return (
    <Sheet place="apps">
      <Readiness />
      <div class="hero">
        <h1>What would you like to open?</h1>
        {apps && apps.length >= manyApps && <Search value={wanted} change={setWanted} found={found?.length ?? 0} />}
      </div>
      {problem && !apps ? (
        <Failure problem={problem}>
          <button type="button" class="button primary" onClick={again}>
            Try again
          </button>
        </Failure>
      ) : (
        <ul class="tiles" aria-busy={!apps}>
          {found ? found.map((app) => <Tile key={app.id} app={app} desktops={mine} />) : [0, 1, 2].map((n) => <li key={n} class="tile ghost" aria-hidden="true" />)}
        </ul>
      )}
      {apps && apps.length === 0 && <p class="quiet">There are no apps here yet. Whoever runs this server can add some.</p>}
      {apps && apps.length > 0 && found?.length === 0 && <p class="quiet">No app goes by that name.</p>}
    </Sheet>
  );
}

function matches(app: App, wanted: string): boolean {
  const text = [app.title, app.description, app.id, ...app.aliases].join(" ").toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function Search({ value, change, found }: { value: string; change: (text: string) => void; found: number }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const slash = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  return (
    <search class="search">
      <Icon name="search" />
      <input ref={field} type="search" aria-label="Search the apps" placeholder="Search" value={value} onInput={(event) => change(event.currentTarget.value)} />
      <span class="hidden" role="status">
        {value ? `${found} apps` : ""}
      </span>
    </search>
  );
}

/** Says so when desktops cannot be started, before somebody tries. */
function Readiness() {
  const { api } = useSite();
  const { problem } = usePolled((signal) => api.ready(signal), readyEveryMs, []);
  if (!problem) return null;
  const { title, text } = advise(problem);
  return (
    <div class="notice" role="status" data-code={problem.code}>
      <Icon name="cloud" />
      <p>
        <strong>{title}.</strong> {text}
      </p>
    </div>
  );
}

/** One app. Pressing it opens the desktop that was used last, or starts the first one. */
function Tile({ app, desktops }: { app: App; desktops: ReadonlyMap<string, Desktop> }) {
  const site = useSite();
  const now = useNow(10_000);
  const [asking, setAsking] = useState(false);
  const known = useRemembered().filter((one) => one.app === app.id || app.aliases.includes(one.app));
  const latest = known.find((one) => isRunning(desktops.get(one.uid)?.state)) ?? known[0];
  const desktop = latest && desktops.get(latest.uid);

  const start = (request: StartRequest) => {
    site.go({ view: "desktop", uid: newUID() }, request);
  };
  const open = () => {
    if (!latest) return start({ vm: app.id });
    site.memory.use(latest.uid, app.id);
    // The settings that were saved with it count.
    site.go({ view: "desktop", uid: latest.uid }, isRunning(desktop?.state) ? undefined : {});
  };
  const running = isRunning(desktop?.state);
  const verb = running ? "Open" : latest ? "Continue" : "Start";
  return (
    <li class="tile" data-state={running ? "running" : latest ? "kept" : "new"}>
      <button type="button" class="tile-open" data-app={app.id} aria-label={`${verb} ${app.title}`} aria-describedby={`about-${app.id} state-${app.id}`} onClick={open}>
        <AppIcon app={app} />
        <span class="name">{app.title}</span>
      </button>
      <p class="about" id={`about-${app.id}`}>
        {app.description}
      </p>
      <div class="foot">
        <span class="go" aria-hidden="true">
          {verb}
        </span>
        <span class="state" id={`state-${app.id}`}>
          {running && <span class="dot" />}
          {running ? "Running" : latest ? `Used ${ago(now - latest.used)}` : ""}
        </span>
        {(latest || app.variables.length > 0) && (
          <button
            type="button"
            class="tool"
            data-settings={app.id}
            title={latest ? `Another ${app.title}` : `Settings for ${app.title}`}
            aria-label={latest ? `Start another ${app.title}` : `Settings for ${app.title}`}
            onClick={() => (app.variables.length > 0 ? setAsking(true) : start({ vm: app.id }))}
          >
            <Icon name={latest ? "plus" : "settings"} />
          </button>
        )}
      </div>
      {asking && (
        <AppDialog
          app={app}
          another={latest !== undefined}
          close={() => setAsking(false)}
          start={(request) => {
            setAsking(false);
            start(request);
          }}
        />
      )}
    </li>
  );
}

/** The settings of an app before it is started. */
function AppDialog({ app, another, close, start }: { app: App; another: boolean; close: () => void; start: (request: StartRequest) => void }) {
  return (
    <Dialog title={another ? `Another ${app.title}` : `${app.title}: settings`} close={close}>
      <p class="quiet">{another ? "It is started beside the one that you have, with files of its own." : "They are kept with it for the next time."}</p>
      <SettingsForm app={app} cancel={close} start={(env) => start({ vm: app.id, env })} />
    </Dialog>
  );
}
