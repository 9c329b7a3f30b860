import { useContext, useEffect, useRef, useState } from "preact/hooks";

import { asProblem, type Problem } from "../problem";
import type { Remembered } from "../remember";
import { SiteContext, type Site } from "../site";
import { visible, wait } from "../wait";
import type { App, Desktop } from "../wire";
import { follow } from "./follow";

export function useSite(): Site {
  return useContext(SiteContext)!;
}

/** Runs something for as long as the component is shown and the dependencies stay; its failures but its end are problems. */
export function useTask(run: (signal: AbortSignal) => Promise<void>, deps: unknown[], failed?: (problem: Problem) => void): void {
  useEffect(() => {
    const leave = new AbortController();
    run(leave.signal).catch((error: unknown) => {
      if (!leave.signal.aborted) failed?.(asProblem(error));
    });
    return () => leave.abort(new DOMException("the view was left", "AbortError"));
  }, deps);
}

const notImplemented = 501;

/** Asks again and again while the page can be seen; `every` is in milliseconds. */
export function usePolled<T>(ask: (signal: AbortSignal) => Promise<T>, every: number, deps: unknown[], enabled = true): { value: T | undefined; problem: Problem | undefined } {
  const [state, setState] = useState<{ value: T | undefined; problem: Problem | undefined }>({ value: undefined, problem: undefined });
  useTask(
    async (signal) => {
      while (enabled) {
        await visible(signal);
        try {
          const value = await ask(signal);
          setState({ value, problem: undefined });
        } catch (error) {
          signal.throwIfAborted();
          const problem = asProblem(error);
          setState((last) => ({ ...last, problem }));
          // What this server cannot do, it cannot do later either.
          if (problem.status === notImplemented) return;
        }
        await wait(every, signal);
      }
    },
    [...deps, enabled],
  );
  return state;
}

/** The catalog; undefined until it is there. */
export function useCatalog(): { apps: App[] | undefined; problem: Problem | undefined; again(): void } {
  const site = useSite();
  const [apps, setApps] = useState<App[]>();
  const [problem, setProblem] = useState<Problem>();
  const [tries, setTries] = useState(0);
  useTask(
    async (signal) => {
      setApps(await site.catalog(signal));
      setProblem(undefined);
    },
    [tries],
    setProblem,
  );
  return { apps, problem, again: () => setTries(tries + 1) };
}

/**
 * One desktop as the server tells it, at once and after every change; undefined until the first word. `tell` is for
 * what a call has answered meanwhile; null is a desktop that does not run.
 */
export function useDesktop(uid: string): { desktop: Desktop | undefined; problem: Problem | undefined; tell(told: Desktop | null): void } {
  const { api } = useSite();
  const [desktop, setDesktop] = useState<Desktop>();
  const [problem, setProblem] = useState<Problem>();
  useTask(
    (signal) =>
      follow(
        api,
        uid,
        {
          opened: () => setProblem(undefined),
          event: ({ event, data }) => event === "desktop" && setDesktop(JSON.parse(data) as Desktop),
          broken: setProblem,
        },
        signal,
      ),
    [uid],
    setProblem,
  );
  return { desktop, problem, tell: (told) => setDesktop((last) => told ?? { uid, app: last?.app ?? "", state: "absent" }) };
}

// How long the first events may take after the beginning of the stream that brings them.
const settleMs = 50;

/** Every desktop that the person may see, by uid; undefined until the first word. */
export function useDesktops(): { desktops: Map<string, Desktop> | undefined; problem: Problem | undefined } {
  const { api } = useSite();
  const [desktops, setDesktops] = useState<Map<string, Desktop>>();
  const [problem, setProblem] = useState<Problem>();
  useTask(
    async (signal) => {
      const all = new Map<string, Desktop>();
      const show = () => setDesktops(new Map(all));
      await follow(
        api,
        undefined,
        {
          // What there is comes with the beginning, so that nothing at all is nothing to tell.
          opened: () => {
            all.clear();
            setTimeout(show, settleMs);
            setProblem(undefined);
          },
          event: ({ event, data }) => {
            const told = JSON.parse(data) as Desktop;
            if (event === "gone") all.delete(told.uid);
            else if (event === "desktop") all.set(told.uid, told);
            show();
          },
          broken: setProblem,
        },
        signal,
      );
    },
    [],
    setProblem,
  );
  return { desktops, problem };
}

/** The desktops that this browser has used; follows what other tabs do. */
export function useRemembered(): Remembered[] {
  const { memory } = useSite();
  const [all, setAll] = useState(() => memory.all());
  useEffect(() => {
    const update = () => setAll(memory.all());
    memory.addEventListener("change", update);
    addEventListener("storage", update);
    return () => {
      memory.removeEventListener("change", update);
      removeEventListener("storage", update);
    };
  }, [memory]);
  return all;
}

/** The time, told again every so many milliseconds. */
export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** Whether the element has ever come into sight, and whether it is in sight now. */
export function useInSight<E extends Element>(): [{ current: E | null }, boolean] {
  const element = useRef<E>(null);
  const [inSight, setInSight] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setInSight(entries.at(-1)?.isIntersecting ?? false), { rootMargin: "100px" });
    if (element.current) observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, inSight];
}
