import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { Api } from "./api";
import { Memory } from "./remember";
import { format, parse, type Route } from "./router";
import { SiteContext, type Site } from "./site";
import { DesktopView } from "./views/desktop";
import { AllDesktops, MyDesktops } from "./views/desktops";
import { Launcher } from "./views/launcher";
import { NoPage } from "./views/nopage";
import { Watch } from "./views/watch";
import type { App as CatalogApp, StartRequest } from "./wire";

interface Place {
  route: Route;
  start?: StartRequest | undefined;
  /** Tells two visits of the same address apart. */
  visit: number;
}

/** The whole page: one view for the address. */
export function App({ api, memory, root }: { api: Api; memory: Memory; root: URL }) {
  const here = (): Route => parse(root.pathname, location.pathname);
  const [place, setPlace] = useState<Place>(() => ({ route: here(), visit: 0 }));
  const content = useRef<HTMLDivElement>(null);

  const site = useMemo<Site>(() => {
    let catalog: Promise<CatalogApp[]> | null = null;
    return {
      api,
      memory,
      root,
      catalog: async (signal) => {
        // Everybody waits for the same answer, so it must not end with who has asked first.
        catalog ??= api.catalog(new AbortController().signal);
        try {
          const apps = await catalog;
          signal.throwIfAborted();
          return apps;
        } catch (error) {
          if (!signal.aborted) catalog = null;
          throw error;
        }
      },
      href: (route) => new URL(format(root.pathname, route), root).href,
      go: (route, start) => {
        history.pushState(null, "", format(root.pathname, route));
        setPlace((last) => ({ route, start, visit: last.visit + 1 }));
      },
    };
  }, [api, memory, root]);

  useEffect(() => {
    const moved = () => setPlace((last) => ({ route: here(), visit: last.visit + 1 }));
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);

  useEffect(() => {
    if (place.visit === 0) return;
    // Who cannot see that the view has changed hears it.
    scrollTo(0, 0);
    const heading = content.current?.querySelector<HTMLElement>("h1");
    if (!heading || content.current?.contains(document.activeElement)) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }, [place.visit]);

  return (
    <SiteContext.Provider value={site}>
      <div class="page" ref={content}>
        <View key={place.visit} {...place} />
      </div>
    </SiteContext.Provider>
  );
}

function View({ route, start }: Place) {
  switch (route.view) {
    case "launcher":
      return <Launcher />;
    case "desktops":
      return route.all ? <AllDesktops /> : <MyDesktops />;
    case "desktop":
      return <DesktopView uid={route.uid} start={start} />;
    case "watch":
      return <Watch token={route.token} />;
    case "unknown":
      return <NoPage path={route.path} />;
  }
}
