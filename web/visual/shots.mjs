// Pictures of every view at the size of a phone, a laptop and a wall, light and dark; each is checked with axe-core.
//
//   node visual/shots.mjs DIRECTORY [VIEW…]
//
// CHROMIUM is the browser's program.
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { serve } from "./server.mjs";

const sizes = {
  phone: { width: 390, height: 844 },
  laptop: { width: 1366, height: 768 },
  wall: { width: 3840, height: 2160 },
};

const used = ["running", "idle", "stopped", "failed"];
const remembered = used.map((uid, i) => ({ uid, app: ["firefox", "blender", "firefox", "blender"][i], used: Date.now() - i * 7_000_000 }));

// A view: where it is, and what is done before the picture is taken.
const views = {
  launcher: ["/", (page) => page.locator("[data-app=firefox]").waitFor()],
  "launcher-new": ["/", (page) => page.locator("[data-app=firefox]").waitFor(), { fresh: true }],
  search: ["/", async (page) => page.getByRole("searchbox").fill("ma")],
  settings: ["/", async (page) => page.locator("[data-settings=firefox]").click()],
  "settings-wrong": [
    "/",
    async (page) => {
      await page.locator("[data-settings=firefox]").click();
      await page.locator("[name=SAGE_GEOMETRY]").fill("big");
      await page.locator("[name=ZOOM]").fill("9");
      await page.locator("dialog button[type=submit]").click();
      await page.locator(".field.wrong").nth(1).waitFor();
    },
  ],
  "my-desktops": ["/desktops", charts],
  "my-desktops-none": ["/desktops", (page) => page.locator(".nothing").waitFor(), { fresh: true }],
  "all-desktops": ["/desktops/all", charts],
  log: [
    "/desktops",
    async (page) => {
      await page.locator("[data-uid=running] [data-action=log]").click();
      await page.locator("dialog .log").getByText("line 60").waitFor();
    },
  ],
  "delete": ["/desktops", (page) => page.locator("[data-uid=running] [data-action=delete]").click()],
  pulling: ["/desktop/pulling", (page) => page.locator("[data-phase=image]").waitFor()],
  queued: ["/desktop/queued", (page) => page.locator("[data-phase=queued]").waitFor()],
  starting: ["/desktop/starting", (page) => page.locator("[data-phase=ready]").waitFor()],
  stopped: ["/desktop/stopped", (page) => page.locator("[data-state=stopped]").waitFor()],
  failed: ["/desktop/failed", (page) => page.locator("[data-code=start_failed]").waitFor()],
  "out-of-memory": ["/desktop/memory", (page) => page.locator("[data-code=start_failed]").waitFor()],
  ...Object.fromEntries(
    ["full", "away", "locked", "wrong"].map((uid) => [
      `error-${uid}`,
      [
        `/desktop/${uid}`,
        async (page) => {
          await page.locator("[data-action=start-again]").click();
          await page.locator("[data-code]").first().waitFor();
        },
        { memory: [{ uid, app: "firefox", used: 0 }] },
      ],
    ]),
  ),
  unknown: ["/desktop/nobody", (page) => page.locator("[data-app=firefox]").waitFor()],
  "unknown-used": ["/desktop/nobody", (page) => page.locator("[data-action=start-anew]").waitFor(), { memory: [{ uid: "nobody", app: "firefox", used: 0 }] }],
  "no-page": ["/nowhere", (page) => page.locator("[data-code=no_page]").waitFor()],
  token: ["/", (page) => page.locator("#token").waitFor(), { locked: true }],
  desktop: ["/desktop/running", connected],
  "home-lost": ["/desktop/lost", (page) => page.locator("[data-note=home-lost]").waitFor()],
  ...Object.fromEntries(
    ["people", "clipboard", "keys", "screen", "share"].map((panel) => [
      `desktop-${panel}`,
      [
        "/desktop/running",
        async (page) => {
          await connected(page);
          const tool = page.locator(`.bar [data-action=${panel}]`);
          if (await tool.isVisible()) return tool.click();
          await page.locator("[data-action=more]").click();
          return page.locator(".menu-item").nth(["people", "screenshot", "share", "screen"].indexOf(panel)).click();
        },
      ],
    ]),
  ),
  "desktop-more": ["/desktop/running", async (page) => (await connected(page), (await page.locator("[data-action=more]").isVisible()) && page.locator("[data-action=more]").click())],
  "desktop-stop": [
    "/desktop/running",
    async (page) => {
      await connected(page);
      if (await page.locator("[data-action=more]").isVisible()) await page.locator("[data-action=more]").click();
      await page.getByRole("button", { name: "Stop Firefox" }).last().click();
    },
  ],
  "desktop-bar-hidden": ["/desktop/running", async (page) => (await connected(page), page.locator("[data-action=hide]").click())],
  watch: ["/view/watch", connected],
};

async function connected(page) {
  await page.locator("#screen[data-state=connected] canvas").waitFor();
}

async function charts(page) {
  // Only what is in sight is asked for.
  await page.locator("[data-uid=running]").scrollIntoViewIfNeeded();
  await page.locator("[data-uid=running] polyline").first().waitFor();
  await page.locator("[data-uid=running] .thumb img:not(.appicon)").waitFor();
}

const [, , directory, ...only] = process.argv;
if (!directory) {
  console.error("usage: node visual/shots.mjs DIRECTORY [VIEW…]");
  process.exit(2);
}
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const { server, address } = await serve();
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"],
});
const complaints = [];
const looks = Object.entries(sizes).flatMap(([size, viewport]) => ["light", "dark"].map((colorScheme) => ({ size, viewport, colorScheme })));
const shots = looks.flatMap((look) => Object.entries(views).map(([name, view]) => ({ ...look, name, view }))).filter(({ name }) => only.length === 0 || only.includes(name));
for (const { size, colorScheme } of looks) await mkdir(join(directory, `${size}-${colorScheme}`), { recursive: true });
// While one waits, the other draws.
const photographer = async () => {
  for (let shot = shots.shift(); shot; shot = shots.shift()) {
    const { name, view, size, viewport, colorScheme } = shot;
    try {
      await shoot(name, view, size, viewport, colorScheme);
    } catch (error) {
      complaints.push(`${name} at ${size}, ${colorScheme}: ${error.message}`);
    }
  }
};
await Promise.all([photographer(), photographer(), photographer()]);
await browser.close();
server.closeAllConnections();
server.close();
for (const complaint of complaints) console.error(complaint);
console.log(complaints.length === 0 ? `pictures are in ${directory}; axe-core found nothing serious` : `${complaints.length} complaints`);
process.exit(complaints.length > 0 ? 1 : 0);

async function shoot(name, [path, act, { fresh, memory = remembered, locked } = {}], size, viewport, colorScheme) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce", hasTouch: size === "phone", isMobile: size === "phone", bypassCSP: true });
  try {
    if (!fresh) await context.addInitScript((text) => localStorage.setItem("sage-desktops", text), JSON.stringify(memory));
    if (locked) await context.route("**/api/**", (route) => route.fulfill({ status: 401, contentType: "application/problem+json", body: JSON.stringify({ title: "Token needed", code: "unauthorized" }) }));
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => complaints.push(`${name} at ${size}: ${error.message}`));
    await page.goto(address + path);
    await act(page);
    await page.evaluate(() => document.fonts.ready);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await page.screenshot({ path: join(directory, `${size}-${colorScheme}`, `${name}.png`), scale: "css" });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, impact, nodes } of violations) {
      if (impact !== "serious" && impact !== "critical" && impact !== "moderate") continue;
      complaints.push(`${name} at ${size}, ${colorScheme}: axe ${impact} ${id}: ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary?.replaceAll("\n", " ").slice(0, 240)}`);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) complaints.push(`${name} at ${size}: the page is ${wide} pixels wider than the window`);
  } finally {
    await context.close();
  }
}

