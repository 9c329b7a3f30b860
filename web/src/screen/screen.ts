import type RFB from "@novnc/novnc";

import { keys, type Key, type KeyName } from "./keys";
import type { Preferences } from "./preferences";

/** How a connection ended. */
export interface End {
  connected: boolean;
  /** Nobody closed it: the network or the server is away. */
  cut: boolean;
  /** The server's words when it let nobody in. */
  refused?: string;
}

export interface ScreenEvents {
  connected(): void;
  /** The desktop put text onto its clipboard. */
  clipboard(text: string): void;
  /** The desktop has told its name. */
  named(name: string): void;
}

const qualities = { sharp: [9, 1], balanced: [6, 2], saving: [2, 9] } as const;

// WebSocket close code for a connection that broke (RFC 6455, section 7.1.5).
const abnormal = 1006;

/** One noVNC connection at a time inside an element. */
export class Screen {
  #rfb: RFB | null = null;
  #preferences: Preferences;

  constructor(
    readonly target: HTMLElement,
    readonly viewOnly: boolean,
    preferences: Preferences,
  ) {
    this.#preferences = preferences;
  }

  /** Connects and resolves when the connection has ended; the signal ends it. */
  async run(address: string, events: ScreenEvents, signal: AbortSignal): Promise<End> {
    const { default: Client } = await import("@novnc/novnc");
    signal.throwIfAborted();
    return new Promise((resolve) => {
      const end: End = { connected: false, cut: false };
      const socket = new WebSocket(address, ["binary"]);
      socket.addEventListener("close", (event) => {
        end.cut = event.code === abnormal;
      });
      const rfb = new Client(this.target, socket, { shared: true });
      this.#rfb = rfb;
      rfb.viewOnly = this.viewOnly;
      rfb.background = "transparent";
      this.#apply();
      const hangUp = () => rfb.disconnect();
      signal.addEventListener("abort", hangUp, { once: true });
      rfb.addEventListener("connect", () => {
        end.connected = true;
        events.connected();
      });
      rfb.addEventListener("clipboard", (event) => events.clipboard(event.detail.text));
      rfb.addEventListener("desktopname", (event) => events.named(event.detail.name));
      rfb.addEventListener("securityfailure", (event) => {
        end.refused = event.detail.reason ?? "The desktop refused the connection.";
      });
      rfb.addEventListener("credentialsrequired", () => {
        end.refused = "The desktop asks for a password, which this page does not have.";
        rfb.disconnect();
      });
      rfb.addEventListener("disconnect", () => {
        signal.removeEventListener("abort", hangUp);
        if (this.#rfb === rfb) this.#rfb = null;
        resolve(end);
      });
    });
  }

  prefer(preferences: Preferences): void {
    this.#preferences = preferences;
    this.#apply();
  }

  #apply(): void {
    const rfb = this.#rfb;
    if (!rfb) return;
    const { fit, quality } = this.#preferences;
    rfb.scaleViewport = fit !== "original";
    rfb.resizeSession = fit === "resize" && !this.viewOnly;
    rfb.clipViewport = fit === "original";
    // A finger moves a picture that is larger than the window; a mouse has the scroll bars' edges for that.
    rfb.dragViewport = fit === "original" && matchMedia("(pointer: coarse)").matches;
    [rfb.qualityLevel, rfb.compressionLevel] = qualities[quality];
  }

  focus(): void {
    this.#rfb?.focus({ preventScroll: true });
  }

  /** Whether keys go to the desktop now. */
  get focused(): boolean {
    return this.target.contains(document.activeElement);
  }

  /** Presses keys together and lets them go in the opposite order. */
  press(chord: readonly KeyName[]): void {
    for (const name of chord) this.send(keys[name], true);
    for (const name of [...chord].reverse()) this.send(keys[name], false);
  }

  /** Sends one key; without `down` it is pressed and let go. */
  send(key: Key, down?: boolean): void {
    this.#rfb?.sendKey(key.keysym, key.code, down);
  }

  /** Puts text onto the desktop's clipboard. */
  paste(text: string): void {
    this.#rfb?.clipboardPasteFrom(text);
  }

  /** The picture as it is now, in the desktop's own size. */
  picture(): Promise<Blob | null> {
    return new Promise((resolve) => (this.#rfb ? this.#rfb.toBlob(resolve, "image/png") : resolve(null)));
  }
}
