import { keys } from "./keys";
import type { Screen } from "./screen";

/** Reads this device's clipboard where the browser allows it without a question; "" where not. */
async function readQuietly(): Promise<string> {
  try {
    // Not in every browser; TypeScript's list of names lacks it.
    const { state } = await navigator.permissions.query({ name: "clipboard-read" as PermissionName });
    return state === "granted" ? await navigator.clipboard.readText() : "";
  } catch {
    return "";
  }
}

/**
 * Keeps the clipboards of the device and the desktop alike, as far as the browser lets it: what is pasted with the
 * keyboard always arrives, and where the page may read the clipboard, its content is there as soon as somebody clicks or
 * types in the desktop. Nothing leaves the device before that: a pointer that only passes by, or a window that comes to the
 * front, is nobody's wish to hand over what was copied elsewhere.
 */
export function shareClipboard(screen: Screen, signal: AbortSignal): { received(text: string): void } {
  let last = "";
  const give = (text: string) => {
    if (!text || text === last) return;
    last = text;
    screen.paste(text);
  };
  const refresh = () => void readQuietly().then((text) => signal.aborted || give(text));
  // noVNC takes these events for itself, so they are seen on their way to it.
  screen.target.addEventListener("pointerdown", refresh, { capture: true, signal });
  // Of the keys, the first one after the desktop or the window was entered: another program may have copied meanwhile.
  let entered = true;
  const enter = () => (entered = true);
  addEventListener("focus", enter, { signal });
  screen.target.addEventListener("focusin", enter, { signal });
  screen.target.addEventListener(
    "keydown",
    () => {
      if (entered) refresh();
      entered = false;
    },
    { capture: true, signal },
  );

  // noVNC would keep the browser from pasting. So the key is held back until the browser has said what was pasted.
  let held = false;
  const release = () => {
    held = false;
    screen.send(keys.v);
  };
  addEventListener(
    "keydown",
    (event) => {
      if (event.code !== "KeyV" || !event.ctrlKey || event.altKey || event.shiftKey || event.metaKey || !screen.focused) return;
      held = true;
      event.stopImmediatePropagation();
    },
    { capture: true, signal },
  );
  addEventListener(
    "keyup",
    (event) => {
      if (event.code !== "KeyV" || !held) return;
      // The browser pasted nothing: the key goes on its way.
      release();
    },
    { capture: true, signal },
  );
  document.addEventListener(
    "paste",
    (event) => {
      if (!screen.focused) return;
      event.preventDefault();
      give(event.clipboardData?.getData("text/plain") ?? "");
      if (held) release();
    },
    { signal },
  );

  return {
    received(text) {
      last = text;
      // Needs a secure page and the browser's consent; the panel is there without.
      navigator.clipboard?.writeText(text).catch(() => undefined);
    },
  };
}
