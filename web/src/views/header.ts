import { h } from "../dom";
import type { Page } from "../page";

/** The head of every page that is not a desktop. */
export function header(page: Page): HTMLElement {
  return h(
    "header",
    { class: "head" },
    h(
      "a",
      {
        class: "brand",
        href: page.root.href,
        onclick: (event) => {
          const click = event as MouseEvent;
          if (click.ctrlKey || click.metaKey || click.shiftKey) return;
          event.preventDefault();
          page.go({ view: "launcher" });
        },
      },
      h("img", { src: new URL("icon.svg", page.root).href, alt: "", width: 32, height: 32 }),
      "Sage",
    ),
  );
}
