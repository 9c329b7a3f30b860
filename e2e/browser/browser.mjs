// A browser with the page in it, and what its pictures show.
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** How long a start may take, in milliseconds; the machine may be busy. */
export const startLimit = 120_000;

const artifacts = process.env["SAGE_TEST_ARTIFACTS"];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Starts the browser; CHROMIUM is its program. */
export async function launch() {
  return chromium.launch({
    executablePath: process.env["CHROMIUM"] || "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

// noVNC says so about a picture that was on its way when a desktop was left.
const noise = /Got data while disconnected/;

/** A person with a browser of their own: nothing of it is shared with another's. */
export class Person {
  /** What the browser had to complain about, but for what a test expects. */
  complaints = [];
  /** Every address that the page has asked for, with what came. */
  answers = [];

  static async come(browser, name, address, options = {}) {
    const person = new Person();
    person.name = name;
    person.address = address;
    person.context = await browser.newContext({ viewport: { width: 1366, height: 860 }, reducedMotion: "reduce", ...options });
    await person.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(address).origin });
    person.page = await person.context.newPage();
    person.page.on("pageerror", (error) => person.complaints.push(`page error: ${error.message}`));
    person.page.on("console", (message) => {
      if (message.type() === "error" && !noise.test(message.text())) person.complaints.push(`console: ${message.text()} ${message.location().url}`);
    });
    person.page.on("response", (response) => person.answers.push(response));
    return person;
  }

  /** Leaves out complaints of a kind that the test has caused. */
  forgive(pattern) {
    this.complaints = this.complaints.filter((complaint) => !pattern.test(complaint));
  }

  async open(path) {
    await this.page.goto(this.address + path);
  }

  /** Waits for a live picture. */
  async connected() {
    await this.page.locator("#screen[data-state=connected] canvas").waitFor({ timeout: startLimit });
  }

  /** Waits until the picture has come to rest but for a blinking cursor, and shows more than an empty screen. */
  async steady() {
    return this.rest((now) => now.colours >= 200 && now.largest <= 0.95);
  }

  /** Waits until the picture has come to rest but for a blinking cursor, and is right. */
  async rest(right = () => true) {
    const blinking = 400; // pixels
    const quietMs = 1500;
    let since = performance.now();
    return this.until("a picture at rest", async () => {
      const now = await this.picture();
      if (!right(now) || now.changed > blinking) since = performance.now();
      return performance.now() - since > quietMs && now;
    });
  }

  /** Measures the pixels of the desktop, and counts those that changed since the last time; `colour` is looked for. */
  async picture(colour = [0, 128, 128]) {
    const canvas = this.page.locator("#screen canvas").first();
    return canvas.evaluate((canvas, [red, green, blue]) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const pixels = new Uint32Array(data.buffer);
      const before = window.sagePicture?.length === pixels.length ? window.sagePicture : new Uint32Array(pixels.length);
      window.sagePicture = pixels;
      const near = (a, b) => Math.abs(a - b) <= 12;
      const counts = new Map();
      let [most, found, changed] = [0, 0, 0];
      for (let i = 0; i < pixels.length; i++) {
        const count = (counts.get(pixels[i]) ?? 0) + 1;
        counts.set(pixels[i], count);
        if (count > most) most = count;
        if (near(data[4 * i], red) && near(data[4 * i + 1], green) && near(data[4 * i + 2], blue)) found++;
        if (pixels[i] !== before[i]) changed++;
      }
      return { colours: counts.size, largest: most / pixels.length, found: found / pixels.length, changed };
    }, colour);
  }

  /** Waits until most of the picture has a colour. */
  async coloured(colour) {
    return this.until(`a picture of colour ${colour}`, async () => {
      const now = await this.picture(colour);
      return now.found > 0.5 && now;
    });
  }

  /** Goes to Firefox's address bar, and waits until it can be seen there: a busy Firefox gives the next keys to its page. */
  async addressBar() {
    const cursor = 300; // pixels: more than a blinking cursor changes
    await this.picture();
    await this.page.keyboard.press("Control+l");
    // Who is there already sees nothing.
    await this.until("the address bar", async () => (await this.picture()).changed > cursor, 3000).catch(() => undefined);
  }

  /** Types an address into Firefox and goes there. */
  async visit(address) {
    await this.addressBar();
    await this.page.keyboard.type(address, { delay: 20 });
    await this.page.keyboard.press("Enter");
  }

  /** Has Firefox show a page of one colour, by its name and as it is. */
  async paint(name, colour) {
    return this.persist(
      `a page of colour ${name}`,
      () => this.visit(`data:text/html,<body bgcolor=${name}>`),
      async () => {
        const now = await this.picture(colour);
        return now.found > 0.5 && now;
      },
    );
  }

  /** Does something until it has shown effect, as a person would who sees that a busy Firefox has missed some keys. */
  async persist(what, act, look) {
    for (const last of [false, false, true]) {
      await act();
      try {
        return await this.until(what, look, last ? startLimit : 10_000);
      } catch (error) {
        if (last) throw error;
      }
    }
    return undefined;
  }

  async until(what, look, limit = startLimit) {
    const deadline = performance.now() + limit;
    for (;;) {
      const found = await look();
      if (found) return found;
      if (performance.now() > deadline) throw new Error(`${this.name}: ${what} did not come within ${limit / 1000} s`);
      await this.page.waitForTimeout(150);
    }
  }

  /** Takes a picture of the window, where they are wanted. */
  async shot(name) {
    if (!artifacts) return;
    await mkdir(artifacts, { recursive: true });
    await this.page.screenshot({ path: join(artifacts, `${name}.png`) });
  }

  /** Everything that the page has loaded and called came from Sage, and nothing broke its content policy. */
  checkHosts() {
    const { host } = new URL(this.address);
    const strange = this.answers.map((answer) => new URL(answer.url())).filter((url) => /^https?:$/.test(url.protocol) && url.host !== host);
    check(strange.length === 0, `the page asked other hosts: ${strange.join(", ")}`);
  }

  /** Everything that the page has called is in the API's public description. */
  async checkPublic() {
    const { paths } = await (await fetch(new URL("/openapi.json", this.address))).json();
    const known = Object.entries(paths).flatMap(([path, calls]) => Object.keys(calls).map((method) => [method.toUpperCase(), new RegExp(`^${path.replaceAll(/{[^}]+}/g, "[^/]+")}$`)]));
    const calls = new Set(this.answers.map((answer) => `${answer.request().method()} ${new URL(answer.url()).pathname}`).filter((call) => / \/(api\/|readyz)/.test(call)));
    const strange = [...calls].filter((call) => !known.some(([method, path]) => call.startsWith(`${method} `) && path.test(call.slice(method.length + 1))));
    check(strange.length === 0, `the page made calls that are not public: ${strange.join(", ")}`);
  }

  /** Checks the page with axe-core: nothing serious may be found. */
  async checkAccess(where) {
    // The page's own policy lets nobody add a script; the browser's tools may.
    const session = await this.context.newCDPSession(this.page);
    await session.send("Runtime.evaluate", { expression: axe });
    const { result } = await session.send("Runtime.evaluate", {
      expression: "axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.map((v) => [v.impact, v.id, v.nodes[0].html.slice(0, 200)])))",
      awaitPromise: true,
    });
    await session.detach();
    const serious = JSON.parse(result.value).filter(([impact]) => impact === "serious" || impact === "critical");
    check(serious.length === 0, `axe-core on ${where}: ${JSON.stringify(serious)}`);
  }
}

export function check(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

export function percent(part) {
  return `${(100 * part).toFixed(1)} %`;
}

/** Runs a test: gives it a browser, tells how it ended, and ends the process. */
export async function run(test) {
  const browser = await launch();
  const people = [];
  const come = async (name, address, options) => {
    const person = await Person.come(browser, name, address, options);
    people.push(person);
    return person;
  };
  let failed = false;
  try {
    await test(come);
    for (const person of people) {
      person.checkHosts();
      await person.checkPublic();
      for (const complaint of person.complaints) {
        failed = true;
        console.error(`${person.name}: ${complaint}`);
      }
    }
  } catch (error) {
    failed = true;
    console.error(error);
    for (const person of people) {
      await person.shot(`failed-${person.name}`).catch(() => undefined);
      for (const complaint of person.complaints) console.error(`${person.name}: ${complaint}`);
    }
  } finally {
    await browser.close();
  }
  process.exit(failed ? 1 : 0);
}
