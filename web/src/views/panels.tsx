import { useEffect, useRef, useState } from "preact/hooks";

import { useNow } from "../live/hooks";
import { Icon } from "../parts/icon";
import { fits, qualities, type Preferences } from "../screen/preferences";
import { arrows, chords, keys, type KeyName } from "../screen/keys";
import type { Screen } from "../screen/screen";
import type { Desktop } from "../wire";
import { company, countdown, span } from "../words";

/** Who looks at the desktop, and how long it stays. */
export function PeoplePanel({ desktop }: { desktop: Desktop }) {
  const now = useNow(1000);
  const started = Date.parse(desktop.started_at ?? "");
  const end = Date.parse(desktop.expires_at ?? "");
  return (
    <>
      <h2>Who is here</h2>
      <p>{company(desktop) || "Nobody yet"}.</p>
      <p class="quiet small">
        {!Number.isNaN(started) && `It has been running for ${span(now - started)}. `}
        {Number.isNaN(end) ? "It goes on for as long as somebody is here." : `It ends in ${countdown(end - now)}.`}
      </p>
    </>
  );
}

/** The desktop's clipboard, to read from and to write to: works in every browser. */
export function ClipboardPanel({ text, send, close }: { text: string; send: (text: string) => void; close: () => void }) {
  const [value, setValue] = useState(text);
  const [done, setDone] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => setValue(text), [text]);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // Without a secure page there is only the old way.
      field.current?.select();
      document.execCommand("copy");
    }
    setDone("Copied to this device.");
  };
  return (
    <>
      <label for="clipboard">
        <h2>Clipboard</h2>
      </label>
      <p class="quiet small" id="clipboard-about">
        What is copied in the desktop shows up here. What you write here can be pasted there. If your browser lets this page read
        the clipboard of this device, its text goes to the desktop when you click or type in it.
      </p>
      <textarea id="clipboard" ref={field} rows={5} spellcheck={false} aria-describedby="clipboard-about" value={value} onInput={(event) => setValue(event.currentTarget.value)} />
      <div class="actions end">
        <span class="quiet small" role="status">
          {done}
        </span>
        <button type="button" class="button" data-action="copy-out" onClick={() => void copy()}>
          Copy to this device
        </button>
        <button
          type="button"
          class="button primary"
          data-action="copy-in"
          onClick={() => {
            send(value);
            close();
          }}
        >
          Give to the desktop
        </button>
      </div>
    </>
  );
}

const held: { title: string; key: KeyName }[] = [
  { title: "Ctrl", key: "control" },
  { title: "Alt", key: "alt" },
  { title: "Shift", key: "shift" },
  { title: "Super", key: "super" },
];

/** Keys that the browser or the device would keep for itself, and modifiers that stay pressed. */
export function KeysPanel({ screen }: { screen: Screen }) {
  const [down, setDown] = useState<ReadonlySet<KeyName>>(new Set());
  const pressed = useRef(down);
  pressed.current = down;
  useEffect(
    () => () => {
      // No key may stay pressed when nobody can see it any more.
      for (const key of pressed.current) screen.send(keys[key], false);
    },
    [screen],
  );
  const hold = (key: KeyName) => {
    const next = new Set(down);
    if (next.delete(key)) screen.send(keys[key], false);
    else {
      next.add(key);
      screen.send(keys[key], true);
    }
    setDown(next);
  };
  return (
    <>
      <h2>Special keys</h2>
      <div class="keys">
        {chords.map(({ title, chord }) => (
          <button type="button" class="key" data-key={title} onClick={() => screen.press(chord)}>
            {title}
          </button>
        ))}
      </div>
      <div class="keys four">
        {arrows.map(({ title, label, key }) => (
          <button type="button" class="key" aria-label={label} onClick={() => screen.press([key])}>
            {title}
          </button>
        ))}
      </div>
      <h3>Keep pressed</h3>
      <div class="keys four">
        {held.map(({ title, key }) => (
          <button type="button" class="key" aria-pressed={down.has(key)} onClick={() => hold(key)}>
            {title}
          </button>
        ))}
      </div>
      <p class="quiet small">Ctrl + Alt + Shift, pressed together and let go, brings the keyboard back to this bar.</p>
    </>
  );
}

/** How the desktop is shown. */
export function ScreenPanel({ preferences, prefer }: { preferences: Preferences; prefer: (preferences: Preferences) => void }) {
  return (
    <>
      <h2>Size and quality</h2>
      <fieldset>
        <legend>Size</legend>
        {fits.map((fit) => (
          <Choice key={fit.value} name="fit" {...fit} chosen={preferences.fit} choose={() => prefer({ ...preferences, fit: fit.value })} />
        ))}
      </fieldset>
      <fieldset>
        <legend>Quality</legend>
        {qualities.map((quality) => (
          <Choice key={quality.value} name="quality" {...quality} chosen={preferences.quality} choose={() => prefer({ ...preferences, quality: quality.value })} />
        ))}
      </fieldset>
    </>
  );
}

function Choice({ name, value, title, text, chosen, choose }: { name: string; value: string; title: string; text: string; chosen: string; choose: () => void }) {
  return (
    <label class="choice">
      <input type="radio" name={name} value={value} checked={chosen === value} onChange={choose} />
      <span>
        {title} <span class="quiet small">{text}</span>
      </span>
    </label>
  );
}

/** The address at which others can watch without being able to do anything. */
export function SharePanel({ address, title }: { address: string; title: string }) {
  const [done, setDone] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(address);
    } catch {
      field.current?.select();
      document.execCommand("copy");
    }
    setDone("Copied.");
  };
  if (!address) return <p>This desktop has no address for watching.</p>;
  return (
    <>
      <label for="share-address">
        <h2>Let others watch</h2>
      </label>
      <p class="quiet small">Whoever opens this address sees this desktop, but cannot use it. It counts until the desktop is stopped.</p>
      <input id="share-address" ref={field} readOnly value={address} onFocus={(event) => event.currentTarget.select()} />
      <div class="actions end">
        <span class="quiet small" role="status">
          {done}
        </span>
        {"share" in navigator && (
          <button type="button" class="button" onClick={() => void navigator.share({ title, url: address }).catch(() => undefined)}>
            <Icon name="share" /> Share…
          </button>
        )}
        <button type="button" class="button primary" data-action="copy-address" onClick={() => void copy()}>
          Copy the address
        </button>
      </div>
    </>
  );
}
