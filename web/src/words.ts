import type { State } from "./wire";

/** A span of time in a few words; `ms` below zero counts as zero. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** What a state means to a person. */
export function stateWords(state: State): string {
  switch (state) {
    case "absent":
      return "not running";
    case "preparing":
      return "getting the image";
    case "starting":
      return "starting";
    case "ready":
      return "nobody is looking";
    case "occupied":
      return "in use";
    case "stopping":
      return "stopping";
    case "failed":
      return "failed";
  }
}

/** What to tell someone who has been waiting for a start. */
export function startWords(state: State | undefined, waitedMs: number): string {
  if (state === "preparing") return "Getting the app's image. The first time this can take minutes.";
  if (state === "stopping") return "The last one is still closing; a new one starts right after.";
  if (waitedMs < 4_000) return "Starting the container…";
  if (waitedMs < 15_000) return "Waiting for the desktop to show itself…";
  return "Still at it. The first start of an app takes longer, because its image is fetched or built first.";
}
