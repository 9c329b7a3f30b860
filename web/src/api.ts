import { under } from "./address";
import { Problem, problemFrom } from "./problem";
import type { Catalog, Desktop, Stream } from "./wire";

/** Where the API token comes from and goes to when the server asks for one. */
export interface Tokens {
  current(): string;
  /** Asks the person; `refused` says that the last one was not accepted. Null: not given. */
  ask(refused: boolean): Promise<string | null>;
}

/** Sage's public API. Every method throws a Problem, or an AbortError when the signal says so. */
export class Api {
  readonly #root: URL;
  readonly #tokens: Tokens;

  /** `root` is where Sage lives. */
  constructor(root: URL, tokens: Tokens) {
    this.#root = root;
    this.#tokens = tokens;
  }

  async catalog(signal: AbortSignal): Promise<Catalog> {
    return this.#json("GET", "api/catalog", signal);
  }

  async list(signal: AbortSignal): Promise<string[]> {
    return this.#json("GET", "api/vm/list", signal);
  }

  async desktop(uid: string, signal: AbortSignal): Promise<Desktop> {
    return this.#json("GET", `api/vm/${encodeURIComponent(uid)}`, signal);
  }

  /** The stream of a running desktop; status 404 when it does not run. */
  async stream(uid: string, signal: AbortSignal): Promise<Stream> {
    const answer = await this.#json<{ url: string }>("GET", `api/vm/ws/${encodeURIComponent(uid)}`, signal);
    return { url: answer.url, uid };
  }

  /** Starts a new desktop and answers when it is ready. */
  async start(app: string, signal: AbortSignal): Promise<Stream> {
    return this.#json("POST", "api/vm/any/allocate", signal, { vm: app });
  }

  /** Starts a known desktop again, with its saved settings and home. */
  async restart(uid: string, signal: AbortSignal): Promise<Stream> {
    return this.#json("POST", `api/vm/any/${encodeURIComponent(uid)}`, signal, {});
  }

  /** Stops a desktop; its home stays. */
  async stop(uid: string, signal: AbortSignal): Promise<void> {
    await this.#call("DELETE", `api/vm/${encodeURIComponent(uid)}`, signal);
  }

  async #json<T>(method: string, path: string, signal: AbortSignal, body?: unknown): Promise<T> {
    const answer = await this.#call(method, path, signal, body);
    try {
      return (await answer.json()) as T;
    } catch (error) {
      signal.throwIfAborted();
      throw new Problem({
        title: "The answer is not what Sage would say",
        status: answer.status,
        detail: `${method} ${path}: ${error instanceof Error ? error.message : String(error)}`,
        hint: "Check that a proxy in between passes /api on to Sage.",
      });
    }
  }

  async #call(method: string, path: string, signal: AbortSignal, body?: unknown): Promise<Response> {
    for (;;) {
      const token = this.#tokens.current();
      const answer = await this.#fetch(method, path, signal, token, body);
      if (answer.ok) return answer;
      const problem = problemFrom(answer.status, await answer.text().catch(() => ""));
      if (answer.status !== 401) throw problem;
      // Another call may have got a new token meanwhile: then just try it.
      if (token === this.#tokens.current() && (await this.#tokens.ask(token !== "")) === null) throw problem;
      signal.throwIfAborted();
    }
  }

  async #fetch(
    method: string,
    path: string,
    signal: AbortSignal,
    token: string,
    body?: unknown,
  ): Promise<Response> {
    const headers = new Headers({ Accept: "application/json, application/problem+json" });
    if (token) headers.set("Authorization", `Bearer ${token}`);
    const init: RequestInit = { method, headers, signal, cache: "no-store" };
    if (body !== undefined) {
      headers.set("Content-Type", "application/json");
      init.body = JSON.stringify(body);
    }
    try {
      return await fetch(under(this.#root, path), init);
    } catch (error) {
      signal.throwIfAborted();
      throw new Problem({
        title: "Sage does not answer",
        detail: error instanceof Error ? error.message : String(error),
        hint: "Check that the server runs and that this device is online, then try again.",
      });
    }
  }
}
