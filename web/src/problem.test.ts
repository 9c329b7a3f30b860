import { describe, expect, it } from "vitest";
import { advise } from "./advice";
import { asProblem, isPassing, problemFrom, retryAfterSeconds } from "./problem";

describe("problemFrom", () => {
  it("reads a problem document", () => {
    const problem = problemFrom(
      503,
      JSON.stringify({ title: "At capacity", detail: "10 of 10", code: "at_capacity", limit: { name: "max_desktops", limit: 10, current: 10 } }),
      7,
    );
    expect(problem).toMatchObject({ status: 503, title: "At capacity", code: "at_capacity", retryAfter: 7, limit: { name: "max_desktops", limit: 10, current: 10 } });
    expect(isPassing(problem)).toBe(true);
    expect(advise(problem).text).toBe("10 of 10 desktops are in use.");
  });

  it("keeps why a start failed", () => {
    const reason = { phase: "image", message: "no such image", log: ["a"] };
    expect(problemFrom(404, JSON.stringify({ title: "Image not found", reason })).reason).toEqual(reason);
  });

  it("keeps single mistakes with their place", () => {
    const errors = [{ location: "body.env.A", message: "too long" }, { message: "all wrong" }, { location: "x" }, 3];
    expect(problemFrom(422, JSON.stringify({ errors })).errors).toEqual([{ location: "body.env.A", message: "too long" }, { message: "all wrong" }]);
  });

  it.each(["<html>Bad gateway</html>", "", "3", "null", "[]"])("makes a problem of %j", (body) => {
    expect(problemFrom(502, body)).toMatchObject({ status: 502, title: "The server answered with status 502", errors: [] });
  });
});

describe("retryAfterSeconds", () => {
  const now = Date.parse("2025-01-01T12:00:00Z");
  it.each([
    ["5", 5],
    ["Wed, 01 Jan 2025 12:00:30 GMT", 30],
    ["Wed, 01 Jan 2025 11:00:00 GMT", 0],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
  ])("%s", (header, seconds) => expect(retryAfterSeconds(header, now)).toBe(seconds));
});

it("turns anything thrown into words", () => {
  expect(advise(asProblem(new Error("boom")))).toMatchObject({ text: "boom", todo: "Reload the page." });
  expect(asProblem("boom").detail).toBe("boom");
});

it.each(["engine_unavailable", "at_capacity", "unauthorized", "unknown_uid", "unreachable", "something new"])("has advice for %s", (code) => {
  const { title, todo } = advise(problemFrom(500, JSON.stringify({ code, title: "T", detail: "D" })));
  expect(title).not.toBe("");
  expect(todo).not.toBe("");
});
