import { asProblem, isPassing, Problem } from "../problem";
import { pause, wait } from "../wait";
import type { Screen } from "./screen";

// A connection that held this long counts as good: the waits begin anew.
const steadyMs = 5000;

export interface ConnectionEvents {
  /** A connection is tried for the n-th time in a row, beginning with 0. */
  connecting(failures: number): void;
  connected(): void;
  clipboard(text: string): void;
  named(name: string): void;
}

/** Why the connecting has come to its end. */
export type Verdict =
  /** The desktop is no longer there; `cut` says that it went while nobody could see it. */
  | { kind: "gone"; cut: boolean }
  | { kind: "problem"; problem: Problem };

/**
 * Keeps a screen connected until the desktop is gone or the signal is aborted. `locate` gives the WebSocket's address,
 * or null when the desktop is not there any more; it is asked anew after every connection that ended. `hurry` ends a
 * wait between two tries.
 */
export async function keepConnected(
  screen: Screen,
  locate: (signal: AbortSignal) => Promise<string | null>,
  events: ConnectionEvents,
  hurry: EventTarget,
  signal: AbortSignal,
): Promise<Verdict> {
  let failures = 0;
  let cut = false;
  for (;;) {
    events.connecting(failures);
    try {
      const address = await locate(signal);
      if (address === null) return { kind: "gone", cut };
      let since = Infinity;
      const end = await screen.run(
        address,
        {
          ...events,
          connected: () => {
            since = performance.now();
            events.connected();
          },
        },
        signal,
      );
      signal.throwIfAborted();
      if (end.refused) {
        return { kind: "problem", problem: new Problem({ title: "The desktop lets nobody in", detail: end.refused, code: "refused" }) };
      }
      cut = end.cut;
      if (performance.now() - since > steadyMs) failures = 0;
    } catch (error) {
      signal.throwIfAborted();
      const problem = asProblem(error);
      if (!isPassing(problem)) return { kind: "problem", problem };
      // Whatever happens to the desktop meanwhile, nobody here saw it.
      cut = true;
    }
    failures++;
    events.connecting(failures);
    await pauseOrHurry(pause(failures), hurry, signal);
  }
}

async function pauseOrHurry(ms: number, hurry: EventTarget, signal: AbortSignal): Promise<void> {
  const hurried = new AbortController();
  hurry.addEventListener("hurry", () => hurried.abort(), { once: true, signal: AbortSignal.any([signal, hurried.signal]) });
  try {
    await wait(ms, AbortSignal.any([signal, hurried.signal]));
  } catch {
    signal.throwIfAborted();
  } finally {
    hurried.abort();
  }
}
