// What the stand-in tells: a catalog and desktops in every state, as the API would write them.
import { readFileSync } from "node:fs";

const icon = (name) => `data:image/svg+xml;base64,${readFileSync(new URL(`../../catalog/icons/${name}.svg`, import.meta.url)).toString("base64")}`;

const geometry = {
  name: "SAGE_GEOMETRY",
  title: "Screen size",
  description: "Width and height of the screen in pixels.",
  type: "string",
  default: "1280x800",
  pattern: "[1-9][0-9]{2,3}x[1-9][0-9]{2,3}",
};
const app = (id, title, description, more = {}) => ({
  id,
  title,
  description,
  icon: "",
  aliases: [],
  endpoints: [{ name: "vnc", protocol: "rfb" }],
  variables: [geometry],
  ...more,
});

export const catalog = {
  apps: [
    app("desktop", "Desktop", "An empty desktop with a window manager and a terminal.", { icon: icon("desktop") }),
    app("firefox", "Firefox", "The Firefox web browser. Bookmarks, logins and downloads are kept.", {
      icon: icon("firefox"),
      endpoints: [
        { name: "vnc", protocol: "rfb" },
        { name: "audio", protocol: "websocket" },
      ],
      variables: [
        geometry,
        { name: "FIREFOX_URLS", title: "Pages", description: "The pages to open, one per line; empty for what was open before.", type: "list", default: "", pattern: "https?://.+" },
        { name: "FIREFOX_THEME", title: "Colour scheme", type: "string", allowed: ["light", "dark"] },
        { name: "ZOOM", title: "Zoom", description: "1 is the ordinary size.", type: "number", default: "1", min: 0.5, max: 3 },
        { name: "PRIVATE", title: "Keep no history", type: "boolean", default: "false" },
        { name: "PASSWORD", title: "Password of the proxy", type: "string", secret: true },
      ],
    }),
    app("blender", "Blender", "Modelling, animation and rendering in three dimensions. Files in the home directory are kept.", { icon: icon("blender") }),
    app("writer", "Writer", "Letters, reports and books.", { variables: [] }),
    app("calc", "Sheets", "Tables and sums."),
    app("paint", "Paint", "Pictures, pixel by pixel."),
    app("maps", "Maps", "The world with layers of data. A longer description that needs more room than there is on a small tile, so that it has to be cut somewhere after its third line or so, which is here."),
    app("terminal", "Terminal", "A plain shell for people who like to type."),
    app("music", "Notes", "Scores to write and to hear."),
  ],
};

const now = Date.now();
const at = (seconds) => new Date(now + seconds * 1000).toISOString();
const common = { home: true, limits: { cpus: 2, memory_bytes: 3 << 30, pids: 1024 }, created_at: at(-754), clients: 0, viewers: 0, endpoints: [], container: "sage-x" };
const running = { ...common, url: "/stream/control", view_url: "/stream/watch", started_at: at(-750) };

const layer = (id, current, total) => ({ id, status: "Downloading", current, total });

export const desktops = {
  running: { ...running, uid: "running", app: "firefox", state: "occupied", clients: 3, viewers: 2 },
  lost: { ...running, uid: "lost", app: "firefox", state: "occupied", clients: 1, viewers: 1, home_lost: true },
  idle: { ...running, uid: "idle", app: "blender", state: "ready", idle_deadline: at(272) },
  pulling: {
    ...common,
    uid: "pulling",
    app: "firefox",
    state: "preparing",
    phase: "image",
    image: {
      text: "Downloading",
      current: 214e6,
      total: 538e6,
      layers: [layer("3f4a", 29e6, 29e6), layer("9c1d", 120e6, 342e6), layer("77ab", 65e6, 167e6), { id: "1e20", status: "Download complete" }],
    },
  },
  queued: { ...common, uid: "queued", app: "blender", state: "preparing", phase: "queued", queue_position: 3 },
  starting: { ...common, uid: "starting", app: "desktop", state: "starting", phase: "ready" },
  failed: {
    ...common,
    uid: "failed",
    app: "blender",
    state: "failed",
    reason: {
      phase: "ready",
      message: "desktop \"failed\" of app \"blender\": the container ended with exit code 3 before its endpoint vnc answered",
      exit_code: 3,
      log: ["sage-desktop: X server is up", "blender: cannot open display", "sage-desktop: the app has ended three times in a row, giving up"],
    },
  },
  memory: { ...common, uid: "memory", app: "firefox", state: "failed", reason: { phase: "running", message: "the container was ended by the kernel", oom_killed: true, exit_code: 137, log: [] } },
  stopped: { uid: "stopped", app: "firefox", state: "absent" },
};

/** Problems that a start of the uid meets. */
export const problems = {
  full: [503, { title: "At capacity", code: "at_capacity", detail: "10 of 10 desktops run", limit: { name: "max_desktops", limit: 10, current: 10 } }],
  away: [503, { title: "Container engine does not answer", code: "engine_unavailable", detail: "docker at unix:///var/run/docker.sock: connection refused" }],
  locked: [403, { title: "Not allowed", code: "forbidden", detail: "You may look at desktops here, but not start any." }],
  wrong: [
    422,
    {
      title: "Environment not allowed",
      code: "invalid_env",
      detail: "2 of the given environment variables cannot be set like this",
      errors: [
        { location: "body.env.SAGE_GEOMETRY", message: "SAGE_GEOMETRY: \"huge\" does not match the pattern" },
        { location: "body.env.ZOOM", message: "ZOOM: 9 is more than 3" },
      ],
    },
  ],
};

export const log = Array.from({ length: 60 }, (_, i) => `12:0${i % 10}:${String(i).padStart(2, "0")} sage-desktop: line ${i + 1} of what the app has to say`).join("\n");
