import { readFileSync } from "node:fs";

import { afterEach, describe, expect, it, vi } from "vitest";
import { Api, type Tokens } from "./api";
import { Problem } from "./problem";

const root = new URL("http://sage.test/base/");

function tokens(...given: (string | null)[]): Tokens & { asked: boolean[] } {
  let current = "";
  const asked: boolean[] = [];
  return {
    asked,
    current: () => current,
    ask: async (refused) => {
      asked.push(refused);
      const next = given.shift() ?? null;
      if (next !== null) current = next;
      return next;
    },
  };
}

function serve(handler: (request: Request) => Response): void {
  vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => handler(new Request(url, init)));
}

afterEach(() => vi.unstubAllGlobals());

describe("Api", () => {
  const signal = new AbortController().signal;

  it("starts an app below the base path", async () => {
    const seen: string[] = [];
    serve((request) => {
      seen.push(`${request.method} ${request.url} ${request.headers.get("Content-Type")}`);
      return Response.json({ url: "/stream/T", uid: "u1" });
    });
    await expect(new Api(root, tokens()).start("u1", { vm: "firefox" }, signal)).resolves.toEqual({ url: "/stream/T", uid: "u1" });
    expect(seen).toEqual(["POST http://sage.test/base/api/vm/any/u1 application/json"]);
  });

  it("calls nothing but what the API's description has", async () => {
    const { paths } = JSON.parse(readFileSync(new URL("../../httpapi/openapi.json", import.meta.url), "utf8")) as { paths: Record<string, Record<string, unknown>> };
    const described = Object.entries(paths).flatMap(([path, calls]) => Object.keys(calls).map((method) => `${method.toUpperCase()} ${path.replace("{uid}", "u1")}`));
    const seen: string[] = [];
    serve((request) => {
      seen.push(`${request.method} ${new URL(request.url).pathname.replace(/^\/base/, "")}`);
      return Response.json({});
    });
    const api = new Api(root, tokens());
    const calls: Record<Exclude<keyof Api, symbol>, () => Promise<unknown>> = {
      catalog: () => api.catalog(signal),
      desktop: () => api.desktop("u1", signal),
      start: () => api.start("u1", {}, signal),
      stop: () => api.stop("u1", true, signal),
      restart: () => api.restart("u1", signal),
      stats: () => api.stats("u1", signal),
      logs: () => api.logs("u1", 10, signal),
      picture: () => api.picture("u1", 480, signal),
      ready: () => api.ready(signal),
      events: async () => {
        for (const uid of ["u1", undefined]) await api.events(uid, signal, () => undefined).next();
      },
    };
    for (const call of Object.values(calls)) await call();
    expect(seen).toHaveLength(Object.keys(calls).length + 1);
    for (const call of seen) expect(described).toContain(call);
  });

  it("asks for a token until one is accepted", async () => {
    serve((request) =>
      request.headers.get("Authorization") === "Bearer right" ? Response.json({ apps: [] }) : Response.json({ title: "Unauthorized" }, { status: 401 }),
    );
    const from = tokens("wrong", "right");
    await expect(new Api(root, from).catalog(signal)).resolves.toEqual([]);
    expect(from.asked).toEqual([false, true]);
  });

  it("gives up when no token is given", async () => {
    serve(() => Response.json({ title: "Unauthorized" }, { status: 401 }));
    await expect(new Api(root, tokens(null)).catalog(signal)).rejects.toMatchObject({ status: 401 });
  });

  it("escapes a uid", async () => {
    serve((request) => Response.json({ title: new URL(request.url).pathname }, { status: 404 }));
    await expect(new Api(root, tokens()).desktop("a/b", signal)).rejects.toMatchObject({ status: 404, title: "/base/api/vm/a%2Fb" });
  });

  it("takes a desktop that does not run for an answer", async () => {
    serve(() => Response.json({ title: "Not running", code: "not_running" }, { status: 404 }));
    await expect(new Api(root, tokens()).desktop("a", signal)).resolves.toBeNull();
  });

  it("tells when to ask again", async () => {
    serve(() => Response.json({ title: "Full", code: "at_capacity" }, { status: 503, headers: { "Retry-After": "7" } }));
    await expect(new Api(root, tokens()).catalog(signal)).rejects.toMatchObject({ code: "at_capacity", retryAfter: 7 });
  });

  it("reads events", async () => {
    serve((request) => new Response(`event: desktop\ndata: ${request.headers.get("Accept")}\n\n`));
    const opened = vi.fn();
    const events = [];
    for await (const event of new Api(root, tokens()).events("u", signal, opened)) events.push(event);
    expect(events).toEqual([{ event: "desktop", data: "text/event-stream" }]);
    expect(opened).toHaveBeenCalledOnce();
  });

  it.each([
    ["no answer at all", () => { throw new TypeError("offline"); }, 0],
    ["a page instead of JSON", () => new Response("<html>"), 200],
  ])("explains %s", async (_name, handler, status) => {
    serve(handler);
    const error: unknown = await new Api(root, tokens()).catalog(signal).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ status });
    expect((error as Problem).detail).not.toBe("");
  });
});
