import { useCatalog, useSite } from "../live/hooks";
import { AppIcon } from "../parts/appicon";
import { Failure } from "../parts/failure";
import { Link } from "../parts/link";
import { Problem } from "../problem";
import { newUID } from "../remember";
import type { App } from "../wire";
import { Cover } from "./cover";

// More are in the way of the words.
const mostOffers = 6;

/** An address under which the server keeps nothing: says so, and offers apps. `app` has an id where this browser knows what it was. */
export function Unknown({ app, uid, start }: { app: App; uid: string; start: () => void }) {
  const { go } = useSite();
  const { apps } = useCatalog();
  return (
    <Cover app={app} title="No such desktop" uid={uid}>
      <Failure problem={new Problem({ title: "There is no such desktop", status: 404, code: "unknown_uid" })}>
        {app.id && (
          <button type="button" class="button primary" data-action="start-anew" onClick={start}>
            Start {app.title} anew
          </button>
        )}
        <Link class={app.id ? "button" : "button primary"} to={{ view: "launcher" }}>
          All apps
        </Link>
        {!app.id && apps && (
          <ul class="offers" aria-label="Apps">
            {apps.slice(0, mostOffers).map((offer) => (
              <li key={offer.id}>
                <button type="button" class="offer" data-app={offer.id} onClick={() => go({ view: "desktop", uid: newUID() }, { vm: offer.id })}>
                  <AppIcon app={offer} />
                  {offer.title}
                </button>
              </li>
            ))}
          </ul>
        )}
      </Failure>
    </Cover>
  );
}
