// What is left of a desktop that was stopped, and the lists: starts Firefox, stops it, sees its last picture, starts it
// again, and finds it among mine and among all with its picture, its figures and its log; restarts and deletes it there.
//
//   node lists.mjs URL
import { check, run, startLimit } from "./browser.mjs";

const [, , address] = process.argv;

await run(async (come) => {
  const anna = await come("anna", address);
  const tab = anna.page;
  await anna.open("/");
  await tab.locator("[data-app=firefox]").click();
  await anna.connected();
  await anna.steady();
  await anna.paint("teal", [0, 128, 128]);
  await tab.locator("[data-action=stop]").click();
  await tab.locator("dialog button[value=ok]").click();
  await tab.locator("[data-state=stopped]").waitFor({ timeout: startLimit });
  await tab.locator("[data-picture=last]").waitFor();
  check((await pictureOf(tab)) > 0.4, "the last picture is not what the desktop showed");
  await anna.shot("1-stopped");
  console.log("the last picture of the stopped desktop is there");

  await tab.locator("[data-action=start-again]").click();
  await anna.connected();
  await anna.steady();
  await lists(anna, new URL(tab.url()).pathname.split("/").at(-1));
});

// pictureOf tells how much of the last picture behind the page is teal.
async function pictureOf(tab) {
  return tab.locator("[data-picture=last]").evaluate(async (image) => {
    await image.decode();
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i] < 24 && Math.abs(data[i + 1] - 128) < 24 && Math.abs(data[i + 2] - 128) < 24) found++;
    return (4 * found) / data.length;
  });
}

// lists finds the desktop among mine and among all, with its picture, its figures and its log, and deletes it there.
async function lists(person, uid) {
  const tab = person.page;
  await person.open("/desktops/all");
  await tab.locator(`[data-uid="${uid}"]`).waitFor();
  await person.open("/desktops");
  const card = tab.locator(`[data-uid="${uid}"]`);
  await card.locator(".thumb img:not(.appicon)").waitFor({ timeout: startLimit });
  // Not every engine measures.
  const { status } = await fetch(new URL(`/api/vm/${uid}/stats`, address));
  const figures = status === 501 ? card.getByText("does not tell how much it uses") : card.locator("polyline").first();
  await figures.waitFor({ timeout: startLimit });
  await person.checkAccess("my desktops");
  await person.shot("2-my-desktops");
  await card.locator("[data-action=log]").click();
  await tab.locator("dialog .log").waitFor();
  await person.shot("3-log");
  await tab.keyboard.press("Escape");
  const started = async () => (await (await fetch(new URL(`/api/vm/${uid}`, address))).json()).started_at;
  const before = await started();
  await card.locator("[data-action=restart]").click();
  await tab.locator("dialog button[value=ok]").click();
  await person.until("the restarted desktop", async () => ![before, undefined].includes(await started()));
  await tab.locator(`[data-uid="${uid}"][aria-busy=false]`).waitFor({ timeout: startLimit });
  await card.locator("[data-action=delete]").click();
  await tab.locator("dialog button[value=ok]").click();
  await card.waitFor({ state: "detached", timeout: startLimit });
  person.forgive(/status of (404|501)/);
  console.log("my desktops: picture, figures, log, restart, delete");
}
