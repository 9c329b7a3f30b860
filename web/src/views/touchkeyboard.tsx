import type { RefObject } from "preact";
import { useRef } from "preact/hooks";

import { keys, typed } from "../screen/keys";
import type { Screen } from "../screen/screen";

// Something to delete, so that the field notices Backspace.
const padding = "_".repeat(50);

/** An invisible field that brings up the keyboard of a touch screen and passes on what is typed there. */
export function TouchKeyboard({ field, screen }: { field: RefObject<HTMLTextAreaElement>; screen: Screen }) {
  const before = useRef(padding);
  const reset = (element: HTMLTextAreaElement) => {
    element.value = padding;
    before.current = padding;
    element.setSelectionRange(padding.length, padding.length);
  };
  return (
    <textarea
      ref={field}
      class="touch-keyboard"
      aria-label="Type into the desktop"
      tabIndex={-1}
      autocapitalize="off"
      autocomplete="off"
      spellcheck={false}
      onFocus={(event) => reset(event.currentTarget)}
      onInput={(event) => {
        const element = event.currentTarget;
        for (const key of typed(before.current, element.value)) screen.send(key);
        before.current = element.value;
        if (!(event as unknown as InputEvent).isComposing) reset(element);
      }}
      onKeyDown={(event) => {
        const { key } = event;
        if (key !== "Enter" && key !== "Tab" && key !== "Escape") return;
        event.preventDefault();
        screen.send(key === "Enter" ? keys.enter : key === "Tab" ? keys.tab : keys.escape);
      }}
    />
  );
}
