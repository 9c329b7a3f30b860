import { confirm } from "../confirm";
import { h } from "../dom";
import type { Page, View } from "../page";
import { asProblem, type Problem } from "../problem";
import { wait } from "../wait";
import type { App, Desktop } from "../wire";
import { span, stateWords } from "../words";
import { appIcon } from "./appicon";
import { header } from "./header";
import { problemPanel } from "./panel";
import { startApp } from "./starting";

const refreshMs = 4000;

/** The catalog as tiles and the desktops that run. */
export const launcher: View = async (page, signal) => {
  page.favicon("");
  const tiles = h("div", { class: "tiles" }, h("p", { class: "quiet" }, "Loading…"));
  const running = h("section", { class: "running", "aria-labelledby": "running-title", hidden: true });
  const trouble = h("div", { "aria-live": "polite" });
  page.show(
    "launcher",
    "",
    h(
      "div",
      { class: "sheet" },
      header(page),
      h(
        "main",
        {},
        trouble,
        running,
        h("section", { "aria-labelledby": "apps-title" }, h("h1", { id: "apps-title" }, "Apps"), tiles),
      ),
    ),
  );

  const { apps } = await page.api.catalog(signal);
  tiles.replaceChildren(...apps.map((app) => tile(page, app)));
  if (apps.length === 0) tiles.append(h("p", { class: "quiet" }, "The catalog is empty."));

  const report = (problem: Problem | null) => {
    if (problem?.message === trouble.dataset["shown"]) return;
    trouble.dataset["shown"] = problem?.message ?? "";
    trouble.replaceChildren(...(problem ? [problemPanel(problem)] : []));
  };
  const rows = new Rows(page, apps, running, signal, report);
  for (;;) {
    if (!document.hidden) {
      try {
        const desktops = await runningDesktops(page, signal);
        rows.show(desktops);
        countTiles(tiles, apps, desktops);
        report(null);
      } catch (error) {
        signal.throwIfAborted();
        report(asProblem(error));
      }
    }
    await wait(refreshMs, signal);
  }
};

function tile(page: Page, app: App): HTMLElement {
  return h(
    "button",
    { class: "tile", "data-app": app.id, "aria-describedby": `about-${app.id}`, onclick: () => page.replace(startApp(app)) },
    appIcon(app),
    h("span", { class: "name" }, app.title),
    h("span", { class: "about", id: `about-${app.id}` }, app.description),
    h("span", { class: "foot" }, h("span", { class: "go" }, "Start"), h("span", { class: "count" })),
  );
}

function countTiles(tiles: HTMLElement, apps: App[], desktops: Desktop[]): void {
  for (const app of apps) {
    const n = desktops.filter((desktop) => desktop.app === app.id).length;
    const element = tiles.querySelector<HTMLElement>(`[data-app="${CSS.escape(app.id)}"]`);
    const count = element?.querySelector(".count");
    if (!element || !count) continue;
    element.dataset["state"] = n > 0 ? "running" : "idle";
    count.textContent = n > 0 ? `${n} running` : "";
  }
}

async function runningDesktops(page: Page, signal: AbortSignal): Promise<Desktop[]> {
  const uids = await page.api.list(signal);
  const answers = await Promise.all(
    uids.map((uid) =>
      page.api.desktop(uid, signal).catch((error: unknown) => {
        // Gone between the list and the question.
        if (asProblem(error).status === 404) return null;
        throw error;
      }),
    ),
  );
  return answers.filter((desktop): desktop is Desktop => desktop !== null && desktop.state !== "absent");
}

/** The table of running desktops; rows stay in place so that the focus does too. */
class Rows {
  readonly #list = h("ul", { class: "desktops" });
  readonly #rows = new Map<string, HTMLElement>();

  constructor(
    readonly page: Page,
    readonly apps: App[],
    readonly section: HTMLElement,
    readonly signal: AbortSignal,
    readonly report: (problem: Problem | null) => void,
  ) {
    section.append(h("h1", { id: "running-title" }, "Running desktops"), this.#list);
  }

  show(desktops: Desktop[]): void {
    const alive = new Set(desktops.map((desktop) => desktop.uid));
    for (const [uid, row] of this.#rows) {
      if (alive.has(uid)) continue;
      row.remove();
      this.#rows.delete(uid);
    }
    for (const desktop of desktops) {
      let row = this.#rows.get(desktop.uid);
      if (!row) {
        row = this.#row(desktop);
        this.#rows.set(desktop.uid, row);
        this.#list.append(row);
      }
      row.dataset["state"] = desktop.state;
      row.querySelector(".facts")!.textContent = facts(desktop);
    }
    this.section.hidden = desktops.length === 0;
  }

  #row(desktop: Desktop): HTMLElement {
    const { uid } = desktop;
    const app = this.apps.find((known) => known.id === desktop.app) ?? { title: desktop.app || uid, icon: "" };
    const name = `${app.title} (${uid})`;
    return h(
      "li",
      { "data-uid": uid },
      appIcon(app),
      h("span", { class: "who" }, h("span", { class: "name" }, app.title), h("span", { class: "uid" }, uid), h("span", { class: "facts" })),
      h(
        "span",
        { class: "actions" },
        h(
          "button",
          { class: "button primary", "aria-label": `Open ${name}`, onclick: () => this.page.go({ view: "desktop", uid }) },
          "Open",
        ),
        h("button", { class: "button", "aria-label": `Stop ${name}`, onclick: () => void this.#stop(uid, app.title) }, "Stop"),
      ),
    );
  }

  async #stop(uid: string, title: string): Promise<void> {
    if (!(await confirm(`Stop ${title}?`, "Its windows close. Its files stay for the next time.", "Stop", this.signal))) return;
    const row = this.#rows.get(uid);
    const buttons = row?.querySelectorAll("button") ?? [];
    for (const button of buttons) button.disabled = true;
    try {
      await this.page.api.stop(uid, this.signal);
      row?.remove();
      this.#rows.delete(uid);
      this.section.hidden = this.#rows.size === 0;
    } catch (error) {
      if (this.signal.aborted) return;
      for (const button of buttons) button.disabled = false;
      this.report(asProblem(error));
    }
  }
}

function facts(desktop: Desktop): string {
  if (desktop.state === "failed" && desktop.reason) return `failed: ${desktop.reason.message}`;
  const parts = [stateWords(desktop.state)];
  if (desktop.clients > 0) parts.push(desktop.clients === 1 ? "1 viewer" : `${desktop.clients} viewers`);
  const since = Date.parse(desktop.started_at ?? desktop.created_at ?? "");
  if (!Number.isNaN(since)) parts.push(`for ${span(Date.now() - since)}`);
  return parts.join(" · ");
}
