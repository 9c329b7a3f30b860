// Starts that fail, and what the page says.
//
//   node failing.mjs URL
import { check, run, startLimit } from "./browser.mjs";

const [, , address] = process.argv;

await run(async (come) => {
  const anna = await come("anna", address);
  const tab = anna.page;
  const failure = tab.locator("[data-code=start_failed]");

  await anna.open("/");
  await tab.locator("[data-app=exits]").click();
  await failure.waitFor({ timeout: startLimit });
  const text = await failure.innerText();
  check(/did not start/.test(text) && /ended with an error \(number 3\)/.test(text), `the reason is not told: ${text}`);
  check(/testapp: a line on standard error/.test(await failure.locator(".log").innerText()), "the app's last words are not told");
  await anna.checkAccess("a failed start");
  await anna.shot("1-exits");
  console.log("an app that ends: the phase, the exit code and its last words are shown");

  // Reloaded, the reason is still there: it is the server's.
  await tab.reload();
  await failure.waitFor({ timeout: startLimit });

  await tab.locator("[data-action=retry]").click();
  await tab.locator("[data-phase]").first().waitFor();
  await failure.waitFor({ timeout: startLimit });
  console.log("it can be tried again");

  await anna.open("/");
  await tab.locator("[data-app=missing]").click();
  await tab.locator("[data-code=start_failed][data-phase=image]").waitFor({ timeout: startLimit });
  await anna.shot("2-missing");
  console.log("an image that is missing: said so");

  await anna.open("/desktop/nobody-knows-this-one");
  await tab.locator("[data-code=unknown_uid]").waitFor({ timeout: startLimit });
  check((await tab.locator("[data-action=start-again]").count()) === 0, "a desktop that nobody knows is offered to be started again");
  await tab.locator("[data-code=unknown_uid] [data-app=vnc]").waitFor();
  await anna.checkAccess("an unknown desktop");
  await anna.shot("3-unknown");

  await anna.open("/nowhere/at/all");
  await tab.locator("[data-code=no_page]").waitFor();
  anna.forgive(/status of (404|422|502|504)/);
});
