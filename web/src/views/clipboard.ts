import { h } from "../dom";

/** A small window with the desktop's clipboard, to read from and to write to. */
export class ClipboardPanel {
  readonly #text = h("textarea", { id: "clipboard", rows: 5, spellcheck: false });
  readonly element: HTMLElement;

  /** `send` puts text onto the desktop's clipboard; `close` is called when the person is done. */
  constructor(send: (text: string) => void, close: () => void) {
    const leave = () => {
      this.element.hidden = true;
      close();
    };
    this.element = h(
      "section",
      {
        class: "clipboard",
        "aria-label": "Clipboard",
        hidden: true,
        onkeydown: (event) => {
          if ((event as KeyboardEvent).key === "Escape") leave();
        },
      },
      h("label", { for: "clipboard" }, "Clipboard of the desktop"),
      this.#text,
      h(
        "div",
        { class: "actions" },
        h("button", { class: "button", onclick: leave }, "Close"),
        h(
          "button",
          {
            class: "button primary",
            onclick: () => {
              send(this.#text.value);
              leave();
            },
          },
          "Put onto it",
        ),
      ),
    );
  }

  toggle(): void {
    this.element.hidden = !this.element.hidden;
    if (this.element.hidden) return;
    this.#text.focus();
    this.#text.select();
  }

  /** Takes text that was copied inside the desktop. */
  receive(text: string): void {
    this.#text.value = text;
    // Needs a secure page and the browser's consent; the panel is there without.
    navigator.clipboard?.writeText(text).catch(() => undefined);
  }
}
