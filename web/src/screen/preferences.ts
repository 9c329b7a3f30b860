/** How a desktop is shown; kept in the browser. */
export interface Preferences {
  /** "scale": the picture fits the window; "resize": the desktop takes the window's size; "original": pixel by pixel. */
  fit: "scale" | "resize" | "original";
  quality: "sharp" | "balanced" | "saving";
}

const key = "sage-screen";

export const fits: { value: Preferences["fit"]; title: string; text: string }[] = [
  { value: "scale", title: "Fit the picture", text: "Enlarges or shrinks the picture to this window." },
  { value: "resize", title: "Resize the desktop", text: "Gives the desktop the size of this window, for everyone." },
  { value: "original", title: "Original size", text: "One pixel is one pixel." },
];

export const qualities: { value: Preferences["quality"]; title: string; text: string }[] = [
  { value: "sharp", title: "Sharp", text: "For a fast network." },
  { value: "balanced", title: "Balanced", text: "For most." },
  { value: "saving", title: "Saves data", text: "For a slow network." },
];

export function loadPreferences(storage: Storage): Preferences {
  let kept: Partial<Preferences> = {};
  try {
    kept = JSON.parse(storage.getItem(key) ?? "{}") as Partial<Preferences>;
  } catch {
    // Not ours, or broken: the defaults do.
  }
  return {
    fit: fits.find((fit) => fit.value === kept?.fit)?.value ?? "scale",
    quality: qualities.find((quality) => quality.value === kept?.quality)?.value ?? "balanced",
  };
}

export function savePreferences(storage: Storage, preferences: Preferences): void {
  try {
    storage.setItem(key, JSON.stringify(preferences));
  } catch {
    // They count until the window is closed.
  }
}
