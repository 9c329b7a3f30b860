export type Route =
  | { view: "launcher" }
  | { view: "desktops"; all: boolean }
  | { view: "desktop"; uid: string }
  | { view: "watch"; token: string }
  | { view: "unknown"; path: string };

/** Reads the path of an address; `root` is the path under which Sage lives, with its last slash. */
export function parse(root: string, pathname: string): Route {
  const [first, second, ...more] = pathname.startsWith(root) ? pathname.slice(root.length).split("/") : ["", ""];
  if (more.length > 0) return { view: "unknown", path: pathname };
  if (first === "" && second === undefined) return { view: "launcher" };
  if (first === "desktops" && second === undefined) return { view: "desktops", all: false };
  if (first === "desktops" && second === "all") return { view: "desktops", all: true };
  try {
    if (first === "desktop" && second) return { view: "desktop", uid: decodeURIComponent(second) };
    if (first === "view" && second) return { view: "watch", token: decodeURIComponent(second) };
  } catch {
    // A broken escape names nothing.
  }
  return { view: "unknown", path: pathname };
}

/** The path of a route, the inverse of parse. */
export function format(root: string, route: Route): string {
  switch (route.view) {
    case "launcher":
      return root;
    case "desktops":
      return `${root}desktops${route.all ? "/all" : ""}`;
    case "desktop":
      return `${root}desktop/${encodeURIComponent(route.uid)}`;
    case "watch":
      return `${root}view/${encodeURIComponent(route.token)}`;
    case "unknown":
      return route.path;
  }
}
