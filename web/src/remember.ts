import type { Value, Variable } from "./wire";

/** A desktop that this browser has used. */
export interface Remembered {
  uid: string;
  /** Id of its app. */
  app: string;
  /** When it was last opened, in milliseconds of Date.now. */
  used: number;
  /** The settings that were asked for, until it has run with them once: before that the server does not keep them. */
  env?: Record<string, Value>;
}

const key = "sage-desktops";
// More than a person keeps; the oldest are forgotten here, not on the server.
const most = 60;

/** The desktops that this browser has used, the latest first. Kept in the browser, shared by its tabs. */
export class Memory extends EventTarget {
  constructor(readonly storage: Storage) {
    super();
  }

  all(): Remembered[] {
    try {
      const kept: unknown = JSON.parse(this.storage.getItem(key) ?? "[]");
      return Array.isArray(kept) ? kept.filter(isRemembered) : [];
    } catch {
      return [];
    }
  }

  find(uid: string): Remembered | undefined {
    return this.all().find((known) => known.uid === uid);
  }

  /** Puts a desktop in front; with settings that it is to be started with. */
  use(uid: string, app: string, env = this.find(uid)?.env): void {
    this.#write([{ uid, app, used: Date.now(), ...(env && { env }) }, ...this.all().filter((known) => known.uid !== uid)].slice(0, most));
  }

  /** It has run: its settings are the server's now. */
  ran(uid: string): void {
    if (this.find(uid)?.env) this.#write(this.all().map(({ env, ...known }) => (known.uid === uid || !env ? known : { ...known, env })));
  }

  forget(uid: string): void {
    this.#write(this.all().filter((known) => known.uid !== uid));
  }

  #write(desktops: Remembered[]): void {
    try {
      this.storage.setItem(key, JSON.stringify(desktops));
    } catch {
      // A browser that keeps nothing still shows desktops.
    }
    this.dispatchEvent(new Event("change"));
  }
}

function isRemembered(value: unknown): value is Remembered {
  const fields = value as Partial<Remembered> | null;
  return typeof fields?.uid === "string" && typeof fields.app === "string" && typeof fields.used === "number";
}

/** The settings that may be kept in a browser. */
export function withoutSecrets(env: Record<string, Value>, variables: readonly Variable[]): Record<string, Value> {
  const open = new Set(variables.filter((variable) => !variable.secret).map((variable) => variable.name));
  return Object.fromEntries(Object.entries(env).filter(([name]) => open.has(name)));
}

/** A uid that nobody can guess (128 bits). */
export function newUID(): string {
  return crypto.getRandomValues(new Uint8Array(26)).reduce((uid, byte) => uid + "abcdefghijklmnopqrstuvwxyz234567"[byte & 31], "");
}
