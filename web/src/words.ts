import type { Desktop, Phase, State } from "./wire";

/** A span of time in a few words; `ms` below zero counts as zero. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

/** A countdown: "0:42", "12:05", "2 h 10 min". */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds >= 3600) return span(ms);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** How long ago something was, in words for a list. */
export function ago(ms: number): string {
  if (ms < 60_000) return "just now";
  return `${span(ms)} ago`;
}

/** A number of bytes for people: "3.4 MB". */
export function bytes(n: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${unit > 0 && n < 9.95 ? n.toFixed(1) : Math.round(n)} ${units[unit]}`;
}

/** "1 person", "3 people". */
export function people(n: number): string {
  return n === 1 ? "1 person" : `${n} people`;
}

/** What a state means to a person. */
export function stateWords(state: State): string {
  switch (state) {
    case "absent":
      return "Stopped";
    case "preparing":
      return "Getting the app";
    case "starting":
      return "Starting";
    case "ready":
      return "Running";
    case "occupied":
      return "In use";
    case "stopping":
      return "Stopping";
    case "failed":
      return "Failed";
  }
}

/** The steps of a start, in order. */
export const steps: { phase: Phase; title: string }[] = [
  { phase: "queued", title: "Waiting for its turn" },
  { phase: "settings", title: "Preparing the settings" },
  { phase: "image", title: "Getting the app" },
  { phase: "create", title: "Making a desktop for it" },
  { phase: "start", title: "Switching it on" },
  { phase: "ready", title: "Waiting for the first picture" },
];

/** What the step is that a failed start came to, as the end of "It failed while …". */
export function phaseWords(phase: string): string {
  switch (phase) {
    case "queued":
      return "while it waited for its turn";
    case "settings":
      return "while its settings were prepared";
    case "image":
      return "while the app was being fetched or built";
    case "create":
      return "while a desktop was being made for it";
    case "start":
      return "while it was being switched on";
    case "ready":
      return "while it was starting: it never showed a picture";
    case "running":
      return "while it was running";
    default:
      return "";
  }
}

/** Who is here, in words; empty when nobody is. */
export function company(desktop: Pick<Desktop, "viewers">): string {
  return desktop.viewers ? `${people(desktop.viewers)} here` : "";
}
