import type { Api } from "./api";
import type { Route } from "./router";
import type { App, Stream } from "./wire";

export type ViewName = "launcher" | "starting" | "desktop" | "error";

/** What a view may do with the page. */
export interface Page {
  readonly api: Api;
  /** Where Sage lives. */
  readonly root: URL;
  /** Shows the view's content, names it on the body and puts the title into the window. */
  show(name: ViewName, title: string, content: Node): void;
  /** Changes the window's icon; empty: Sage's own. */
  favicon(address: string): void;
  /** Goes to another address; `stream` spares the desktop view its first question. */
  go(route: Route, stream?: Stream): void;
  /** Replaces this view by another one at the same address. */
  replace(view: View): void;
  /** The app of an id or alias, or undefined when the catalog does not have it. */
  app(id: string, signal: AbortSignal): Promise<App | undefined>;
}

/** One view; it lives until the signal is aborted and must not touch the page after that. */
export type View = (page: Page, signal: AbortSignal) => Promise<void>;
