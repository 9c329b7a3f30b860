import { useRef } from "preact/hooks";

import type { Stats } from "../wire";
import { usePolled, useSite } from "./hooks";

const everyMs = 2000;
/** How many measurements a chart shows. */
export const room = 60;

/** The latest measurements of a desktop, the newest last, while they are wanted; undefined where the server has none. */
export function useStats(uid: string, wanted: boolean): Stats[] | undefined {
  const { api } = useSite();
  const course = useRef<Stats[]>([]);
  const { value, problem } = usePolled((signal) => api.stats(uid, signal), everyMs, [uid], wanted);
  if (value && course.current.at(-1) !== value) course.current = [...course.current, value].slice(-room);
  return problem?.code === "unsupported" ? undefined : course.current;
}
