import { confirm } from "../confirm";
import { h } from "../dom";
import { LeaveKey } from "../leavekey";
import type { Page, View } from "../page";
import { socketAddress } from "../address";
import { asProblem, Problem } from "../problem";
import { Screen } from "../screen";
import { wait } from "../wait";
import type { App, Stream } from "../wire";
import { bar } from "./bar";
import { ClipboardPanel } from "./clipboard";
import { problemPanel } from "./panel";
import { startAgain } from "./starting";

// Waits before the tries after a lost connection; about half a minute in all.
const retriesMs = [300, 1000, 2000, 4000, 8000, 15000];
// A connection that held this long counts as good: the tries begin anew.
const steadyMs = 5000;

/** One desktop in the whole window; `first` is the stream of a start that was just made. */
export function desktop(uid: string, first?: Stream): View {
  const view: View = async (page, signal) => {
    let app: Pick<App, "title" | "icon"> = { title: "Desktop", icon: "" };
    const title = h("h1", { class: "title" }, app.title);
    const target = h("div", { id: "screen", "data-state": "connecting", role: "application" });
    const overlay = h("div", { class: "overlay", role: "status" });
    const screen = new Screen(target);
    const clipboard = new ClipboardPanel(
      (text) => screen.paste(text),
      () => screen.focus(),
    );
    const stopping = new AbortController();
    const alive = AbortSignal.any([signal, stopping.signal]);
    const tools = bar(title, {
      back: () => page.go({ view: "launcher" }),
      clipboard: () => clipboard.toggle(),
      ctrlAltDel: () => {
        screen.ctrlAltDel();
        screen.focus();
      },
      fullscreen: () => void toggleFullscreen(content).then(() => screen.focus()),
      stop: () => void stop(),
    });
    const content = h("div", { class: "desktop" }, tools, clipboard.element, h("main", { class: "stage" }, target, overlay));
    listenForLeaveKey(tools, signal);
    page.show("desktop", app.title, content);
    say("Connecting…");

    function say(text: string): void {
      overlay.hidden = text === "";
      overlay.replaceChildren(...(text ? [h("div", { class: "panel" }, h("div", { class: "progress" }, h("span")), h("p", {}, text))] : []));
    }

    function offer(problem: Problem, label: string, action: () => void): void {
      target.dataset["state"] = "disconnected";
      const button = h("button", { class: "button primary", onclick: action }, label);
      const home = h("button", { class: "button", onclick: () => page.go({ view: "launcher" }) }, "All apps");
      overlay.hidden = false;
      overlay.replaceChildren(problemPanel(problem, button, home));
      button.focus();
    }

    async function stop(): Promise<void> {
      const words = "Its windows close for everyone. Its files stay for the next time.";
      if (!(await confirm(`Stop ${app.title}?`, words, "Stop", signal))) return screen.focus();
      stopping.abort(new DOMException("the desktop is being stopped", "AbortError"));
      say("Stopping…");
      try {
        await page.api.stop(uid, signal);
        page.go({ view: "launcher" });
      } catch (error) {
        if (!signal.aborted) offer(asProblem(error), "Back to the desktop", () => page.replace(view));
      }
    }

    void learnApp(page, uid, signal).then((known) => {
      if (!known || signal.aborted) return;
      app = known;
      title.textContent = known.title;
      target.setAttribute("aria-label", `${known.title}. Press Ctrl, Alt and Shift together to leave it with the keyboard.`);
      document.title = `${known.title} · Sage`;
      page.favicon(known.icon);
    });

    let stream: Stream | null = first ?? null;
    let tries = 0;
    let lost: Problem | null = null;
    while (!alive.aborted) {
      try {
        stream ??= await page.api.stream(uid, alive);
        target.dataset["state"] = "connecting";
        let since = 0;
        const end = await screen.run(
          socketAddress(page.root, stream.url, "vnc"),
          {
            connected: () => {
              since = performance.now();
              target.dataset["state"] = "connected";
              say("");
              screen.focus();
            },
            clipboard: (text) => clipboard.receive(text),
          },
          alive,
        );
        if (alive.aborted) return;
        target.dataset["state"] = "disconnected";
        if (end.refused) {
          return offer(new Problem({ title: "The desktop lets nobody in", detail: end.refused }), "Try again", () => page.replace(view));
        }
        if (end.connected && performance.now() - since > steadyMs) tries = 0;
        lost = null;
      } catch (error) {
        if (alive.aborted) return;
        lost = asProblem(error);
        if (lost.status === 404) {
          const gone = new Problem({
            title: "This desktop does not run",
            status: 404,
            detail: "It was stopped, or nobody had looked at it for a while. Its files are kept.",
          });
          return offer(gone, "Start again", () => page.replace(startAgain(uid, app)));
        }
        if (lost.status >= 400 && lost.status < 500) return offer(lost, "Try again", () => page.replace(view));
      }
      stream = null;
      const pause = retriesMs[tries++];
      if (pause === undefined) {
        const silent = new Problem({ title: "The desktop cannot be reached", hint: "Check the network, then try again." });
        return offer(lost ?? silent, "Try again", () => page.replace(view));
      }
      say("The connection was lost. Reconnecting…");
      await wait(pause, alive).catch(() => undefined);
    }
  };
  return view;
}

/** The app of a desktop, for its title and icon; undefined when that cannot be found out. */
async function learnApp(page: Page, uid: string, signal: AbortSignal): Promise<Pick<App, "title" | "icon"> | undefined> {
  try {
    const { app: id } = await page.api.desktop(uid, signal);
    return (await page.app(id, signal)) ?? (id ? { title: id, icon: "" } : undefined);
  } catch {
    // The desktop itself matters more than its name.
    return undefined;
  }
}

async function toggleFullscreen(element: HTMLElement): Promise<void> {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await element.requestFullscreen();
  } catch {
    // The browser said no; the window stays as it is.
  }
}

function listenForLeaveKey(tools: HTMLElement, signal: AbortSignal): void {
  const leave = new LeaveKey();
  const take = (event: KeyboardEvent) => {
    if (leave.take(event)) tools.querySelector("button")?.focus();
  };
  // Capturing, because noVNC lets no key event through.
  addEventListener("keydown", take, { capture: true, signal });
  addEventListener("keyup", take, { capture: true, signal });
}
