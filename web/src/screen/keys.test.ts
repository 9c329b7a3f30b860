import { expect, it } from "vitest";
import { keyOf, typed } from "./keys";

it.each([
  ["a", 0x61],
  ["é", 0xe9],
  ["€", 0x010020ac],
  ["😀", 0x0101f600],
  ["\n", 0xff0d],
])("%s", (character, keysym) => expect(keyOf(character).keysym).toBe(keysym));

const backspace = 0xff08;

it.each([
  ["", "ab", [0x61, 0x62]],
  ["__", "_", [backspace]],
  ["_teh", "_the", [backspace, backspace, 0x68, 0x65]],
  ["_a", "_a", []],
  ["_😀", "_", [backspace]],
])("from %s to %s", (before, after, keysyms) => expect(typed(before, after).map((key) => key.keysym)).toEqual(keysyms));
