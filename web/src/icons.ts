// Own drawings on a 24 by 24 grid, stroked with the text's colour.
const paths = {
  back: "M14 6l-6 6 6 6M8 12h12",
  fullscreen: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  clipboard: "M9 5H6v15h12V5h-3M9 3h6v4H9zM9 12h6M9 16h4",
  keys: "M3 7h18v10H3zM7 10.5h.01M12 10.5h.01M17 10.5h.01M8 14h8",
  stop: "M12 4v8M7 6.5a7 7 0 1 0 10 0",
} as const;

export type IconName = keyof typeof paths;

/** A decorative drawing; the control around it carries the label. */
export function icon(name: IconName): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}
