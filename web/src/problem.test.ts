import { describe, expect, it } from "vitest";
import { asProblem, problemFrom } from "./problem";

describe("problemFrom", () => {
  it("reads a problem document", () => {
    const body = JSON.stringify({
      title: "Unknown app",
      detail: 'no app "x" in the catalog',
      code: "app_unknown",
      hint: "see /api/catalog",
      errors: [{ message: "not in the catalog", location: "body.vm", value: "x" }],
    });
    expect(problemFrom(404, body)).toMatchObject({
      title: "Unknown app",
      status: 404,
      detail: 'no app "x" in the catalog',
      code: "app_unknown",
      hint: "see /api/catalog",
      errors: [{ message: "not in the catalog", location: "body.vm" }],
    });
  });

  it.each([
    ["an empty body", ""],
    ["a page of a proxy", "<html>bad gateway</html>"],
    ["null", "null"],
    ["fields of wrong types", '{"title":7,"detail":{},"errors":"x"}'],
  ])("survives %s", (_name, body) => {
    const problem = problemFrom(502, body);
    expect(problem.title).toContain("502");
    expect(problem.hint).not.toBe("");
    expect(problem.errors).toEqual([]);
  });

  it("takes the older field for the detail", () => {
    expect(problemFrom(404, '{"details":"container not running"}').detail).toBe("container not running");
  });
});

describe("asProblem", () => {
  it("keeps a problem and wraps the rest", () => {
    const problem = problemFrom(500, "");
    expect(asProblem(problem)).toBe(problem);
    expect(asProblem(new Error("boom")).detail).toBe("boom");
    expect(asProblem("boom").detail).toBe("boom");
  });
});
