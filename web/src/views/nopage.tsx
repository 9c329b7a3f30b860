import { useWindow } from "../live/window";
import { Failure } from "../parts/failure";
import { Link } from "../parts/link";
import { Sheet } from "../parts/sheet";
import { Problem } from "../problem";

/** An address that the page does not know. */
export function NoPage({ path }: { path: string }) {
  useWindow("No such page");
  return (
    <Sheet place="none" narrow>
      <Failure problem={new Problem({ title: "There is no such page", status: 404, code: "no_page", detail: `Nothing is to be found at ${path}.` })}>
        <Link class="button primary" to={{ view: "launcher" }}>
          All apps
        </Link>
      </Failure>
    </Sheet>
  );
}
