import type { ComponentChildren } from "preact";

import { useWindow } from "../live/window";
import { AppIcon } from "../parts/appicon";
import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import { usePicture } from "../parts/picture";
import type { App } from "../wire";

/** A desktop's page while it has no live picture: something in the middle, and the last picture behind it. */
export function Cover({ app, title, uid, clear, children }: { app: App; title: string; uid: string; clear?: boolean; children: ComponentChildren }) {
  useWindow(title, app.icon);
  return (
    <div class="cover" data-view="cover">
      <Backdrop uid={uid} clear={clear} />
      <header class="cover-head">
        <Link to={{ view: "launcher" }} class="tool" label="All apps">
          <Icon name="back" />
        </Link>
        <AppIcon app={app} />
        <span class="title">{app.title}</span>
      </header>
      <main class="cover-main">{children}</main>
    </div>
  );
}

/** The last picture of a desktop over the whole page, out of focus unless it is what the page is about. */
function Backdrop({ uid, clear }: { uid: string; clear?: boolean | undefined }) {
  const picture = usePicture(uid, 1280, 24 * 3600_000, true, uid);
  if (!picture) return null;
  return <img class={clear ? "backdrop clear" : "backdrop"} src={picture} alt="" data-picture="last" />;
}
