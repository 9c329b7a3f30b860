import { h } from "../dom";
import type { Problem } from "../problem";

/** A problem in words, with what can be done about it. */
export function problemPanel(problem: Problem, ...actions: HTMLElement[]): HTMLElement {
  return h(
    "section",
    { class: "panel problem", role: "alert", "data-code": problem.code },
    h("h2", {}, problem.title),
    problem.detail && h("p", {}, problem.detail),
    problem.errors.length > 0 &&
      h(
        "ul",
        {},
        ...problem.errors.map((error) => h("li", {}, error.location ? `${error.location}: ${error.message}` : error.message)),
      ),
    problem.hint && h("p", { class: "hint" }, problem.hint),
    actions.length > 0 && h("div", { class: "actions" }, ...actions),
  );
}
