import { createContext } from "preact";

import type { Api } from "./api";
import type { Memory } from "./remember";
import type { Route } from "./router";
import type { App, StartRequest } from "./wire";

/** What every view has at hand. */
export interface Site {
  readonly api: Api;
  readonly memory: Memory;
  /** Where Sage lives. */
  readonly root: URL;
  /** The catalog, asked for once; throws a Problem. */
  catalog(signal: AbortSignal): Promise<App[]>;
  /** The address of a route. */
  href(route: Route): string;
  /** Goes to another address; with `start` the desktop there is started first. */
  go(route: Route, start?: StartRequest): void;
}

export const SiteContext = createContext<Site | null>(null);
