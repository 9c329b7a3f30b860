import type { Problem } from "./problem";

/** What a problem means to a person who knows nothing of containers, and what to do about it. */
export interface Advice {
  title: string;
  text: string;
  todo: string;
  /** The drawing beside it. */
  mood: "away" | "full" | "locked" | "lost" | "broken";
}

const limitNames: Record<string, string> = { max_desktops: "desktops", ports: "places" };

/** Puts a problem into plain words. */
export function advise(problem: Problem): Advice {
  switch (problem.code) {
    case "unreachable":
      return {
        title: "Sage does not answer",
        text: "This page cannot reach the server that it came from.",
        todo: "Check that this device is online. The page goes on trying by itself.",
        mood: "away",
      };
    case "engine_unavailable":
      return {
        title: "Desktops cannot be started right now",
        text: "The part of the server that runs desktops does not answer. Desktops that are open go on working.",
        todo: "This often mends itself; the page tries again. If it lasts, tell whoever runs this server.",
        mood: "away",
      };
    case "shutting_down":
      return {
        title: "Sage is being restarted",
        text: "The server takes no new desktops just now.",
        todo: "It is usually back within a minute; the page tries again.",
        mood: "away",
      };
    case "at_capacity":
      return { title: "All places are taken", text: places(problem), todo: "The page tries again by itself. Stopping a desktop that you no longer need makes room, too.", mood: "full" };
    case "engine_exhausted":
    case "ports_exhausted":
      return {
        title: "The server has no room left",
        text: places(problem),
        todo: "Try again when somebody has stopped a desktop. If it lasts, tell whoever runs this server.",
        mood: "full",
      };
    case "unauthorized":
      return {
        title: "You need a token",
        text: "This Sage only lets people in who have its token.",
        todo: "Ask whoever runs this server for it, then try again.",
        mood: "locked",
      };
    case "forbidden":
    case "origin_not_allowed":
    case "host_not_allowed":
      return {
        title: "You may not do this",
        text: problem.detail || "This Sage does not allow it for you.",
        todo: "Ask whoever runs this server.",
        mood: "locked",
      };
    case "unknown_uid":
    case "invalid_uid":
      return {
        title: "There is no such desktop",
        text: "Nothing is known under this address. It may have been deleted, or the address is not complete.",
        todo: "Check the address, or start an app anew.",
        mood: "lost",
      };
    case "unknown_app":
      return {
        title: "There is no such app",
        text: "The app of this desktop is no longer on offer here.",
        todo: "Choose another app, or ask whoever runs this server.",
        mood: "lost",
      };
    case "no_page":
      return { title: "There is no such page", text: problem.detail, todo: "Go back to the apps.", mood: "lost" };
    case "settings_not_saved":
      return {
        title: "The settings cannot be kept",
        text: "The server's disk may be full.",
        todo: "Tell whoever runs this server.",
        mood: "broken",
      };
    case "page":
      return { title: problem.title, text: problem.detail, todo: "Reload the page.", mood: "broken" };
    default:
      return { title: problem.title, text: problem.detail, todo: "Try again. If it happens again, tell whoever runs this server.", mood: "broken" };
  }
}

function places(problem: Problem): string {
  const { limit } = problem;
  if (!limit) return "It runs as many desktops as it can hold.";
  const name = limitNames[limit.name] ?? limit.name.replaceAll("_", " ");
  return `${limit.current} of ${limit.limit} ${name} are in use.`;
}
