// A Sage that asks for a token and has room for one desktop: who has no token, and who comes second.
//
//   node full.mjs URL TOKEN
import { check, run, startLimit } from "./browser.mjs";

const [, , address, token] = process.argv;

await run(async (come) => {
  const anna = await come("anna", address);
  await anna.open("/");
  await anna.page.locator("#token").waitFor();
  await anna.checkAccess("the question for the token");
  await anna.page.locator("#token").fill("guessed");
  await anna.page.keyboard.press("Enter");
  await anna.page.getByText("The token was not accepted.").waitFor();
  await anna.page.locator("#token").fill(token);
  await anna.page.keyboard.press("Enter");
  await anna.page.locator("[data-app=vnc]").click();
  await anna.connected();
  console.log("with the token there is a desktop");

  const ben = await come("ben", address);
  await ben.open("/");
  await ben.page.locator("#token").press("Escape");
  await ben.page.locator("[data-code=unauthorized]").waitFor();
  await ben.checkAccess("the page without the token");
  await ben.page.getByRole("button", { name: "Try again" }).click();
  await ben.page.locator("#token").fill(token);
  await ben.page.keyboard.press("Enter");
  await ben.page.locator("[data-app=vnc]").click();
  const full = ben.page.locator("[data-code=at_capacity]");
  await full.waitFor({ timeout: startLimit });
  check(/1 of 1 desktops/.test(await full.innerText()), `the numbers are not told: ${await full.innerText()}`);
  await ben.checkAccess("the page that says that all places are taken");
  await ben.shot("1-full");
  console.log("the second one is told that all places are taken");

  await anna.page.locator("[data-action=stop]").click();
  await anna.page.locator("dialog button[value=ok]").click();
  await anna.page.locator("[data-state=stopped]").waitFor({ timeout: startLimit });
  // Nobody presses anything: the page tries again by itself.
  await ben.connected();
  console.log("when there is room again the second one gets a desktop");
  for (const person of [anna, ben]) person.forgive(/status of (401|404|503)/);
});
