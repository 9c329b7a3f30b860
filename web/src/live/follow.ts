import type { Api } from "../api";
import { asProblem, type Problem } from "../problem";
import type { ServerEvent } from "../sse";
import { pause, visible, wait } from "../wait";

export interface Follower {
  /** The server listens: what was missed meanwhile can be asked for. */
  opened(): void;
  event(event: ServerEvent): void;
  /** The events have broken off; it is tried again. */
  broken(problem: Problem): void;
}

/**
 * Follows the events of one desktop, or of all, until the signal is aborted. It only listens while the page can be
 * seen: over HTTP/1.1 a browser has six connections to a server for all of its tabs, and a listener holds one.
 */
export async function follow(api: Api, uid: string | undefined, follower: Follower, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    await visible(signal);
    const looking = new AbortController();
    const away = () => document.hidden && looking.abort(new DOMException("the page is hidden", "AbortError"));
    document.addEventListener("visibilitychange", away, { signal: AbortSignal.any([signal, looking.signal]) });
    try {
      const opened = () => {
        failures = 0;
        follower.opened();
      };
      for await (const event of api.events(uid, AbortSignal.any([signal, looking.signal]), opened)) follower.event(event);
      failures++;
    } catch (error) {
      if (signal.aborted) return;
      if (looking.signal.aborted) continue;
      failures++;
      const problem = asProblem(error);
      follower.broken(problem);
      // Asking again does not mend these.
      if (problem.status === 401 || problem.status === 403) return;
    } finally {
      looking.abort();
    }
    await wait(Math.max(300, pause(failures)), signal);
  }
}
