import type { App } from "../wire";

/** An app's icon, or its first letter where it has none. */
export function AppIcon({ app }: { app: Pick<App, "title" | "icon"> }) {
  if (app.icon.startsWith("data:image/")) return <img class="appicon" src={app.icon} alt="" />;
  return <span class="appicon letter" aria-hidden="true" data-letter={app.title.slice(0, 1).toUpperCase()} />;
}
