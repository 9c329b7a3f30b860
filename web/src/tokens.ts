import type { Tokens } from "./api";
import { h } from "./dom";

const key = "sage-api-token";

/** Keeps the API token for this tab and asks for it in a small dialog. */
export class SessionTokens implements Tokens {
  #asking: Promise<string | null> | null = null;

  current(): string {
    return sessionStorage.getItem(key) ?? "";
  }

  ask(refused: boolean): Promise<string | null> {
    // Calls that run side by side share one dialog.
    this.#asking ??= askForToken(refused)
      .then((token) => {
        if (token !== null) sessionStorage.setItem(key, token);
        return token;
      })
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }
}

function askForToken(refused: boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const field = h("input", {
      id: "token",
      type: "password",
      required: true,
      autocomplete: "current-password",
      "aria-describedby": "token-note",
    });
    const dialog = h(
      "dialog",
      { class: "dialog", "aria-labelledby": "token-title" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "token-title" }, "This Sage asks for a token"),
        h(
          "p",
          { id: "token-note" },
          refused ? "The token was not accepted. " : "",
          "Whoever runs this server can give you one. It is kept until you close this tab.",
        ),
        h("label", { for: "token" }, "API token"),
        field,
        h(
          "div",
          { class: "actions" },
          h("button", { type: "submit", value: "cancel", formnovalidate: true, class: "button" }, "Cancel"),
          h("button", { type: "submit", value: "ok", class: "button primary" }, "Continue"),
        ),
      ),
    );
    // Enter in the field presses the first submit button, which would be "Cancel".
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (field.reportValidity()) dialog.close("ok");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      const token = field.value.trim();
      resolve(dialog.returnValue === "ok" && token ? token : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    field.focus();
  });
}
