import { expect, it, vi } from "vitest";
import { Memory, newUID, withoutSecrets } from "./remember";

function storage(content: Record<string, string> = {}): Storage {
  const kept = new Map(Object.entries(content));
  return { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) } as unknown as Storage;
}

it("has the latest first, each once", () => {
  const memory = new Memory(storage());
  const changed = vi.fn();
  memory.addEventListener("change", changed);
  memory.use("a", "firefox");
  memory.use("b", "blender");
  memory.use("a", "firefox");
  expect(memory.all().map((known) => known.uid)).toEqual(["a", "b"]);
  memory.forget("a");
  expect(memory.all().map((known) => known.uid)).toEqual(["b"]);
  expect(memory.find("b")?.app).toBe("blender");
  expect(changed).toHaveBeenCalledTimes(4);
});

it("keeps the settings of a first start until it has run, and no secret", () => {
  const memory = new Memory(storage());
  const variables = [{ name: "ZOOM", type: "number" }, { name: "PASSWORD", type: "string", secret: true }] as const;
  memory.use("a", "firefox", withoutSecrets({ ZOOM: 2, PASSWORD: "secret" }, variables));
  memory.use("b", "firefox", { ZOOM: 3 });
  memory.use("a", "firefox");
  expect(memory.find("a")?.env).toEqual({ ZOOM: 2 });
  memory.ran("a");
  expect(memory.find("a")).not.toHaveProperty("env");
  expect(memory.find("b")?.env).toEqual({ ZOOM: 3 });
});

it("forgets the oldest", () => {
  const memory = new Memory(storage());
  for (let i = 0; i < 70; i++) memory.use(`u${i}`, "a");
  expect(memory.all()).toHaveLength(60);
  expect(memory.find("u9")).toBeUndefined();
});

it.each(["{", "3", "null", '[{"uid":3},null]'])("survives %s", (content) => {
  expect(new Memory(storage({ "sage-desktops": content })).all()).toEqual([]);
});

it("makes uids that the server takes", () => {
  expect(newUID()).toMatch(/^[a-z2-7]{26}$/);
  expect(newUID()).not.toBe(newUID());
});
