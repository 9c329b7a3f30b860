import { describe, expect, it } from "vitest";
import { byVariable, initial, read } from "./fields";
import type { Variable } from "./wire";

const variable = (rules: Partial<Variable>): Variable => ({ name: "X", type: "string", ...rules });

describe("read", () => {
  it.each<[string, Partial<Variable>, string, unknown]>([
    ["nothing leaves the default", {}, "", undefined],
    ["the default is not sent", { default: "a" }, "a", undefined],
    ["text as it is", {}, " a ", " a "],
    ["text of the pattern", { pattern: "[1-9][0-9]{2,3}x[1-9][0-9]{2,3}" }, "1280x800", "1280x800"],
    ["a pattern that JavaScript cannot read", { pattern: "(?i)abc" }, "ABC", "ABC"],
    ["a whole number", { type: "integer", min: 1, max: 9 }, " 7 ", 7],
    ["a number with a comma", { type: "number" }, "0,5", 0.5],
    ["an allowed number", { type: "integer", allowed: ["0", "1"] }, "1", 1],
    ["a truth", { type: "boolean", default: "false" }, "true", true],
    ["a list", { type: "list" }, "a\n b  c", ["a", "b", "c"]],
  ])("takes %s", (_, rules, entered, value) => expect(read(variable(rules), entered)).toEqual({ value }));

  it.each<[string, Partial<Variable>, string, RegExp]>([
    ["text beside the pattern", { pattern: "[a-z]+", default: "abc" }, "abc1", /An example: abc/],
    ["part of the pattern", { pattern: "a|bc" }, "bcd", /does not look right/],
    ["what is not allowed", { allowed: ["a", "b"] }, "c", /One of a, b/],
    ["too long a text", { max_length: 3 }, "abcd", /No more than 3 characters/],
    ["no number", { type: "integer" }, "x", /number/],
    ["no whole number", { type: "integer" }, "1.5", /whole number/],
    ["too small", { type: "number", min: 2 }, "1", /At least 2/],
    ["too large", { type: "number", min: 2, max: 3 }, "4", /Between 2 and 3/],
    ["a number that is not allowed", { type: "integer", allowed: ["0", "1"] }, "2", /One of 0, 1/],
    ["one wrong item", { type: "list", pattern: "https?://.+" }, "https://a\nftp://b", /“ftp:\/\/b”/],
    ["too many items", { type: "list", max_items: 1 }, "a b", /No more than 1/],
  ])("refuses %s", (_, rules, entered, message) => {
    const result = read(variable(rules), entered);
    expect("error" in result && result.error).toMatch(message);
  });
});

it("shows what was chosen before the default", () => {
  expect(initial(variable({ type: "list", default: "a b" }))).toBe("a\nb");
  expect(initial(variable({ type: "list", default: "a b" }), ["c", "d"])).toBe("c\nd");
  expect(initial(variable({ type: "integer", default: "1" }), 0)).toBe("0");
});

it("sorts the server's mistakes by variable", () => {
  const sorted = byVariable([{ location: "body.env.A", message: "a" }, { location: "body.env.A", message: "b" }, { location: "body.vm", message: "c" }, { message: "d" }]);
  expect([...sorted]).toEqual([
    ["A", "a b"],
    ["", "c d"],
  ]);
});
