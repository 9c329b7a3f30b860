// What a desktop has to say: plays a tone in Firefox, and hears it on the page.
//
//   node sound.mjs URL
import { check, run, startLimit } from "./browser.mjs";

const [, , address] = process.argv;
const teal = [0, 128, 128];
const olive = [128, 128, 0];
const hertz = 523;
const page = `data:text/html,<body bgcolor=teal><script>onclick=()=>{c=new AudioContext;o=c.createOscillator();o.frequency.value=${hertz};o.connect(c.destination);o.start();document.bgColor='olive'}</script>`;

await run(async (come) => {
  const anna = await come("anna", address);
  const tab = anna.page;
  await anna.open("/");
  await tab.locator("[data-app=firefox]").click();
  await anna.connected();
  await anna.steady();

  await anna.persist("the page with the tone", () => anna.visit(page), async () => (await anna.picture(teal)).found > 0.5);
  const press = () => tab.locator("#screen canvas").first().click();
  await anna.persist("the tone's beginning", press, async () => (await anna.picture(olive)).found > 0.5);

  const button = tab.locator("[data-action=sound]");
  check((await button.getAttribute("aria-pressed")) === "false", "there is sound that nobody has asked for");
  await button.click();
  await tab.locator("audio[data-state=playing]").waitFor({ state: "attached", timeout: startLimit });
  const tone = await anna.until("the tone", async () => {
    const now = await listen(tab);
    return now.loudness > 0.05 && Math.abs(now.hertz - hertz) < 30 && now;
  });
  await anna.checkAccess("the desktop with sound");
  await anna.shot("1-sound");
  console.log(`the tone is heard: ${tone.hertz.toFixed(0)} Hz, loudness ${tone.loudness.toFixed(2)}`);

  await anna.paint("purple", [128, 0, 128]);
  await anna.until("silence", async () => (await listen(tab)).loudness < 0.001);
  console.log("when the page with the tone is left there is silence");

  // Who does not want to hear costs nothing: the stream of sound ends.
  const uid = new URL(tab.url()).pathname.split("/").at(-1);
  const streams = async () => (await (await fetch(new URL(`/api/vm/${uid}`, address))).json()).clients;
  check((await streams()) === 2, `with sound there are ${await streams()} streams instead of 2`);
  await button.click();
  await tab.locator("audio[data-state=silent]").waitFor({ state: "attached" });
  await anna.until("the end of the stream", async () => (await streams()) === 1);
  console.log("turned off, nothing is sent");
  // No last picture yet.
  anna.forgive(/status of 404/);
});

// listen measures what the page plays: how loud it is (root mean square) and which frequency is the strongest.
async function listen(tab) {
  return tab.locator("audio").evaluate(async (audio) => {
    if (!window.ear) {
      const context = new AudioContext();
      await context.resume();
      window.ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
      context.createMediaStreamSource(audio.captureStream()).connect(window.ear);
    }
    const { ear } = window;
    const wave = new Float32Array(ear.fftSize);
    ear.getFloatTimeDomainData(wave);
    const spectrum = new Float32Array(ear.frequencyBinCount);
    ear.getFloatFrequencyData(spectrum);
    const strongest = spectrum.reduce((best, value, i) => (value > spectrum[best] ? i : best), 0);
    return {
      loudness: Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length),
      hertz: (strongest * ear.context.sampleRate) / ear.fftSize,
    };
  });
}
