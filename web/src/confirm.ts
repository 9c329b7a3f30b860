import { h } from "./dom";

/** Asks once before something that cannot be undone; true when the person agrees. */
export function confirm(title: string, text: string, action: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { class: "dialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "confirm-title" }, title),
        h("p", { id: "confirm-text" }, text),
        h(
          "div",
          { class: "actions" },
          h("button", { type: "submit", value: "cancel", class: "button" }, "Cancel"),
          h("button", { type: "submit", value: "ok", class: "button danger", autofocus: true }, action),
        ),
      ),
    );
    const leave = () => dialog.close("cancel");
    signal.addEventListener("abort", leave, { once: true });
    dialog.addEventListener("close", () => {
      signal.removeEventListener("abort", leave);
      dialog.remove();
      resolve(dialog.returnValue === "ok");
    });
    // In full screen only what lies inside the shown element is visible.
    (document.fullscreenElement ?? document.body).append(dialog);
    dialog.showModal();
  });
}
