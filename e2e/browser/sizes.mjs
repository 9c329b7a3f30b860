// Two windows of different size on one desktop, both of which want the desktop to have theirs: the first one decides, the
// other is told, neither goes on asking, and who is left when the first one goes decides then.
//
//   node sizes.mjs URL APP...
import { check, run } from "./browser.mjs";
import { startDesktop } from "./plain.mjs";

const [, , address, ...apps] = process.argv;
// How long nobody may ask for a size until it counts as agreed on. Windows that fight ask ten times a second.
const agreedMs = 2000;
// What each of them may ask in all: a few times for each of the few times that a window changes.
const mostAsked = 12;

await run(async (come) => {
  for (const app of apps) await share(come, app);
});

async function share(come, app) {
  const { uid } = await startDesktop(address, app);
  const join = async (name, width, height) => {
    const person = await come(`${name}, ${app}`, address, { viewport: { width, height } });
    await person.context.addInitScript(observe);
    await person.open(`/desktop/${uid}`);
    await person.connected();
    return person;
  };
  const anna = await join("anna", 1000, 700);
  await shows(anna, await wish(anna));
  const ben = await join("ben", 1200, 800);
  const both = [anna, ben];
  await ben.until("ben's wish", async () => (await seen(ben)).asked.length > 0);
  await agreed(both);
  await everybodyShows(both, await wish(anna));

  await anna.page.setViewportSize({ width: 900, height: 650 });
  await everybodyShows(both, await wish(anna));
  await agreed(both);
  await ben.page.setViewportSize({ width: 1100, height: 760 });
  // noVNC says so when it is answered: after anna has gone.
  const last = await wish(ben);
  await agreed(both);
  await everybodyShows(both, await wish(anna));

  const [first, other] = [await seen(anna), await seen(ben)];
  console.log(`${app}: anna asked for ${first.asked}, and saw ${first.sizes}; ben asked for ${other.asked}, and saw ${other.sizes}`);
  for (const { asked } of [first, other]) check(asked.length <= mostAsked, `${asked.length} requests: ${asked}`);
  // The size in which the desktop came, and those of the two windows that anna had.
  for (const { sizes } of [first, other]) {
    check(sizes.length <= 3 && new Set(sizes).size === sizes.length, `the size went to and fro: ${sizes}`);
  }
  const strange = other.sizes.filter((size) => other.asked.includes(size));
  check(strange.length === 0, `ben got ${strange} while anna was there`);

  await anna.page.close();
  await shows(ben, last);
  await agreed([ben]);
  check((await seen(ben)).sizes.at(-1) === last, "the next one's size did not stay");
  console.log(`${app}: the holder's size won, and then the next one's`);
}

// observe runs in the page before anything else: it notes the sizes that noVNC asks for and those that it is told.
function observe() {
  localStorage.setItem("sage-screen", JSON.stringify({ fit: "resize" }));
  window.seen = { asked: [], sizes: [], last: performance.now() };
  const note = (list, width, height) => {
    list.push(`${width}x${height}`);
    seen.last = performance.now();
  };
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (message) {
    const setDesktopSize = 251;
    if (message[0] === setDesktopSize) note(seen.asked, (message[2] << 8) | message[3], (message[4] << 8) | message[5]);
    return send.call(this, message);
  };
  new MutationObserver((changes) => {
    const canvas = changes.map(({ target }) => target).find((element) => element.matches?.("#screen canvas"));
    if (canvas && seen.sizes.at(-1) !== `${canvas.width}x${canvas.height}`) note(seen.sizes, canvas.width, canvas.height);
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["width", "height"] });
}

async function seen(person) {
  return person.page.evaluate(() => ({ ...window.seen, quietMs: performance.now() - window.seen.last }));
}

// wish is what a person's window would like the desktop to be.
async function wish(person) {
  return person.page.locator("#screen").evaluate((screen) => {
    const { width, height } = screen.getBoundingClientRect();
    return `${Math.floor(width)}x${Math.floor(height)}`;
  });
}

async function shows(person, size) {
  const canvas = person.page.locator("#screen canvas").first();
  await person.until(`a desktop of ${size}`, async () => (await canvas.evaluate(({ width, height }) => `${width}x${height}`)) === size);
}

async function everybodyShows(people, size) {
  for (const person of people) await shows(person, size);
}

// agreed waits until nobody asks for another size, and no size changes.
async function agreed(people) {
  for (const person of people) {
    await person
      .until("agreement on the size", async () => (await seen(person)).quietMs > agreedMs, 30_000)
      .catch(async (error) => check(false, `${error.message}: ${JSON.stringify(await Promise.all(people.map(seen)))}`));
  }
}
