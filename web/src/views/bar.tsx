import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { AppIcon } from "../parts/appicon";
import { Icon, type IconName } from "../parts/icon";
import { Link } from "../parts/link";
import type { Preferences } from "../screen/preferences";
import type { Screen } from "../screen/screen";
import type { App, Desktop } from "../wire";
import { company } from "../words";
import { ClipboardPanel, KeysPanel, PeoplePanel, ScreenPanel, SharePanel } from "./panels";

interface BarProps {
  app: App;
  desktop: Desktop;
  screen: Screen | undefined;
  /** The text that was copied last inside the desktop. */
  copied: string;
  /** Whether sound is on; undefined where the app has none. */
  sound: boolean | undefined;
  /** Whether sound really comes. */
  heard: boolean;
  preferences: Preferences;
  /** The address of the view-only page; empty where there is none. */
  shareAddress: string;
  hidden: boolean;
  hide: (hidden: boolean) => void;
  prefer: (preferences: Preferences) => void;
  toggleSound: () => void;
  toggleKeyboard: () => void;
  fullscreen: () => void;
  save: () => void;
  stop: () => void;
}

type PanelName = "people" | "clipboard" | "keys" | "screen" | "share" | "more";

interface Tool {
  action: string;
  icon: IconName;
  label: string;
  panel?: PanelName;
  run?: () => void;
  pressed?: boolean | undefined;
  /** On a narrow window it moves into the menu. */
  rare?: boolean;
  /** Asked for, and yet to come. */
  waits?: boolean;
  name?: string;
  mark?: boolean;
}

/** The small bar above a desktop. */
export function Bar(props: BarProps) {
  const { app, desktop, screen } = props;
  const [open, setOpen] = useState<PanelName>();
  const [seen, setSeen] = useState(props.copied);
  const bar = useRef<HTMLElement>(null);

  const close = (refocus = true) => {
    setOpen(undefined);
    if (refocus) screen?.focus();
  };
  const toggle = (panel: PanelName) => {
    if (panel === "clipboard") setSeen(props.copied);
    setOpen(open === panel ? undefined : panel);
  };

  useEffect(() => {
    if (!open) return undefined;
    // A press anywhere else closes the panel; noVNC stops it on its way up.
    const outside = (event: Event) => {
      if (!bar.current?.contains(event.target as Node)) setOpen(undefined);
    };
    addEventListener("pointerdown", outside, { capture: true });
    return () => removeEventListener("pointerdown", outside, { capture: true });
  }, [open]);

  const here = company(desktop);
  const tools: Tool[] = [
    { action: "people", icon: "people", label: here ? `Who is here: ${here}` : "Who is here", panel: "people", rare: true },
    ...(props.sound === undefined
      ? []
      : [{ action: "sound", icon: props.sound ? "sound" : "mute", label: props.sound ? "Turn the sound off" : "Turn the sound on", run: props.toggleSound, pressed: props.sound, waits: props.sound && !props.heard } satisfies Tool]),
    { action: "keyboard", icon: "keyboard", label: "Keyboard", run: props.toggleKeyboard, name: "touch-only" },
    { action: "clipboard", icon: "clipboard", label: "Clipboard", panel: "clipboard", mark: props.copied !== seen },
    { action: "keys", icon: "keys", label: "Special keys", panel: "keys" },
    { action: "screenshot", icon: "picture", label: "Save a picture", run: props.save, rare: true },
    { action: "share", icon: "eye", label: "Let others watch", panel: "share", rare: true },
    { action: "screen", icon: "settings", label: "Size and quality", panel: "screen", rare: true },
    ...(document.fullscreenEnabled ? [{ action: "fullscreen", icon: "fullscreen", label: "Full screen", run: props.fullscreen, rare: true } satisfies Tool] : []),
    { action: "stop", icon: "stop", label: `Stop ${app.title}`, run: props.stop, rare: true },
  ];
  const use = (tool: Tool) => (tool.panel ? toggle(tool.panel) : (setOpen(undefined), tool.run?.()));

  const panel = (name: PanelName, label: string, content: ComponentChildren) =>
    open === name && (
      <section class="popover" id={`panel-${name}`} aria-label={label}>
        {content}
      </section>
    );

  return (
    <header
      class="bar-place"
      ref={bar}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        const button = bar.current?.querySelector<HTMLElement>(`[aria-controls="panel-${open}"]`);
        setOpen(undefined);
        button?.focus();
      }}
    >
      <button type="button" class="bar-handle" aria-label="Show the bar" aria-expanded={!props.hidden} onClick={() => props.hide(false)}>
        <Icon name="down" />
      </button>
      <div class="bar" role="toolbar" aria-label={app.title} inert={props.hidden}>
        <Link to={{ view: "launcher" }} class="tool" label="All apps">
          <Icon name="back" />
        </Link>
        <AppIcon app={app} />
        <h1 class="title">{app.title}</h1>
        {tools.map((tool) => (
          <button
            key={tool.action}
            type="button"
            class={["tool", tool.rare && "rare", tool.name, tool.mark && "marked", tool.waits && "waits"].filter(Boolean).join(" ")}
            data-action={tool.action}
            title={tool.label}
            aria-label={tool.label}
            aria-pressed={tool.pressed}
            aria-expanded={tool.panel ? open === tool.panel : undefined}
            aria-controls={tool.panel && open === tool.panel ? `panel-${tool.panel}` : undefined}
            onClick={() => use(tool)}
          >
            <Icon name={tool.icon} />
            {tool.action === "people" && here && <span class="count">{desktop.viewers}</span>}
          </button>
        ))}
        <button
          type="button"
          class="tool narrow-only"
          data-action="more"
          title="More"
          aria-label="More"
          aria-expanded={open === "more"}
          aria-controls={open === "more" ? "panel-more" : undefined}
          onClick={() => toggle("more")}
        >
          <Icon name="more" />
        </button>
        <button type="button" class="tool" data-action="hide" title="Hide this bar" aria-label="Hide this bar" onClick={() => (close(), props.hide(true))}>
          <span class="turned">
            <Icon name="down" />
          </span>
        </button>
      </div>
      {panel("people", "Who is here", <PeoplePanel desktop={desktop} />)}
      {panel("clipboard", "Clipboard", screen && <ClipboardPanel text={props.copied} send={(text) => screen.paste(text)} close={close} />)}
      {panel("keys", "Special keys", screen && <KeysPanel screen={screen} />)}
      {panel("screen", "Size and quality", <ScreenPanel preferences={props.preferences} prefer={props.prefer} />)}
      {panel("share", "Let others watch", <SharePanel address={props.shareAddress} title={app.title} />)}
      {panel(
        "more",
        "More",
        <ul class="menu">
          {tools
            .filter((tool) => tool.rare)
            .map((tool) => (
              <li key={tool.action}>
                <button type="button" class="menu-item" onClick={() => use(tool)}>
                  <Icon name={tool.icon} />
                  {tool.label}
                </button>
              </li>
            ))}
        </ul>,
      )}
    </header>
  );
}
