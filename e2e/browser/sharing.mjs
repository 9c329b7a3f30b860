// Two people on one desktop, and a third who may only watch.
//
//   node sharing.mjs URL
import { check, run, startLimit } from "./browser.mjs";

const [, , address] = process.argv;
const teal = [0, 128, 128];
const olive = [128, 128, 0];

await run(async (come) => {
  const anna = await come("anna", address);
  await anna.open("/");
  await anna.page.locator("[data-app=firefox]").click();
  await anna.connected();
  await anna.steady();

  // The address of a desktop can be shared.
  const ben = await come("ben", address);
  await ben.page.goto(anna.page.url());
  await ben.connected();
  await ben.paint("teal", teal);
  await anna.coloured(teal);
  await anna.page.locator("[data-action=people][aria-label*='2 people']").waitFor({ timeout: startLimit });
  console.log("both see and use one desktop, and know of each other");

  await anna.page.locator("[data-action=share]").click();
  const shared = await anna.page.locator("#share-address").inputValue();
  await anna.checkAccess("the share panel");
  await anna.shot("1-share");
  await anna.page.keyboard.press("Escape");

  const carla = await come("carla", address);
  await carla.page.goto(shared);
  await carla.connected();
  await carla.coloured(teal);
  await carla.checkAccess("the watcher's page");
  await carla.shot("2-watching");
  check(!carla.answers.some((answer) => /\/api\//.test(answer.url())), "the watcher's page called the API");
  const control = await (await fetch(new URL(`/api/vm/${new URL(anna.page.url()).pathname.split("/").at(-1)}`, address))).json();
  check(!shared.includes(control.url.split("/").at(-1)), "the shared address gives the control away");

  // What the watcher does reaches nobody; what the others do is seen.
  await carla.visit("data:text/html,<body bgcolor=olive>");
  await ben.paint("purple", [128, 0, 128]);
  await carla.coloured([128, 0, 128]);
  check((await anna.picture(olive)).found < 0.1, "the watcher could type");
  // The stream itself refuses, whatever the page does.
  await carla.page.evaluate(async (url) => {
    const socket = new WebSocket(url, ["binary"]);
    socket.binaryType = "arraybuffer";
    const next = () => new Promise((resolve, reject) => {
      socket.onmessage = (event) => resolve(event.data);
      socket.onclose = () => reject(new Error("closed"));
    });
    const say = (...bytes) => socket.send(new Uint8Array(bytes));
    await next();
    socket.send(new TextEncoder().encode("RFB 003.008\n"));
    await next();
    say(1);
    await next();
    say(1);
    // Control and W: it would close Firefox's only tab.
    say(4, 1, 0, 0, 0, 0, 0xff, 0xe3);
    say(4, 1, 0, 0, 0, 0, 0, 0x77);
    say(4, 0, 0, 0, 0, 0, 0, 0x77);
    say(4, 0, 0, 0, 0, 0, 0xff, 0xe3);
    socket.close();
  }, `${address.replace(/^http/, "ws")}${control.view_url}/vnc`);
  await ben.paint("teal", teal);
  await anna.coloured(teal);
  console.log("the watcher sees, and can do nothing");

  await anna.page.locator("[data-action=stop]").click();
  await anna.page.locator("dialog button[value=ok]").click();
  for (const person of [anna, ben]) await person.page.locator("[data-state=stopped]").waitFor({ timeout: startLimit });
  console.log("it stopped for both");
  await carla.page.getByText("It may have been stopped.").waitFor({ timeout: startLimit });
  const after = await fetch(new URL(`/api/vm/${new URL(anna.page.url()).pathname.split("/").at(-1)}`, address));
  check(after.status === 404, `who may only look has started it again: ${after.status}`);
  console.log("who watched is told, and started nothing");
  for (const person of [anna, ben, carla]) person.forgive(/WebSocket connection|Failed when connecting|status of 404/);
});
