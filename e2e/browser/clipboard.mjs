// The directions in which clipboard texts may go, with noVNC and a terminal.
//
//   node clipboard.mjs URL APP=both|in|out|none...
import { check, run } from "./browser.mjs";
import { blue, connectPlain, isPainted, magenta, paint, painted, share, startDesktop, teal, type } from "./plain.mjs";

const [, , address, ...cases] = process.argv;

await run(async (come) => {
  for (const [app, policy] of cases.map((word) => word.split("="))) {
    const person = await come(`anna, ${app}`, address, { viewport: { width: 1280, height: 800 } });
    await connectPlain(person, (await startDesktop(address, app)).url);
    await person.steady();
    await pasteIn(person, ["both", "in"].includes(policy));
    await copyOut(person, ["both", "out"].includes(policy));
    await person.context.close();
    console.log(`${app}: texts go as "${policy}" says`);
  }
});

// pasteIn copies a command here and pastes it into the terminal: where it arrives, Enter makes the terminal magenta.
async function pasteIn(person, allowed) {
  const paste = async () => {
    await person.page.evaluate((text) => rfb.clipboardPasteFrom(text), paint(magenta));
    await person.page.keyboard.press("Shift+Insert");
    await person.rest();
    await person.page.keyboard.press("Enter");
  };
  // A text that came after the Enter is there for the next one.
  if (allowed) return person.persist("a terminal that was painted by a pasted text", paste, () => isPainted(person, magenta));
  await paste();
  await person.rest();
  check((await share(person, magenta)) < 0.01, "a text has reached the desktop");
  // Half of it would spoil this command.
  await type(person, `${paint(teal)}\n`);
  await painted(person, teal);
  return undefined;
}

// copyOut fills the terminal with one long word and selects it: the terminal owns the clipboard then.
async function copyOut(person, allowed) {
  const word = "outofthedesktop".repeat(6);
  await type(person, `clear; yes ${word} | head -500\n`);
  await person.rest();
  await selectWord(person);
  const came = async () => (await person.page.evaluate(() => window.copied)).some((text) => text.includes(word));
  if (allowed) return person.until("the copied text", came);
  // The desktop speaks in order: what is painted later comes later.
  await person.rest();
  await type(person, `${paint(blue)}\n`);
  await painted(person, blue);
  check(!(await came()), "a text has left the desktop");
  return undefined;
}

// selectWord selects the word in the middle of the terminal: a double click that is stretched out by a busy machine, or is
// over within a millisecond, is none to the terminal.
async function selectWord(person) {
  const wordPixels = 5000;
  await person.persist(
    "a selected word",
    async () => {
      await person.picture();
      await person.page.mouse.dblclick(400, 300, { delay: 50 });
    },
    async () => (await person.picture()).changed > wordPixels,
  );
}
