interface Detail {
  message: string;
  location?: string;
}

/** Why a call failed, in words for a person: an RFC 9457 problem document or the page's own. */
export class Problem extends Error {
  readonly title: string;
  /** The HTTP status; 0 when no answer came at all. */
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly hint: string;
  readonly errors: Detail[];

  constructor(fields: {
    title: string;
    status?: number;
    detail?: string;
    code?: string;
    hint?: string;
    errors?: Detail[];
  }) {
    super(fields.detail || fields.title);
    this.name = "Problem";
    this.title = fields.title;
    this.status = fields.status ?? 0;
    this.detail = fields.detail ?? "";
    this.code = fields.code ?? "";
    this.hint = fields.hint ?? "";
    this.errors = fields.errors ?? [];
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function details(value: unknown): Detail[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item): Detail[] => {
    if (typeof item === "string") return [{ message: item }];
    const fields = (item ?? {}) as Record<string, unknown>;
    const message = text(fields["message"]) || text(fields["detail"]);
    if (!message) return [];
    const location = text(fields["location"]) || text(fields["pointer"]);
    return [location ? { message, location } : { message }];
  });
}

/** Reads the body of a failed answer; whatever it holds, a Problem comes out. */
export function problemFrom(status: number, body: string): Problem {
  let fields: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (parsed && typeof parsed === "object") fields = parsed as Record<string, unknown>;
  } catch {
    // A proxy's own error page, for example; the status still tells something.
  }
  return new Problem({
    title: text(fields["title"]) || `The server answered with status ${status}`,
    status,
    detail: text(fields["detail"]) || text(fields["details"]),
    code: text(fields["code"]),
    hint: text(fields["hint"]) || (status >= 502 && status <= 504 ? "Try again in a moment." : ""),
    errors: details(fields["errors"]),
  });
}

/** Turns anything thrown into a Problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({
    title: "Something went wrong in the page",
    detail: error instanceof Error ? error.message : String(error),
    hint: "Reload the page.",
  });
}

/** Whether the thing thrown only says that a view was left. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
