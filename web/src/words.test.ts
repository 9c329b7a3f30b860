import { describe, expect, it } from "vitest";
import { bytes, company, countdown, span } from "./words";

it.each([
  [-5, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_600_000, "1 h"],
  [5_400_000, "1 h 30 min"],
  [48 * 3_600_000, "2 days"],
])("span of %d", (ms, words) => expect(span(ms)).toBe(words));

it.each([
  [-1, "0:00"],
  [41_200, "0:42"],
  [725_000, "12:05"],
  [7_800_000, "2 h 10 min"],
])("countdown of %d", (ms, words) => expect(countdown(ms)).toBe(words));

it.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1000, "1.0 kB"],
  [9_960, "10 kB"],
  [999_600, "1.0 MB"],
  [3_450_000, "3.5 MB"],
  [512_000_000, "512 MB"],
  [2.5e15, "2500 TB"],
])("%d bytes", (n, words) => expect(bytes(n)).toBe(words));

describe("company", () => {
  it.each([
    [{}, ""],
    [{ viewers: 1 }, "1 person here"],
    [{ viewers: 3 }, "3 people here"],
  ])("%j", (desktop, words) => expect(company(desktop)).toBe(words));
});
