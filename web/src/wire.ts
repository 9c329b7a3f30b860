// The API's documents, as far as the page reads them.

export interface Endpoint {
  name: string;
  protocol: string;
}

export interface Variable {
  name: string;
  title?: string;
  description?: string;
  type: "string" | "integer" | "number" | "boolean" | "list";
  default?: string;
  allowed?: string[];
  pattern?: string;
  min?: number;
  max?: number;
  max_length?: number;
  max_items?: number;
  secret?: boolean;
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

export type Value = string | number | boolean | string[];

export interface StartRequest {
  vm?: string;
  env?: Record<string, Value>;
}

/** What a start hands out. */
export interface Started {
  url: string;
  uid: string;
}

export type State = "absent" | "preparing" | "starting" | "ready" | "occupied" | "stopping" | "failed";

export type Phase = "queued" | "settings" | "image" | "create" | "start" | "ready";

export interface Layer {
  id: string;
  status: string;
  /** Bytes. */
  current?: number;
  total?: number;
}

export interface ImageProgress {
  text?: string;
  /** Bytes; total is 0 or missing while nobody knows it. */
  current?: number;
  total?: number;
  layers?: Layer[];
}

export interface Reason {
  phase: string;
  message: string;
  exit_code?: number;
  oom_killed?: boolean;
  log?: string[];
}

export interface Limits {
  cpus?: number;
  memory_bytes?: number;
  pids?: number;
}

export interface Desktop {
  uid: string;
  app: string;
  state: State;
  url?: string;
  view_url?: string;
  phase?: Phase;
  queue_position?: number;
  image?: ImageProgress;
  progress?: string;
  /** Open streams of the picture: people. */
  viewers?: number;
  created_at?: string;
  started_at?: string;
  idle_deadline?: string;
  expires_at?: string;
  limits?: Limits;
  home?: boolean;
  /** What the uid had kept was removed by another program before this desktop started. */
  home_lost?: boolean;
  reason?: Reason;
}

export interface Stats {
  at: string;
  /** 100 is one processor. */
  cpu_percent: number;
  memory_bytes: number;
  memory_limit_bytes?: number;
  pids?: number;
}

/** Whether a desktop in this state has a picture to connect to. */
export function isRunning(state: State | undefined): boolean {
  return state === "ready" || state === "occupied";
}

/** Whether a desktop in this state is on its way to a picture. */
export function isStarting(state: State | undefined): boolean {
  return state === "preparing" || state === "starting";
}
