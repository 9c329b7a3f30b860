// Does with noVNC, on the page at the address that it is given, what a person does: move, click, scroll, type, paste,
// make the window larger. It is for recording what noVNC says (rfb/record_test.go).
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] || "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"],
});
try {
  const page = await browser.newPage({ viewport: { width: 320, height: 240 } });
  await page.goto(process.argv[2]);
  await page.waitForFunction(() => window.connected, undefined, { timeout: 30000 });
  for (let i = 0; i < 20; i++) await page.mouse.move(10 + 12 * i, 20 + 7 * i);
  for (const button of ["left", "right", "middle"]) await page.mouse.click(100, 80, { button });
  await page.mouse.wheel(0, 300);
  await page.mouse.wheel(300, 0);
  await page.evaluate(() => window.rfb.focus());
  await page.keyboard.type("Hello, Welt: äß€");
  await page.keyboard.press("Control+Shift+F5");
  await page.evaluate(() => window.rfb.clipboardPasteFrom("a text, with ümlauts"));
  await page.setViewportSize({ width: 400, height: 300 });
  await page.waitForFunction(() => document.querySelector("canvas").width === 400, undefined, { timeout: 30000 });
  await page.evaluate(() => (window.rfb.qualityLevel = 2));
  await page.waitForTimeout(500);
} finally {
  await browser.close();
}
