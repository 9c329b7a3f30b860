// The part of noVNC that the page uses, after its docs/API.md; the package
// ships no types of its own.
declare module "@novnc/novnc" {
  interface Options {
    shared?: boolean;
    wsProtocols?: string[];
  }

  interface Events {
    connect: CustomEvent<Record<string, never>>;
    disconnect: CustomEvent<{ clean: boolean }>;
    credentialsrequired: CustomEvent<{ types: string[] }>;
    securityfailure: CustomEvent<{ status: number; reason?: string }>;
    clipboard: CustomEvent<{ text: string }>;
    desktopname: CustomEvent<{ name: string }>;
  }

  export default class RFB extends EventTarget {
    constructor(target: Element, url: string | WebSocket, options?: Options);

    viewOnly: boolean;
    scaleViewport: boolean;
    resizeSession: boolean;
    background: string;

    disconnect(): void;
    focus(options?: FocusOptions): void;
    blur(): void;
    sendCtrlAltDel(): void;
    clipboardPasteFrom(text: string): void;

    addEventListener<K extends keyof Events>(type: K, listener: (event: Events[K]) => void): void;
  }
}
