import type { ComponentChildren } from "preact";

import { useSite } from "../live/hooks";
import type { Route } from "../router";
import { Icon, type IconName } from "./icon";
import { Link } from "./link";

type Place = "apps" | "mine" | "all" | "none";

const places: { place: Place; to: Route; title: string; icon: IconName }[] = [
  { place: "apps", to: { view: "launcher" }, title: "Apps", icon: "plus" },
  { place: "mine", to: { view: "desktops", all: false }, title: "My desktops", icon: "screen" },
  { place: "all", to: { view: "desktops", all: true }, title: "All desktops", icon: "people" },
];

/** Every page that is not a desktop: its head with the ways to go, and its content. */
export function Sheet({ place, narrow, children }: { place: Place; narrow?: boolean; children: ComponentChildren }) {
  const { root } = useSite();
  return (
    <div class="sheet">
      <header class="head">
        <Link to={{ view: "launcher" }} class="brand">
          <img src={new URL("icon.svg", root).href} alt="" width={32} height={32} />
          <span>Sage</span>
        </Link>
        <nav class="places" aria-label="Pages">
          {places.map(({ place: here, to, title, icon }) => (
            <Link key={here} to={to} current={here === place} class="place">
              <Icon name={icon} />
              <span>{title}</span>
            </Link>
          ))}
        </nav>
      </header>
      <main class={narrow ? "narrow" : undefined}>{children}</main>
    </div>
  );
}
