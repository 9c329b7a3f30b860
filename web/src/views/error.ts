import { h } from "../dom";
import type { View } from "../page";
import type { Problem } from "../problem";
import { header } from "./header";
import { problemPanel } from "./panel";

/** A whole page for a problem; `again` is the view to try once more. */
export function failure(problem: Problem, again?: View): View {
  return async (page) => {
    const retry = again && h("button", { class: "button primary", onclick: () => page.replace(again) }, "Try again");
    const home = h("button", { class: "button", onclick: () => page.go({ view: "launcher" }) }, "All apps");
    page.favicon("");
    page.show(
      "error",
      problem.title,
      h("div", { class: "sheet" }, header(page), h("main", { class: "narrow" }, problemPanel(problem, ...(retry ? [retry] : []), home))),
    );
    (retry ?? home).focus();
  };
}
