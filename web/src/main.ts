import "./style/base.css";
import "./style/launcher.css";
import "./style/desktop.css";
import { Api } from "./api";
import { base } from "./base";
import type { Page, View, ViewName } from "./page";
import { asProblem, isAbort, Problem } from "./problem";
import { format, parse, type Route } from "./router";
import { SessionTokens } from "./tokens";
import { desktop } from "./views/desktop";
import { failure } from "./views/error";
import { launcher } from "./views/launcher";
import type { App, Stream } from "./wire";

const container = document.getElementById("app")!;
const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]')!;
const ownIcon = link.href;
const api = new Api(base, new SessionTokens());
let leave = new AbortController();
let catalog: Promise<App[]> | null = null;

function open(view: View): void {
  leave.abort(new DOMException("the view was left", "AbortError"));
  leave = new AbortController();
  const { signal } = leave;
  view(page, signal).catch((error: unknown) => {
    if (signal.aborted || isAbort(error)) return;
    open(failure(asProblem(error), view));
  });
}

function route(to: Route, stream?: Stream): View {
  switch (to.view) {
    case "launcher":
      return launcher;
    case "desktop":
      return desktop(to.uid, stream);
    case "unknown":
      return failure(
        new Problem({ title: "There is no such page", status: 404, detail: to.path, hint: "Go back to the apps." }),
      );
  }
}

const page: Page = {
  api,
  root: base,
  show(name: ViewName, title: string, content: Node): void {
    document.body.dataset["view"] = name;
    document.title = title ? `${title} · Sage` : "Sage";
    container.replaceChildren(content);
  },
  favicon(address: string): void {
    const type = /^data:([^;,]+)/.exec(address)?.[1] ?? "image/svg+xml";
    link.type = type;
    link.href = address || ownIcon;
  },
  go(to: Route, stream?: Stream): void {
    history.pushState(null, "", format(base.pathname, to));
    open(route(to, stream));
  },
  replace: open,
  async app(id: string, signal: AbortSignal): Promise<App | undefined> {
    catalog ??= api.catalog(signal).then((answer) => answer.apps);
    try {
      return (await catalog).find((app) => app.id === id || app.aliases?.includes(id));
    } catch (error) {
      catalog = null;
      throw error;
    }
  },
};

addEventListener("popstate", () => open(route(parse(base.pathname, location.pathname))));
open(route(parse(base.pathname, location.pathname)));
