// A stand-in for Sage that shows the built page with made-up desktops: for work on the looks, and for pictures of every
// view. Nothing about it proves that the page works; the tests in e2e do.
//
//   npm run build && node visual/server.mjs    then open http://127.0.0.1:4025
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";

import { catalog, desktops, log, problems } from "./fixtures.mjs";
import { png } from "./png.mjs";
import { picture, size, still } from "./rfb.mjs";

const dist = new URL("../dist/", import.meta.url);
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/** Serves until closed; gives the server and its address. */
export async function serve(port = 0) {
  const shot = png(size, picture());
  const server = createServer((request, response) => {
    answer(request, response, shot).catch((error) => response.writeHead(500).end(String(error)));
  });
  const vnc = still("Firefox");
  server.on("upgrade", (request, socket, head) => {
    if (!request.url.endsWith("/vnc")) return socket.destroy();
    return vnc.handleUpgrade(request, socket, head, (client) => vnc.emit("connection", client, request));
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { server, address: `http://127.0.0.1:${server.address().port}` };
}

async function answer(request, response, shot) {
  const { pathname } = new URL(request.url, "http://x");
  const json = (value, status = 200, headers = {}) => response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(value));
  const events = (list) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const desktop of list) response.write(`event: desktop\ndata: ${JSON.stringify(desktop)}\n\n`);
  };
  const problem = ([status, body]) => json({ type: "about:blank", status, ...body }, status, { "Retry-After": "30" });

  if (pathname === "/readyz") return request.headers.referer === "away" ? problem(problems.away) : json({ status: "ok" });
  if (pathname === "/api/catalog") return json(catalog);
  if (pathname === "/api/events") return events(Object.values(desktops).filter((desktop) => desktop.state !== "absent"));
  const [, uid, rest = ""] = /^\/api\/vm\/(?:any\/)?([^/]+)(.*)$/.exec(pathname) ?? [];
  if (uid) {
    const desktop = desktops[uid];
    if (request.method === "POST") return problems[uid] ? problem(problems[uid]) : undefined;
    if (rest === "/events") return events([desktop ?? { uid, app: problems[uid] ? "firefox" : "", state: "absent" }]);
    if (rest === "/screenshot.png") return desktop && desktop.state !== "preparing" ? response.writeHead(200, { "Content-Type": "image/png" }).end(shot) : problem([404, { code: "no_picture" }]);
    if (rest === "/stats") return json(stats());
    if (rest === "/logs") return response.writeHead(200, { "Content-Type": "text/plain" }).end(log);
    return desktop && desktop.state !== "absent" ? json(desktop) : problem([404, { code: "not_running" }]);
  }
  const file = extname(pathname) ? pathname.slice(1) : "index.html";
  try {
    let content = await readFile(new URL(file, dist));
    // As the server does it: the document is told where it lies.
    if (file === "index.html" && pathname.lastIndexOf("/") > 0) content = content.toString().replace('<base href="./">', '<base href="../">');
    response.writeHead(200, { "Content-Type": types[extname(file)] ?? "text/plain" }).end(content);
  } catch {
    response.writeHead(404).end();
  }
  return undefined;
}

let measured = 0;
function stats() {
  const t = measured++ / 3;
  return {
    at: new Date().toISOString(),
    cpu_percent: 60 + 45 * Math.sin(t) + 20 * Math.sin(3.3 * t),
    memory_bytes: 1.1e9 + 3e8 * Math.sin(t / 2),
    memory_limit_bytes: 3 << 30,
    pids: 120,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { address } = await serve(4025);
  console.log(`the stand-in is at ${address}`);
}
