import { useEffect } from "preact/hooks";

const link = () => document.querySelector<HTMLLinkElement>('link[rel="icon"]');
let ownIcon = "";

/** Gives the window a title and an icon while the component is shown; empty: Sage's own. */
export function useWindow(title: string, icon = ""): void {
  useEffect(() => {
    document.title = title ? `${title} · Sage` : "Sage";
  }, [title]);
  useEffect(() => {
    const element = link();
    if (!element) return;
    ownIcon ||= element.href;
    element.type = /^data:([^;,]+)/.exec(icon)?.[1] ?? "image/svg+xml";
    element.href = icon || ownIcon;
  }, [icon]);
}
