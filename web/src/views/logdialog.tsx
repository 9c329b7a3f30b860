import { useEffect, useRef } from "preact/hooks";

import { advise } from "../advice";
import { usePolled, useSite } from "../live/hooks";
import { Dialog } from "../parts/dialog";

const lines = 200;
const everyMs = 3000;

/** The last lines of a desktop's log, kept up to date. */
export function LogDialog({ uid, title, close }: { uid: string; title: string; close: () => void }) {
  const { api } = useSite();
  const { value, problem } = usePolled((signal) => api.logs(uid, lines, signal), everyMs, [uid]);
  const text = useRef<HTMLPreElement>(null);
  // Who reads further up is left there.
  const atEnd = useRef(true);
  useEffect(() => {
    const element = text.current;
    if (element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [value]);
  const scrolled = ({ currentTarget: { scrollHeight, scrollTop, clientHeight } }: { currentTarget: HTMLElement }) => {
    atEnd.current = scrollHeight - scrollTop - clientHeight < 40;
  };
  return (
    <Dialog title={`Log of ${title}`} wide close={close}>
      {problem && value === undefined ? (
        <p class="mistake" role="alert">
          {advise(problem).title}
        </p>
      ) : (
        <pre class="log tall" ref={text} onScroll={scrolled} tabIndex={0} aria-label={`The last ${lines} lines`}>
          {value === undefined ? "Loading…" : value || "It has not written anything yet."}
        </pre>
      )}
      <div class="actions end">
        <button type="button" class="button" autofocus onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
