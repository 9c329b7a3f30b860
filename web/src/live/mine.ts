import { useState } from "preact/hooks";

import { asProblem } from "../problem";
import { visible, wait } from "../wait";
import type { Desktop } from "../wire";
import { useRemembered, useSite, useTask } from "./hooks";

const everyMs = 4000;

/**
 * What the desktops that this browser has used are doing, by uid; those that do not run are missing. They are asked for
 * one by one, because not everybody may see the list of all.
 */
export function useMine(): ReadonlyMap<string, Desktop> {
  const { api, memory } = useSite();
  const [desktops, setDesktops] = useState<ReadonlyMap<string, Desktop>>(new Map());
  const uids = useRemembered()
    .map((known) => known.uid)
    .sort()
    .join(" ");
  useTask(
    async (signal) => {
      for (;;) {
        await visible(signal);
        try {
          const told = await Promise.all(memory.all().map(({ uid }) => api.desktop(uid, signal)));
          setDesktops(new Map(told.filter((desktop) => desktop !== null).map((desktop) => [desktop.uid, desktop])));
        } catch (error) {
          signal.throwIfAborted();
          // The page says elsewhere that Sage is away; without a token there is no use in asking on.
          if (asProblem(error).status === 401) return;
        }
        await wait(everyMs, signal);
      }
    },
    [uids],
  );
  return desktops;
}
