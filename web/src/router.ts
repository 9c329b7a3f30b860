export type Route = { view: "launcher" } | { view: "desktop"; uid: string } | { view: "unknown"; path: string };

/** Reads the path of an address; `root` is the path under which Sage lives, with its last slash. */
export function parse(root: string, pathname: string): Route {
  const parts = pathname.startsWith(root) ? pathname.slice(root.length).split("/") : [];
  if (parts.length === 1 && parts[0] === "") return { view: "launcher" };
  if (parts.length === 2 && parts[0] === "desktop" && parts[1]) {
    try {
      return { view: "desktop", uid: decodeURIComponent(parts[1]) };
    } catch {
      // A broken escape names nothing.
    }
  }
  return { view: "unknown", path: pathname };
}

/** The path of a route, the inverse of parse. */
export function format(root: string, route: Route): string {
  switch (route.view) {
    case "launcher":
      return root;
    case "desktop":
      return `${root}desktop/${encodeURIComponent(route.uid)}`;
    case "unknown":
      return route.path;
  }
}
