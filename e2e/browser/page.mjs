// Uses Sage's page as a person does: starts Firefox from its tile, types into it, sees what was typed, and stops it.
//
//   node page.mjs URL
//
// CHROMIUM is the browser's program; SAGE_TEST_ARTIFACTS is a directory for screenshots, if they are wanted.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [, , address] = process.argv;
if (!address) {
  console.error("usage: node page.mjs URL");
  process.exit(2);
}
const artifacts = process.env["SAGE_TEST_ARTIFACTS"];
const startLimitMs = 120_000;
const teal = [0, 128, 128];

const profile = await mkdtemp(join(tmpdir(), "sage-e2e-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env["CHROMIUM"] || "/usr/bin/chromium",
  headless: true,
  viewport: { width: 1280, height: 880 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
const page = browser.pages()[0] ?? (await browser.newPage());
const complaints = [];
page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
page.on("console", (message) => {
  if (message.type() === "error") complaints.push(`console: ${message.text()}`);
});
let failed = false;
try {
  await use(page);
} catch (error) {
  failed = true;
  console.error(error);
  await shot("failed").catch(() => undefined);
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
for (const complaint of complaints) console.error(complaint);
process.exit(failed || complaints.length > 0 ? 1 : 0);

async function use(page) {
  await page.goto(address);
  await page.locator("body[data-view=launcher]").waitFor();
  await page.locator("[data-app=firefox]").waitFor();
  await shot("1-launcher");

  await page.locator("[data-app=firefox]").click();
  await page.locator("#screen[data-state=connected]").waitFor({ timeout: startLimitMs });
  await shot("2-connected");
  const first = await steady();
  console.log(`Firefox: ${first.colours} colours, the most frequent one has ${percent(first.largest)}`);
  await shot("3-firefox");

  // Firefox's address bar, and an address whose page has one colour that nothing else has.
  await page.keyboard.press("Control+l");
  await page.keyboard.type("data:text/html,<body bgcolor=teal>", { delay: 20 });
  await shot("4-typed");
  await page.keyboard.press("Enter");
  const opened = await until("the teal page", async () => {
    const now = await picture();
    return now.teal > 0.5 && now;
  });
  console.log(`${percent(first.teal)} of the picture was teal before the typing, ${percent(opened.teal)} after it`);
  if (first.teal > 0.1) throw new Error("the picture was teal before anything was typed");
  await shot("5-opened");

  await page.locator("[data-action=stop]").click();
  await page.locator("dialog button[value=ok]").click();
  await page.locator("body[data-view=launcher]").waitFor({ timeout: startLimitMs });
  await page.locator("[data-app=firefox]").waitFor();
  await shot("6-stopped");
}

// steady waits until the canvas shows Firefox and has come to rest but for a blinking cursor.
async function steady() {
  const blinking = 400; // pixels
  const quietMs = 1500;
  let since = performance.now();
  return until("Firefox's picture", async () => {
    const now = await picture();
    if (now.colours < 200 || now.largest > 0.95 || now.changed > blinking) since = performance.now();
    return performance.now() - since > quietMs && now;
  });
}

// picture measures the pixels of the desktop on the page, and counts those that changed since the last time.
async function picture() {
  const canvas = page.locator("#screen canvas").first();
  return canvas.evaluate((canvas, [red, green, blue]) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const pixels = new Uint32Array(data.buffer);
    const before = window.sagePicture?.length === pixels.length ? window.sagePicture : new Uint32Array(pixels.length);
    window.sagePicture = pixels;
    const near = (a, b) => Math.abs(a - b) <= 12;
    const counts = new Map();
    let [most, teal, changed] = [0, 0, 0];
    for (let i = 0; i < pixels.length; i++) {
      const count = (counts.get(pixels[i]) ?? 0) + 1;
      counts.set(pixels[i], count);
      if (count > most) most = count;
      if (near(data[4 * i], red) && near(data[4 * i + 1], green) && near(data[4 * i + 2], blue)) teal++;
      if (pixels[i] !== before[i]) changed++;
    }
    return { colours: counts.size, largest: most / pixels.length, teal: teal / pixels.length, changed };
  }, teal);
}

async function until(what, look) {
  const deadline = performance.now() + startLimitMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${startLimitMs / 1000} s`);
    await page.waitForTimeout(150);
  }
}

async function shot(name) {
  if (artifacts) await page.screenshot({ path: join(artifacts, `${name}.png`) });
}

function percent(part) {
  return `${(100 * part).toFixed(1)} %`;
}
