import { describe, expect, it } from "vitest";
import { socketAddress, streamOf, tokenOf, under } from "./address";

describe("under", () => {
  it.each([
    ["https://host/", "api/catalog", "https://host/api/catalog"],
    ["https://host/", "/stream/T", "https://host/stream/T"],
    ["https://host/a/b/", "/stream/T", "https://host/a/b/stream/T"],
    ["https://host/", "//elsewhere/x", "https://host/elsewhere/x"],
  ])("%s and %s", (root, path, want) => {
    expect(under(new URL(root), path).href).toBe(want);
  });
});

describe("socketAddress", () => {
  it.each([
    ["http://127.0.0.1:4024/", "/stream/T", "ws://127.0.0.1:4024/stream/T/vnc"],
    ["https://host/sage/", "/stream/T/", "wss://host/sage/stream/T/vnc"],
  ])("%s and %s", (root, url, want) => {
    expect(socketAddress(new URL(root), url, "vnc")).toBe(want);
  });
});

it.each(["k5x3", "a b"])("a token %s stays itself", (token) => {
  expect(decodeURIComponent(tokenOf(streamOf(token)))).toBe(token);
});
