// Somebody who may only look, and does not keep to it: a noVNC that sends everything, on the view-only address.
//
//   node watching.mjs URL APP...
import { check, run } from "./browser.mjs";
import { blue, connectPlain, isPainted, magenta, paint, painted, share, startDesktop, teal, type } from "./plain.mjs";

const [, , address, ...apps] = process.argv;

await run(async (come) => {
  for (const app of apps) await intrude(come, app);
});

async function intrude(come, app) {
  const desktop = await startDesktop(address, app);
  const anna = await come(`anna, ${app}`, address);
  await connectPlain(anna, desktop.url);
  await anna.steady();
  await type(anna, `${paint(teal)}\n`);
  await painted(anna, teal);
  const before = await size(anna);
  console.log(`${app}: who may act paints the terminal with this page`);

  const mallory = await come(`mallory, ${app}`, address);
  await connectPlain(mallory, desktop.view_url);
  await painted(mallory, teal);
  check(!(await mallory.page.evaluate(() => rfb.viewOnly)), "mallory's noVNC keeps to looking by itself");
  await type(mallory, `${paint(magenta)}\n`);
  // It would open the window manager's menu, which takes the keys.
  await mallory.page.mouse.click(before.width * 0.95, before.height * 0.95);
  await mallory.page.evaluate(() => rfb.clipboardPasteFrom("mallory's words"));
  await mallory.page.evaluate(() => (rfb.resizeSession = true));
  await mallory.page.setViewportSize({ width: 700, height: 500 });
  await mallory.until("everything that only others may send", async () => {
    const sent = await mallory.page.evaluate(() => window.sent);
    // Keys (plain, or QEMU's), pointer, clipboard, size.
    return (sent[4] || sent[255]) && sent[5] && sent[6] && sent[251];
  });
  // The end is answered when all that came before it has been read.
  await mallory.page.evaluate(() => rfb.disconnect());
  const { clean } = await (await mallory.page.waitForFunction(() => window.ended)).jsonValue();
  check(clean, "mallory's stream was cut, so nobody knows what was read of it");

  await anna.rest();
  check((await share(anna, magenta)) < 0.01, "what mallory typed has arrived");
  // Anything typed before would spoil this command.
  await type(anna, `${paint(blue)}\n`);
  await painted(anna, blue);
  check((await share(anna, magenta)) < 0.01, "what mallory typed has arrived");
  const after = await size(anna);
  check(after.width === before.width && after.height === before.height, `the desktop is ${JSON.stringify(after)}, and was ${JSON.stringify(before)}`);
  console.log(`${app}: on the view-only address the same page can do nothing`);

  await connectPlain(mallory, desktop.view_url);
  const noType = 252;
  await mallory.page.evaluate((type) => socket.send(new Uint8Array([type])), noType);
  const { code } = await (await mallory.page.waitForFunction(() => window.ended)).jsonValue();
  check(code === 1008, `a message that nobody knows ended mallory's stream with ${code}`);
  mallory.forgive(/closed/);
  await anna.until("still there", () => isPainted(anna, blue));
  console.log(`${app}: what is not understood ends a view-only stream, and says why`);
}

async function size(person) {
  return person.page.locator("#screen canvas").first().evaluate(({ width, height }) => ({ width, height }));
}
