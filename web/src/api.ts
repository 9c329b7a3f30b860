import { under } from "./address";
import { Problem, problemFrom, retryAfterSeconds, unreachable } from "./problem";
import { serverEvents, type ServerEvent } from "./sse";
import type { App, Desktop, StartRequest, Started, Stats } from "./wire";

/** Where the API token comes from and goes to when the server asks for one. */
export interface Tokens {
  current(): string;
  /** Asks the person; `refused` says that the last one was not accepted. Null: not given. */
  ask(refused: boolean): Promise<string | null>;
}

/** Sage's public API. Every method throws a Problem, or the signal's reason when that is aborted. */
export class Api {
  readonly #root: URL;
  readonly #tokens: Tokens;

  /** `root` is where Sage lives. */
  constructor(root: URL, tokens: Tokens) {
    this.#root = root;
    this.#tokens = tokens;
  }

  async catalog(signal: AbortSignal): Promise<App[]> {
    return (await this.#json<{ apps: App[] }>("GET", "api/catalog", signal)).apps;
  }

  /** One desktop; null when it neither runs nor starts nor failed. */
  async desktop(uid: string, signal: AbortSignal): Promise<Desktop | null> {
    try {
      return await this.#json<Desktop>("GET", vm(uid), signal);
    } catch (error) {
      if (error instanceof Problem && error.code === "not_running") return null;
      throw error;
    }
  }

  /** Starts a desktop, or finds the one that runs, and answers when it is ready. */
  async start(uid: string, request: StartRequest, signal: AbortSignal): Promise<Started> {
    return this.#json("POST", `api/vm/any/${encodeURIComponent(uid)}`, signal, request);
  }

  /** Stops a desktop; with `purge` its home and its settings go, too. */
  async stop(uid: string, purge: boolean, signal: AbortSignal): Promise<void> {
    await this.#call("DELETE", vm(uid, purge ? "?purge=true" : ""), signal);
  }

  async restart(uid: string, signal: AbortSignal): Promise<void> {
    await this.#call("POST", vm(uid, "/restart"), signal);
  }

  async stats(uid: string, signal: AbortSignal): Promise<Stats> {
    return this.#json("GET", vm(uid, "/stats"), signal);
  }

  /** The last lines that the desktop's container wrote. */
  async logs(uid: string, lines: number, signal: AbortSignal): Promise<string> {
    return (await this.#call("GET", vm(uid, `/logs?tail=${lines}`), signal)).text();
  }

  /** The picture of a running desktop or the last one that was kept; null when there is none. */
  async picture(uid: string, width: number, signal: AbortSignal): Promise<Blob | null> {
    try {
      return await (await this.#call("GET", vm(uid, `/screenshot.png?width=${width}`), signal)).blob();
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null;
      throw error;
    }
  }

  /** Tells whether desktops can be started; throws the problem when they cannot. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#call("GET", "readyz", signal);
  }

  /**
   * The events of one desktop, or of all without a uid, until the server or the network ends them. `opened` is called
   * when the server listens.
   */
  async *events(uid: string | undefined, signal: AbortSignal, opened: () => void): AsyncGenerator<ServerEvent> {
    const path = uid === undefined ? "api/events" : vm(uid, "/events");
    const answer = await this.#call("GET", path, signal, undefined, "text/event-stream");
    opened();
    if (answer.body) yield* serverEvents(answer.body);
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
        detail: `A proxy in between may not pass ${path} on (${error instanceof Error ? error.message : String(error)}).`,
      });
    }
  }

  async #call(method: string, path: string, signal: AbortSignal, body?: unknown, accept = "application/json, */*;q=0.5"): Promise<Response> {
    for (;;) {
      const token = this.#tokens.current();
      const answer = await this.#fetch(method, path, signal, token, accept, body);
      if (answer.ok) return answer;
      const wait = retryAfterSeconds(answer.headers.get("Retry-After"), Date.now());
      const problem = problemFrom(answer.status, await answer.text().catch(() => ""), wait);
      if (answer.status !== 401) throw problem;
      // Another call may have got a new token meanwhile: then just try it.
      if (token === this.#tokens.current() && (await this.#tokens.ask(token !== "")) === null) throw problem;
      signal.throwIfAborted();
    }
  }

  async #fetch(method: string, path: string, signal: AbortSignal, token: string, accept: string, body?: unknown): Promise<Response> {
    const headers = new Headers({ Accept: accept });
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
        code: unreachable,
      });
    }
  }
}

function vm(uid: string, rest = ""): string {
  return `api/vm/${encodeURIComponent(uid)}${rest}`;
}
