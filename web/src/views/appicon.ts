import { h } from "../dom";
import type { App } from "../wire";

/** An app's icon, or its first letter where it has none. */
export function appIcon(app: Pick<App, "title" | "icon">): HTMLElement {
  if (app.icon.startsWith("data:image/")) return h("img", { class: "appicon", src: app.icon, alt: "" });
  return h("span", { class: "appicon letter", "aria-hidden": "true" }, app.title.slice(0, 1).toUpperCase());
}
