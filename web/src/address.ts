/** The absolute address of a path of Sage's own, such as "api/catalog" or "/stream/TOKEN". */
export function under(root: URL, path: string): URL {
  return new URL(`./${path.replace(/^\/+/, "")}`, root);
}

/** The WebSocket address of one endpoint of a stream; `url` is what the API handed out. */
export function socketAddress(root: URL, url: string, endpoint: string): string {
  const address = under(root, `${url.replace(/\/+$/, "")}/${endpoint}`);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

/** The unguessable part of a stream's url. */
export function tokenOf(url: string): string {
  return url.replace(/\/+$/, "").replace(/^.*\//, "");
}

/** The stream's url of a token, the inverse of tokenOf. */
export function streamOf(token: string): string {
  return `/stream/${encodeURIComponent(token)}`;
}
