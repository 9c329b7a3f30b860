// A phone: starts Firefox with a finger, types with the keyboard on the screen, taps, keeps a finger down, scrolls with two.
//
//   node touch.mjs URL
import { run } from "./browser.mjs";

const [, , address] = process.argv;
const teal = [0, 128, 128];
const page = "data:text/html,<body bgcolor=teal><script>onclick=()=>document.bgColor='olive';oncontextmenu=()=>!(document.bgColor='purple');onwheel=()=>document.bgColor='navy'</script>";

/** Fingers on the screen, wherever they are. */
class Fingers {
  constructor(session) {
    this.session = session;
  }

  down(points) {
    return this.#send("touchStart", points);
  }

  move(points) {
    return this.#send("touchMove", points);
  }

  up() {
    return this.#send("touchEnd", []);
  }

  #send(type, points) {
    return this.session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map((point, id) => ({ ...point, id })) });
  }
}

await run(async (come) => {
  const anna = await come("anna", address, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
  const tab = anna.page;
  await anna.open("/");
  await tab.locator("[data-app=firefox]").tap();
  await anna.connected();
  await anna.steady();
  await anna.shot("1-phone");

  const looks = (colour) => async () => (await anna.picture(colour)).found > 0.5;
  await anna.persist("the typed page", () => type(tab, page), looks(teal));
  await anna.checkAccess("the desktop on a phone");
  console.log("the keyboard on the screen types");

  const canvas = tab.locator("#screen canvas").first();
  const middle = async () => {
    const { x, y, width, height } = await canvas.boundingBox();
    return { x: x + width / 2, y: y + height / 2 };
  };
  const tap = async () => {
    const { x, y } = await middle();
    await tab.touchscreen.tap(x, y);
  };
  await anna.persist("the tap", tap, looks([128, 128, 0]));
  console.log("a tap is a click");

  const fingers = new Fingers(await anna.context.newCDPSession(tab));
  await fingers.down([await middle()]);
  await anna.until("the right click", looks([128, 0, 128]));
  await fingers.up();
  await anna.shot("2-long-press");
  console.log("a finger that stays is a right click");

  const { x, y } = await middle();
  const pair = (moved) => [{ x: x - 30, y: y - moved }, { x: x + 30, y: y - moved }];
  await fingers.down(pair(0));
  let moved = 0;
  await anna.until("the scrolling", async () => {
    // Back and forth, for as long as it takes.
    moved = (moved + 12) % 180;
    await fingers.move(pair(moved));
    return looks([0, 0, 128])();
  });
  await fingers.up();
  console.log("two fingers scroll");

  await tab.locator("[data-action=more]").tap();
  await tab.getByRole("button", { name: "Stop Firefox" }).tap();
  await tab.locator("dialog button[value=ok]").tap();
  await tab.locator("[data-state=stopped]").waitFor();
  anna.forgive(/status of 404/);
});

// type opens a tab of Firefox, whose address bar takes keys at once, and types into it as a touch keyboard does.
async function type(tab, text) {
  await tab.locator("[data-action=keys]").tap();
  await tab.locator("[data-key='Ctrl + T']").tap();
  await tab.locator("[data-action=keyboard]").tap();
  for (const character of text) await tab.keyboard.insertText(character);
  await tab.keyboard.press("Enter");
}
