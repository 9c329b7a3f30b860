import { describe, expect, it } from "vitest";
import { LeaveKey } from "./leavekey";

// A chord in short: "+C" presses Control, "-C" lets it go.
function play(chord: string): boolean {
  const names: Record<string, string> = { C: "Control", A: "Alt", S: "Shift" };
  const held = new Set<string>();
  const leave = new LeaveKey();
  return chord
    .split(" ")
    .map((step) => {
      const key = names[step.slice(1)] ?? step.slice(1);
      if (step[0] === "+") held.add(key);
      else held.delete(key);
      return leave.take({
        type: step[0] === "+" ? "keydown" : "keyup",
        key,
        ctrlKey: held.has("Control"),
        altKey: held.has("Alt"),
        shiftKey: held.has("Shift"),
      });
    })
    .at(-1)!;
}

describe("LeaveKey", () => {
  it.each([
    ["+C +A +S -S -A -C", true],
    ["+S +C +A -C -A -S", true],
    ["+C +A -A -C", false],
    ["+C +A +S +x -x -S -A -C", false],
    ["+C +A +S -S -A", false],
  ])("%s: %s", (chord, want) => expect(play(chord)).toBe(want));
});
