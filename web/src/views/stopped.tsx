import { Link } from "../parts/link";
import { AppIcon } from "../parts/appicon";
import type { App } from "../wire";
import { Cover } from "./cover";

/** A desktop that does not run: what it last looked like, and the way to start it again. */
export function Stopped({ app, uid, start }: { app: App; uid: string; start: () => void }) {
  return (
    <Cover app={app} title={`${app.title} is stopped`} uid={uid} clear>
      <section class="panel start" data-state="stopped">
        <AppIcon app={app} />
        <h1>{app.title} is stopped</h1>
        <p class="quiet">It was stopped, or nobody had looked at it for a while. Its settings and files are kept.</p>
        <div class="actions center">
          <button type="button" class="button primary" data-action="start-again" autofocus onClick={start}>
            Start again
          </button>
          <Link class="button" to={{ view: "launcher" }}>
            All apps
          </Link>
        </div>
      </section>
    </Cover>
  );
}
