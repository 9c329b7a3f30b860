// The API's documents, as far as the page reads them.

export interface Endpoint {
  name: string;
  protocol: string;
  path?: string;
}

export interface Variable {
  name: string;
  title?: string;
  description?: string;
  type: string;
  default?: unknown;
  allowed?: unknown[];
  pattern?: string;
}

export interface App {
  id: string;
  title: string;
  description: string;
  /** A data: address, or empty. */
  icon: string;
  aliases: string[];
  endpoints: Endpoint[];
  variables: Variable[];
}

export interface Catalog {
  apps: App[];
}

/** What a start hands out. */
export interface Stream {
  url: string;
  uid: string;
}

export type State =
  | "absent"
  | "preparing"
  | "starting"
  | "ready"
  | "occupied"
  | "stopping"
  | "failed";

export interface Reason {
  phase: string;
  message: string;
  log?: string[];
}

export interface Desktop {
  uid: string;
  app: string;
  state: State;
  url?: string;
  clients: number;
  created_at?: string;
  started_at?: string;
  idle_deadline?: string;
  reason?: Reason;
}
