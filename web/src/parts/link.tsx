import type { ComponentChildren } from "preact";

import { useSite } from "../live/hooks";
import type { Route } from "../router";

/** A link to another view: an ordinary address that can be opened in a new tab, too. */
export function Link({ to, class: name, current, label, children }: { to: Route; class?: string; current?: boolean; label?: string; children: ComponentChildren }) {
  const site = useSite();
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    site.go(to);
  };
  return (
    <a class={name} href={site.href(to)} onClick={follow} aria-current={current ? "page" : undefined} aria-label={label}>
      {children}
    </a>
  );
}
