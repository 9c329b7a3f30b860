import { render, type ComponentChildren, type VNode } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

/** A modal window. Escape and the area around it close it. */
export function Dialog({ title, wide, close, children }: { title: string; wide?: boolean; close: () => void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current!;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "dialog wide" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onMouseDown={(event) => event.target === element.current && close()}
    >
      <div class="dialog-body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** Shows a dialog above whatever there is and answers what it was closed with. */
export function ask<T>(content: (close: (answer: T) => void) => VNode): Promise<T> {
  return new Promise((resolve) => {
    const place = document.createElement("div");
    document.body.append(place);
    const close = (answer: T) => {
      render(null, place);
      place.remove();
      resolve(answer);
    };
    render(content(close), place);
  });
}

/** Asks once before something that cannot be undone; true when the person agrees. */
export function confirm(title: string, text: string, action: string): Promise<boolean> {
  return ask<boolean>((close) => (
    <Dialog title={title} close={() => close(false)}>
      <p>{text}</p>
      <div class="actions end">
        <button type="button" class="button" onClick={() => close(false)}>
          Cancel
        </button>
        <button type="button" class="button danger" value="ok" autofocus onClick={() => close(true)}>
          {action}
        </button>
      </div>
    </Dialog>
  ));
}
