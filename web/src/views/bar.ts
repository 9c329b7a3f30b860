import { h } from "../dom";
import { icon, type IconName } from "../icons";

export interface BarActions {
  back(): void;
  clipboard(): void;
  ctrlAltDel(): void;
  fullscreen(): void;
  stop(): void;
}

/** The small bar above a desktop. */
export function bar(title: HTMLElement, actions: BarActions): HTMLElement {
  const tool = (name: IconName, label: string, action: keyof BarActions) =>
    h("button", { class: "tool", "data-action": action, title: label, "aria-label": label, onclick: () => actions[action]() }, icon(name));
  return h(
    "div",
    { class: "bar", role: "toolbar", "aria-label": "Desktop" },
    tool("back", "All apps", "back"),
    title,
    tool("clipboard", "Clipboard", "clipboard"),
    tool("keys", "Send Ctrl+Alt+Del", "ctrlAltDel"),
    // A phone's browser may only allow videos to fill the screen.
    document.fullscreenEnabled && tool("fullscreen", "Full screen", "fullscreen"),
    tool("stop", "Stop this desktop", "stop"),
  );
}
