import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { shareClipboard } from "./clipboard";
import type { Screen } from "./screen";

const window = { target: new EventTarget() };
const target = new EventTarget();
const paste = vi.fn<(text: string) => void>();
const readText = vi.fn<() => Promise<string>>();
let end: AbortController;
let allowed: string;

function happen(where: EventTarget, type: string, more: object = {}): void {
  where.dispatchEvent(Object.assign(new Event(type), more));
}

// settled returns once all that was begun has ended.
const settled = () => new Promise((done) => setTimeout(done));

beforeEach(() => {
  end = new AbortController();
  allowed = "granted";
  window.target = new EventTarget();
  vi.stubGlobal("addEventListener", window.target.addEventListener.bind(window.target));
  vi.stubGlobal("document", new EventTarget());
  vi.stubGlobal("navigator", {
    permissions: { query: () => Promise.resolve({ state: allowed }) },
    clipboard: { readText },
  });
  readText.mockImplementation(() => Promise.resolve("a password"));
  shareClipboard({ target, focused: true, paste, send: () => undefined } as unknown as Screen, end.signal);
});

afterEach(() => {
  end.abort();
  vi.unstubAllGlobals();
  vi.clearAllMocks();
});

describe("shareClipboard", () => {
  it.each(["pointerenter", "pointermove", "pointerover", "focusin"])("reads nothing when there is only a %s", async (type) => {
    happen(target, type);
    happen(window.target, "focus");
    await settled();
    expect(readText).not.toHaveBeenCalled();
    expect(paste).not.toHaveBeenCalled();
  });

  it("hands the text over when somebody clicks in the desktop", async () => {
    happen(target, "pointerdown");
    await settled();
    expect(paste).toHaveBeenCalledExactlyOnceWith("a password");
  });

  it("hands the text over with the first key after the window came back", async () => {
    for (const code of ["KeyA", "KeyB", "KeyC"]) happen(target, "keydown", { code });
    await settled();
    expect(readText).toHaveBeenCalledTimes(1);
    readText.mockImplementation(() => Promise.resolve("another text"));
    happen(window.target, "focus");
    happen(target, "keydown", { code: "KeyD" });
    await settled();
    expect(paste.mock.calls).toEqual([["a password"], ["another text"]]);
  });

  it("asks nobody for the permission to read", async () => {
    allowed = "prompt";
    happen(target, "pointerdown");
    await settled();
    expect(readText).not.toHaveBeenCalled();
  });

  it("hands over what is pasted with the keyboard", async () => {
    happen(document, "paste", { clipboardData: { getData: () => "pasted" } });
    expect(paste).toHaveBeenCalledExactlyOnceWith("pasted");
    await settled();
    expect(readText).not.toHaveBeenCalled();
  });
});
