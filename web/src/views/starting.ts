import { h } from "../dom";
import type { Page, View } from "../page";
import { asProblem, isAbort } from "../problem";
import type { App, Desktop, Stream } from "../wire";
import { span, startWords } from "../words";
import { wait } from "../wait";
import { appIcon } from "./appicon";
import { header } from "./header";
import { problemPanel } from "./panel";

/** Starts a new desktop of an app and goes to it. */
export function startApp(app: App): View {
  return starting(app, undefined, (page, signal) => page.api.start(app.id, signal));
}

/** Starts a known desktop again and goes to it; `app` is known when its record is. */
export function startAgain(uid: string, app: Pick<App, "title" | "icon">): View {
  return starting(app, uid, (page, signal) => page.api.restart(uid, signal));
}

type Start = (page: Page, signal: AbortSignal) => Promise<Stream>;

function starting(app: Pick<App, "title" | "icon">, uid: string | undefined, start: Start): View {
  const view: View = async (page, signal) => {
    // Loaded while the container starts, so that the picture comes at once.
    void import("@novnc/novnc").catch(() => undefined);
    const words = h("p", { class: "phase", role: "status" }, startWords(undefined, 0));
    const clock = h("span", { class: "clock" }, span(0));
    const bar = h("div", { class: "progress", role: "progressbar", "aria-label": `Starting ${app.title}` }, h("span"));
    const cancel = h("button", { class: "button", onclick: () => page.go({ view: "launcher" }) }, "All apps");
    const body = h(
      "main",
      { class: "narrow" },
      h(
        "section",
        { class: "panel start", "data-phase": "starting" },
        appIcon(app),
        h("h1", {}, `Starting ${app.title}`),
        bar,
        words,
        h("p", { class: "quiet" }, "For ", clock, " so far."),
        h("div", { class: "actions" }, cancel),
      ),
    );
    page.favicon(app.icon);
    page.show("starting", `Starting ${app.title}`, h("div", { class: "sheet" }, header(page), body));

    const done = new AbortController();
    const both = AbortSignal.any([signal, done.signal]);
    const began = performance.now();
    void tell(page, uid, both, (state) => {
      const waited = performance.now() - began;
      clock.textContent = span(waited);
      const text = startWords(state?.state, waited);
      if (words.textContent !== text) words.textContent = text;
    });
    try {
      const stream = await start(page, signal);
      page.go({ view: "desktop", uid: stream.uid || uid || "" }, stream);
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      done.abort();
      const again = h("button", { class: "button primary", onclick: () => page.replace(view) }, "Try again");
      page.show(
        "error",
        `${app.title} did not start`,
        h(
          "div",
          { class: "sheet" },
          header(page),
          h("main", { class: "narrow" }, problemPanel(asProblem(error), again, cancel)),
        ),
      );
      again.focus();
    } finally {
      done.abort();
    }
  };
  return view;
}

/** Reports once a second until aborted; the state only where a uid is known. */
async function tell(
  page: Page,
  uid: string | undefined,
  signal: AbortSignal,
  report: (desktop: Desktop | undefined) => void,
): Promise<void> {
  try {
    for (;;) {
      await wait(1000, signal);
      const desktop = uid ? await page.api.desktop(uid, signal).catch(() => undefined) : undefined;
      signal.throwIfAborted();
      report(desktop);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
