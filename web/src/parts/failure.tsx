import type { ComponentChildren } from "preact";

import { advise } from "../advice";
import type { Problem } from "../problem";
import { useNow } from "../live/hooks";
import { useState } from "preact/hooks";
import { Icon, type IconName } from "./icon";

const moods: Record<ReturnType<typeof advise>["mood"], IconName> = {
  away: "cloud",
  full: "people",
  locked: "lock",
  lost: "search",
  broken: "alert",
};

/** A problem in plain words, with what can be done about it and, folded away, what the server said. */
export function Failure({ problem, children }: { problem: Problem; children?: ComponentChildren }) {
  const { title, text, todo, mood } = advise(problem);
  const said = problem.detail && problem.detail !== text ? problem.detail : "";
  return (
    <section class="panel failure" role="alert" data-code={problem.code} data-mood={mood}>
      <span class="badge">
        <Icon name={moods[mood]} />
      </span>
      <h1>{title}</h1>
      {text && <p>{text}</p>}
      {problem.errors.length > 0 && (
        <ul class="mistakes">
          {problem.errors.map((mistake) => (
            <li>{mistake.message}</li>
          ))}
        </ul>
      )}
      <p class="quiet">{todo}</p>
      {children && <div class="actions">{children}</div>}
      {said && (
        <details>
          <summary>What the server said</summary>
          <p class="said">
            {said} {problem.code && <code>{problem.code}</code>}
          </p>
        </details>
      )}
    </section>
  );
}

/** Counts down to a further try and makes it; the person may be quicker. */
export function Retry({ after, again }: { after: number; again: () => void }) {
  const [until] = useState(() => Date.now() + after * 1000);
  const left = Math.ceil((until - useNow(250)) / 1000);
  const [done, setDone] = useState(false);
  if (left <= 0 && !done) {
    setDone(true);
    queueMicrotask(again);
  }
  return (
    <button type="button" class="button primary" onClick={again}>
      Try again <span aria-hidden="true">{left > 0 ? `(${left} s)` : ""}</span>
    </button>
  );
}
