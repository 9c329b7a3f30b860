import { describe, expect, it } from "vitest";
import { format, parse, type Route } from "./router";

describe.each(["/", "/a/b/"])("below %s", (root) => {
  it.each<[string, Route]>([
    ["", { view: "launcher" }],
    ["desktops", { view: "desktops", all: false }],
    ["desktops/all", { view: "desktops", all: true }],
    ["desktop/alice-2f9c", { view: "desktop", uid: "alice-2f9c" }],
    ["desktop/a%2Fb", { view: "desktop", uid: "a/b" }],
    ["view/k5x3", { view: "watch", token: "k5x3" }],
  ])("%s", (path, route) => {
    expect(parse(root, root + path)).toEqual(route);
    expect(format(root, route)).toBe(root + path);
  });

  it.each(["desktop", "desktop/", "desktop/a/b", "desktop/%", "desktops/", "desktops/some", "view/", "other"])("%s is no page", (path) => {
    expect(parse(root, root + path)).toEqual({ view: "unknown", path: root + path });
  });
});

it("knows nothing above its root", () => {
  expect(parse("/a/", "/b").view).toBe("unknown");
});
