const modifiers = new Set(["Control", "Alt", "Shift"]);

/**
 * Recognises Ctrl+Alt+Shift pressed together and let go with no other key in
 * between: the way out of a desktop that takes every other key. It waits for
 * the release so that the desktop sees it too and no modifier hangs there.
 */
export class LeaveKey {
  #armed = false;

  /** Takes a keydown or keyup; true when the chord is complete. */
  take(event: Pick<KeyboardEvent, "type" | "key" | "ctrlKey" | "altKey" | "shiftKey">): boolean {
    if (event.type === "keydown") {
      // With Shift held, some browsers name the Alt key "Meta".
      this.#armed = (modifiers.has(event.key) || event.key === "Meta") && event.ctrlKey && event.altKey && event.shiftKey;
      return false;
    }
    if (!this.#armed || event.ctrlKey || event.altKey || event.shiftKey) return false;
    this.#armed = false;
    return true;
  }
}
