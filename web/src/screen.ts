import type RFB from "@novnc/novnc";

/** How a connection ended. `refused` holds the server's words when it let nobody in. */
export interface End {
  connected: boolean;
  refused?: string;
}

export interface ScreenEvents {
  connected(): void;
  /** The desktop put text onto its clipboard. */
  clipboard(text: string): void;
}

/** One noVNC connection at a time inside an element. */
export class Screen {
  #rfb: RFB | null = null;

  constructor(readonly target: HTMLElement) {}

  /** Connects and resolves when the connection has ended; the signal ends it. */
  async run(address: string, events: ScreenEvents, signal: AbortSignal): Promise<End> {
    const { default: Client } = await import("@novnc/novnc");
    signal.throwIfAborted();
    return new Promise((resolve) => {
      const end: End = { connected: false };
      const rfb = new Client(this.target, address, { shared: true, wsProtocols: ["binary"] });
      this.#rfb = rfb;
      rfb.scaleViewport = true;
      rfb.resizeSession = false;
      rfb.background = "transparent";
      const hangUp = () => rfb.disconnect();
      signal.addEventListener("abort", hangUp, { once: true });
      rfb.addEventListener("connect", () => {
        end.connected = true;
        events.connected();
      });
      rfb.addEventListener("clipboard", (event) => events.clipboard(event.detail.text));
      rfb.addEventListener("securityfailure", (event) => {
        end.refused = event.detail.reason ?? "The desktop refused the connection.";
      });
      rfb.addEventListener("credentialsrequired", () => {
        end.refused = "The desktop asks for a password, which Sage's own images do not.";
        rfb.disconnect();
      });
      rfb.addEventListener("disconnect", () => {
        signal.removeEventListener("abort", hangUp);
        if (this.#rfb === rfb) this.#rfb = null;
        resolve(end);
      });
    });
  }

  focus(): void {
    this.#rfb?.focus({ preventScroll: true });
  }

  ctrlAltDel(): void {
    this.#rfb?.sendCtrlAltDel();
  }

  paste(text: string): void {
    this.#rfb?.clipboardPasteFrom(text);
  }
}
