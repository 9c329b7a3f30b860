import { Icon } from "../parts/icon";
import { Link } from "../parts/link";
import type { App, Reason } from "../wire";
import { phaseWords } from "../words";

interface StartFailureProps {
  app: App;
  reason: Reason;
  again: () => void;
  /** Lets the person change the settings first, where there are any. */
  change?: (() => void) | undefined;
}

/** A start that failed, or a desktop that ended: how far it came, why, its last words, and what to do. */
export function StartFailure({ app, reason, again, change }: StartFailureProps) {
  const { why, todo } = explain(reason);
  const when = phaseWords(reason.phase);
  return (
    <section class="panel failure" role="alert" data-code="start_failed" data-phase={reason.phase} data-mood="broken">
      <span class="badge">
        <Icon name="alert" />
      </span>
      <h1>{reason.phase === "running" ? `${app.title} has ended` : `${app.title} did not start`}</h1>
      {when && <p class="when">It failed {when}.</p>}
      <p>{why}</p>
      <p class="quiet">{todo}</p>
      <div class="actions">
        <button type="button" class="button primary" data-action="retry" onClick={again}>
          Try again
        </button>
        {change && (
          <button type="button" class="button" data-action="change" onClick={change}>
            Change the settings
          </button>
        )}
        <Link class="button" to={{ view: "launcher" }}>
          All apps
        </Link>
      </div>
      {reason.message && (
        <details>
          <summary>What the server said</summary>
          <p class="said">{reason.message}</p>
        </details>
      )}
      {reason.log && reason.log.length > 0 && (
        <details open>
          <summary>Its last words</summary>
          <pre class="log" tabIndex={0} aria-label="The last lines of its log">
            {reason.log.join("\n")}
          </pre>
        </details>
      )}
    </section>
  );
}

function explain(reason: Reason): { why: string; todo: string } {
  const tellSomebody = "If it happens again, tell whoever runs this server and show them the lines below.";
  if (reason.oom_killed) {
    return { why: "It needed more memory than it may have.", todo: "Start it again and open less at the same time, or ask whoever runs this server for more memory." };
  }
  switch (reason.phase) {
    case "settings":
      return { why: "Its settings could not be prepared.", todo: `Check the settings. ${tellSomebody}` };
    case "image":
      return { why: "The app itself is not on the server and could not be brought there.", todo: "Trying again helps when the network was the reason. Otherwise whoever runs this server has to provide it." };
    case "create":
    case "start":
      return { why: "The server could not make room for it.", todo: `Try again in a moment. ${tellSomebody}` };
    default:
      if (reason.exit_code === 0) return { why: "The app ended by itself.", todo: "Start it again." };
      if (reason.exit_code !== undefined) return { why: `The app ended with an error (number ${reason.exit_code}).`, todo: `Try again. ${tellSomebody}` };
      return { why: "It took longer than it may.", todo: `Try again: a busy server is slow at times. ${tellSomebody}` };
  }
}
