/** A key as RFB names it (RFC 6143, section 7.5.4) and as the browser names its place. */
export interface Key {
  keysym: number;
  code: string | null;
}

/** The keys that have a name on the page. */
export const keys = {
  backspace: { keysym: 0xff08, code: "Backspace" },
  tab: { keysym: 0xff09, code: "Tab" },
  enter: { keysym: 0xff0d, code: "Enter" },
  escape: { keysym: 0xff1b, code: "Escape" },
  delete: { keysym: 0xffff, code: "Delete" },
  f4: { keysym: 0xffc1, code: "F4" },
  f11: { keysym: 0xffc8, code: "F11" },
  left: { keysym: 0xff51, code: "ArrowLeft" },
  up: { keysym: 0xff52, code: "ArrowUp" },
  right: { keysym: 0xff53, code: "ArrowRight" },
  down: { keysym: 0xff54, code: "ArrowDown" },
  control: { keysym: 0xffe3, code: "ControlLeft" },
  shift: { keysym: 0xffe1, code: "ShiftLeft" },
  alt: { keysym: 0xffe9, code: "AltLeft" },
  super: { keysym: 0xffeb, code: "MetaLeft" },
  v: { keysym: 0x76, code: "KeyV" },
  w: { keysym: 0x77, code: "KeyW" },
  t: { keysym: 0x74, code: "KeyT" },
} as const satisfies Record<string, Key>;

export type KeyName = keyof typeof keys;

/** Chords that a browser or the system keeps for itself. */
export const chords: { title: string; chord: KeyName[] }[] = [
  { title: "Ctrl + Alt + Del", chord: ["control", "alt", "delete"] },
  { title: "Alt + Tab", chord: ["alt", "tab"] },
  { title: "Super", chord: ["super"] },
  { title: "Alt + F4", chord: ["alt", "f4"] },
  { title: "Ctrl + W", chord: ["control", "w"] },
  { title: "Ctrl + T", chord: ["control", "t"] },
  { title: "F11", chord: ["f11"] },
  { title: "Esc", chord: ["escape"] },
  { title: "Tab", chord: ["tab"] },
];

/** Single keys that a touch keyboard lacks. */
export const arrows: { title: string; label: string; key: KeyName }[] = [
  { title: "←", label: "Arrow left", key: "left" },
  { title: "↑", label: "Arrow up", key: "up" },
  { title: "↓", label: "Arrow down", key: "down" },
  { title: "→", label: "Arrow right", key: "right" },
];

/** The key that makes a character: Latin-1 as it is, all else in the range for Unicode. */
export function keyOf(character: string): Key {
  const point = character.codePointAt(0)!;
  if (character === "\n") return keys.enter;
  return { keysym: point < 0x100 ? point : 0x01000000 | point, code: null };
}

/**
 * The keys that turn the text of a field into what it has become: how a touch keyboard, which sends no usable key
 * events, types into a desktop.
 */
export function typed(before: string, after: string): Key[] {
  const [old, now] = [[...before], [...after]];
  let same = 0;
  while (same < old.length && same < now.length && old[same] === now[same]) same++;
  return [...old.slice(same).map(() => keys.backspace), ...now.slice(same).map(keyOf)];
}
