import { useState } from "preact/hooks";

import { useCatalog, useDesktops, useRemembered } from "../live/hooks";
import { useMine } from "../live/mine";
import { useWindow } from "../live/window";
import { Failure } from "../parts/failure";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { Sheet } from "../parts/sheet";
import type { App, Desktop } from "../wire";
import { Card } from "./card";

/** The desktops that this browser has used, whether they run or not. */
export function MyDesktops() {
  useWindow("My desktops");
  const { apps } = useCatalog();
  const running = useMine();
  const known = useRemembered();
  const all = known.map(({ uid, app, used }) => ({ used, desktop: running.get(uid) ?? ({ uid, app, state: "absent" } satisfies Desktop) }));
  return (
    <Sheet place="mine">
      <h1>My desktops</h1>
      <p class="lead quiet">The desktops that you have used in this browser. Their files stay until you delete them.</p>
      {all.length === 0 ? (
        <Nothing text="You have not opened anything yet." />
      ) : (
        <ul class="cards">
          {all.map(({ desktop, used }) => (
            <Card key={desktop.uid} desktop={desktop} app={appOf(desktop, apps)} used={used} />
          ))}
        </ul>
      )}
    </Sheet>
  );
}

/** Every desktop of this Sage, for who may see them. */
export function AllDesktops() {
  useWindow("All desktops");
  const { apps } = useCatalog();
  const { desktops, problem } = useDesktops();
  const [wanted, setWanted] = useState("");
  const all = [...(desktops?.values() ?? [])].sort((a, b) => Date.parse(b.created_at ?? "") - Date.parse(a.created_at ?? "") || a.uid.localeCompare(b.uid));
  const found = all.filter((desktop) => `${desktop.uid} ${appOf(desktop, apps).title}`.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <Sheet place="all">
      <div class="hero">
        <h1>All desktops</h1>
        {all.length > 8 && (
          <search class="search">
            <Icon name="search" />
            <input type="search" aria-label="Search the desktops" placeholder="Search" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
          </search>
        )}
      </div>
      {problem && (!desktops || problem.status === 403 || problem.status === 401) ? (
        <Failure problem={problem} />
      ) : !desktops ? (
        <p class="quiet">Loading…</p>
      ) : all.length === 0 ? (
        <Nothing text="Nothing is running here right now." />
      ) : (
        <>
          <p class="lead quiet" role="status">
            {problem ? "The connection was lost; what you see may be old." : summary(all)}
          </p>
          <ul class="cards">
            {found.map((desktop) => (
              <Card key={desktop.uid} desktop={desktop} app={appOf(desktop, apps)} named />
            ))}
          </ul>
        </>
      )}
    </Sheet>
  );
}

function summary(all: Desktop[]): string {
  const used = all.filter((desktop) => desktop.state === "occupied").length;
  return `${all.length} ${all.length === 1 ? "desktop" : "desktops"}, ${used} of them in use.`;
}

function Nothing({ text }: { text: string }) {
  return (
    <div class="nothing">
      <Icon name="screen" />
      <p>{text}</p>
      <Link class="button primary" to={{ view: "launcher" }}>
        Choose an app
      </Link>
    </div>
  );
}

function appOf(desktop: Desktop, apps: App[] | undefined): Pick<App, "title" | "icon"> {
  return apps?.find((app) => app.id === desktop.app || app.aliases.includes(desktop.app)) ?? { title: desktop.app || "Desktop", icon: "" };
}
