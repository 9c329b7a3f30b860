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
    await expect(new Api(root, tokens()).start("firefox", signal)).resolves.toEqual({ url: "/stream/T", uid: "u1" });
    expect(seen).toEqual(["POST http://sage.test/base/api/vm/any/allocate application/json"]);
  });

  it("asks for a token until one is accepted", async () => {
    serve((request) =>
      request.headers.get("Authorization") === "Bearer right"
        ? Response.json(["u1"])
        : Response.json({ title: "Unauthorized" }, { status: 401 }),
    );
    const from = tokens("wrong", "right");
    await expect(new Api(root, from).list(signal)).resolves.toEqual(["u1"]);
    expect(from.asked).toEqual([false, true]);
  });

  it("gives up when no token is given", async () => {
    serve(() => Response.json({ title: "Unauthorized" }, { status: 401 }));
    await expect(new Api(root, tokens(null)).list(signal)).rejects.toMatchObject({ status: 401 });
  });

  it("escapes a uid", async () => {
    serve((request) => Response.json({ title: new URL(request.url).pathname }, { status: 404 }));
    await expect(new Api(root, tokens()).stream("a/b", signal)).rejects.toMatchObject({
      status: 404,
      title: "/base/api/vm/ws/a%2Fb",
    });
  });

  it.each([
    ["no answer at all", () => { throw new TypeError("offline"); }, 0],
    ["a page instead of JSON", () => new Response("<html>"), 200],
  ])("explains %s", async (_name, handler, status) => {
    serve(handler);
    const error: unknown = await new Api(root, tokens()).list(signal).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ status });
    expect((error as Problem).hint).not.toBe("");
  });
});
