import { describe, expect, it } from "vitest";
import { format, parse, type Route } from "./router";

const routes: [string, string, Route][] = [
  ["/", "/", { view: "launcher" }],
  ["/", "/desktop/alice-2f9c", { view: "desktop", uid: "alice-2f9c" }],
  ["/sage/", "/sage/", { view: "launcher" }],
  ["/sage/", "/sage/desktop/a%2Fb", { view: "desktop", uid: "a/b" }],
];

describe.each(routes)("below %s: %s", (root, path, route) => {
  it("is read", () => expect(parse(root, path)).toEqual(route));
  it("is written", () => expect(format(root, route)).toBe(path));
});

describe("parse", () => {
  it.each([
    ["/", "/desktop/"],
    ["/", "/desktop/a/b"],
    ["/", "/desktop/%E0%A4%A"],
    ["/", "/other"],
    ["/sage/", "/"],
  ])("below %s: %s is unknown", (root, path) => {
    expect(parse(root, path)).toEqual({ view: "unknown", path });
  });
});
