// One person and one desktop: starts Firefox from its tile, types, copies in and out, reloads, loses the network and the
// server, loses the desktop, stops it, and starts it again.
//
//   node desktop.mjs URL
import { check, percent, run, startLimit } from "./browser.mjs";
import { Network, restartSage } from "./network.mjs";

const teal = [0, 128, 128];
const olive = [128, 128, 0];
const purple = [128, 0, 128];

const network = await Network.to(process.argv[2]);

await run(async (come) => {
  const anna = await come("anna", network.address);
  const tab = anna.page;

  await anna.open("/");
  await tab.locator("[data-app=firefox]").waitFor();
  await anna.checkAccess("the launcher");
  await anna.shot("1-launcher");

  await tab.locator("[data-app=firefox]").click();
  await tab.locator("[data-phase]").waitFor();
  await anna.shot("2-starting");
  await anna.connected();
  await firstVisit(anna);
  const first = await anna.steady();
  console.log(`Firefox: ${first.colours} colours, the most frequent one has ${percent(first.largest)}`);
  await anna.checkAccess("the desktop");
  check((await tab.title()) === "Firefox · Sage", `the title is ${await tab.title()}`);
  check((await tab.locator("link[rel=icon]").getAttribute("href")).startsWith("data:image/"), "the icon is not the app's");
  await anna.shot("3-firefox");

  // Typed: an address whose page has one colour that nothing else has.
  check(first.found < 0.1, "the picture was teal before anything was typed");
  const opened = await anna.paint("teal", teal);
  console.log(`${percent(first.found)} of the picture was teal before the typing, ${percent(opened.found)} after it`);
  await anna.shot("4-typed");

  // In: copied on this device, pasted in the desktop with its own keys.
  await tab.evaluate((text) => navigator.clipboard.writeText(text), "data:text/html,<body bgcolor=olive>");
  const paste = async () => {
    await anna.addressBar();
    for (const keys of ["Control+v", "Enter"]) await tab.keyboard.press(keys);
  };
  await anna.persist("the pasted page", paste, async () => (await anna.picture(olive)).found > 0.5);
  console.log("what was copied here was pasted there");

  // Out: copied in the desktop, read on this device.
  await tab.evaluate(() => navigator.clipboard.writeText(""));
  const copy = async () => {
    await anna.addressBar();
    for (const keys of ["Control+a", "Control+c"]) await tab.keyboard.press(keys);
  };
  await anna.persist("the copied text", copy, async () => (await tab.evaluate(() => navigator.clipboard.readText())).includes("olive"));
  console.log("what was copied there can be pasted here");
  await tab.locator("[data-action=clipboard]").click();
  check((await tab.locator("#clipboard").inputValue()).includes("olive"), "the panel does not show what was copied");
  await anna.checkAccess("the clipboard");
  await tab.keyboard.press("Escape");

  // The address is the state.
  const address = tab.url();
  check(/\/desktop\/[a-z0-9]+$/.test(address), `the desktop's address is ${address}`);
  await tab.reload();
  await anna.connected();
  await anna.coloured(olive);
  console.log("after a reload it is the same desktop");

  // The network goes, and comes back.
  network.cut();
  await tab.locator("#screen[data-state=disconnected]").waitFor({ timeout: startLimit });
  await anna.shot("5-cut");
  network.mend();
  await anna.connected();
  await anna.coloured(olive);
  console.log("the connection came back by itself");

  // The server is killed, and started again at another address behind the same name.
  network.target = new URL(await restartSage());
  await anna.connected();
  await tab.locator("#screen canvas").first().click();
  await anna.paint("purple", purple);
  console.log("after a restart of the server the same desktop takes keys");

  // While the network is away, the desktop goes.
  const uid = new URL(address).pathname.split("/").at(-1);
  const desktop = async () => (await fetch(new URL(`/api/vm/${uid}`, network.target))).json();
  const { url: before } = await desktop();
  network.cut();
  await tab.locator("#screen[data-state=disconnected]").waitFor({ timeout: startLimit });
  const stopped = await fetch(new URL(`/api/vm/${uid}`, network.target), { method: "DELETE" });
  check(stopped.ok, `stop by another hand: ${stopped.status}`);
  network.mend();
  await anna.until("another desktop", async () => ![before, undefined].includes((await desktop()).url));
  await anna.connected();
  await anna.steady();
  console.log("a desktop that had gone meanwhile was started anew");
  // What the browser says about calls into a network that is away, and about a desktop that is.
  anna.forgive(/WebSocket connection|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET|ERR_INCOMPLETE|404 \(Not Found\)/);

  await tab.locator("[data-action=stop]").click();
  await tab.locator("dialog button[value=ok]").click();
  await tab.locator("[data-state=stopped]").waitFor({ timeout: startLimit });
  await anna.checkAccess("the stopped desktop");
  await tab.locator("[data-action=start-again]").click();
  await anna.connected();
  await anna.steady();
  console.log("it stopped, and was started again");
  anna.forgive(/404 \(Not Found\)/);
});

// firstVisit checks what the first load costs, noVNC and all, and how it comes.
async function firstVisit(person) {
  const budget = 300 << 10;
  let total = 0;
  let hashed = 0;
  for (const response of person.answers) {
    const { pathname } = new URL(response.url());
    if (pathname.startsWith("/api/") || pathname === "/readyz") continue;
    const { responseBodySize } = await response.request().sizes();
    total += responseBodySize;
    const headers = response.headers();
    const policy = headers["content-security-policy"] ?? "";
    check(/default-src '(none|self)'/.test(policy) && !/unsafe|\*|https?:/.test(policy), `${pathname} has no strict policy: ${policy}`);
    if (!pathname.startsWith("/assets/")) continue;
    hashed++;
    check(/immutable/.test(headers["cache-control"] ?? ""), `${pathname} is not cached for long`);
    check(headers["content-encoding"] !== undefined, `${pathname} is not compressed`);
  }
  console.log(`the first load has ${total} bytes, ${hashed} files with a hash`);
  // The style, the page, noVNC.
  check(hashed >= 3 && total > 0 && total < budget, `the first load has ${total} bytes in ${hashed} files with a hash, allowed are ${budget}`);
}
