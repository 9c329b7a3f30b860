import type { Reason } from "./wire";

/** One mistake of a request; `location` is where, for example "body.env.NAME". */
export interface Mistake {
  message: string;
  location?: string;
}

/** The limit that a request met. */
export interface Limit {
  name: string;
  limit: number;
  current: number;
}

/** Why a call failed: an RFC 9457 problem document or the page's own. */
export class Problem extends Error {
  readonly title: string;
  /** The HTTP status; 0 when no answer came at all. */
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors: Mistake[];
  readonly reason: Reason | undefined;
  readonly limit: Limit | undefined;
  /** In seconds, from Retry-After; undefined when the server did not say. */
  readonly retryAfter: number | undefined;

  constructor(fields: {
    title: string;
    status?: number;
    detail?: string;
    code?: string;
    errors?: Mistake[];
    reason?: Reason;
    limit?: Limit;
    retryAfter?: number;
  }) {
    super(fields.detail || fields.title);
    this.name = "Problem";
    this.title = fields.title;
    this.status = fields.status ?? 0;
    this.detail = fields.detail ?? "";
    this.code = fields.code ?? "";
    this.errors = fields.errors ?? [];
    this.reason = fields.reason;
    this.limit = fields.limit;
    this.retryAfter = fields.retryAfter;
  }
}

/** The code of the page's own problem for a call that nobody answered. */
export const unreachable = "unreachable";

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function object(value: unknown): Record<string, unknown> | undefined {
  return value && typeof value === "object" ? (value as Record<string, unknown>) : undefined;
}

function mistakes(value: unknown): Mistake[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item): Mistake[] => {
    const fields = object(item) ?? {};
    const message = text(fields["message"]);
    const location = text(fields["location"]);
    if (!message) return [];
    return [location ? { message, location } : { message }];
  });
}

function limitOf(value: unknown): Limit | undefined {
  const fields = object(value);
  if (!fields || typeof fields["limit"] !== "number") return undefined;
  return { name: text(fields["name"]), limit: fields["limit"], current: Number(fields["current"]) || 0 };
}

/** Seconds of a Retry-After header (RFC 9110, section 10.2.3) in either of its forms. */
export function retryAfterSeconds(header: string | null, now: number): number | undefined {
  if (!header) return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}

/** Reads the body of a failed answer; whatever it holds, a Problem comes out. */
export function problemFrom(status: number, body: string, retryAfter?: number): Problem {
  let fields: Record<string, unknown> = {};
  try {
    fields = object(JSON.parse(body)) ?? {};
  } catch {
    // A proxy's own error page, for example; the status still tells something.
  }
  const reason = object(fields["reason"]) as Reason | undefined;
  const limit = limitOf(fields["limit"]);
  return new Problem({
    title: text(fields["title"]) || `The server answered with status ${status}`,
    status,
    detail: text(fields["detail"]),
    code: text(fields["code"]),
    errors: mistakes(fields["errors"]),
    ...(reason && { reason }),
    ...(limit && { limit }),
    ...(retryAfter !== undefined && { retryAfter }),
  });
}

/** Turns anything thrown into a Problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({
    title: "Something went wrong in the page",
    detail: error instanceof Error ? error.message : String(error),
    code: "page",
  });
}

/** Whether waiting may mend it: no answer, an engine that is away, or no room. */
export function isPassing(problem: Problem): boolean {
  return problem.code === unreachable || [429, 502, 503, 504].includes(problem.status);
}
