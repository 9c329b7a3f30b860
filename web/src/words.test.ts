import { describe, expect, it } from "vitest";
import { span } from "./words";

describe("span", () => {
  it.each([
    [-5, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_600_000, "1 h 0 min"],
    [47 * 3_600_000 + 61_000, "47 h 1 min"],
    [48 * 3_600_000, "2 days"],
  ])("%d ms is %s", (ms, want) => expect(span(ms)).toBe(want));
});
