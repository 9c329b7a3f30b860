import { pause, wait } from "../wait";

const type = "audio/webm;codecs=opus";
// Sound that lags behind the picture further than this is skipped, in seconds.
const mostLag = 0.8;
const lag = 0.15;
// What was played is dropped from memory after this long, in seconds.
const keep = 10;

/** Whether this browser can play a desktop's sound. */
export const canPlay = (): boolean => typeof MediaSource !== "undefined" && MediaSource.isTypeSupported(type);

/**
 * Plays the sound of a desktop until the signal is aborted; connects again after a break. `address` is the WebSocket of
 * its endpoint: WebM with Opus, as the API says. `state` is told whether sound comes.
 */
export async function playAudio(address: string, state: (playing: boolean) => void, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const played = await playOnce(address, state, signal);
    state(false);
    failures = played ? 1 : failures + 1;
    await wait(Math.max(1000, pause(failures)), signal);
  }
}

/** One connection, from its first byte to its end; tells whether sound came. */
function playOnce(address: string, state: (playing: boolean) => void, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const source = new MediaSource();
    const player = new Audio();
    const url = URL.createObjectURL(source);
    const socket = new WebSocket(address, ["binary"]);
    socket.binaryType = "arraybuffer";
    const waiting: ArrayBuffer[] = [];
    let buffer: SourceBuffer | undefined;
    let came = false;
    let over = false;

    const end = () => {
      if (over) return;
      over = true;
      signal.removeEventListener("abort", end);
      socket.close();
      player.pause();
      player.removeAttribute("src");
      URL.revokeObjectURL(url);
      resolve(came);
    };
    const next = () => {
      if (over || !buffer || buffer.updating) return;
      try {
        catchUp(player);
        const old = player.currentTime - keep;
        const chunk = waiting.shift();
        if (chunk) buffer.appendBuffer(chunk);
        else if (buffer.buffered.length > 0 && buffer.buffered.start(0) < old - keep) buffer.remove(0, old);
      } catch {
        // What the browser cannot take ends this connection; the next one begins anew.
        end();
      }
    };
    signal.addEventListener("abort", end, { once: true });
    source.addEventListener("sourceopen", () => {
      buffer = source.addSourceBuffer(type);
      buffer.mode = "sequence";
      buffer.addEventListener("updateend", next);
      next();
    });
    player.addEventListener("playing", () => state(true));
    player.addEventListener("error", end);
    socket.addEventListener("message", (event) => {
      came = true;
      waiting.push(event.data as ArrayBuffer);
      next();
    });
    socket.addEventListener("close", end);
    player.src = url;
    // Pressing the button was the gesture that browsers want before they play.
    player.play().catch(end);
  });
}

function catchUp(player: HTMLAudioElement): void {
  const { buffered } = player;
  if (buffered.length === 0) return;
  const newest = buffered.end(buffered.length - 1);
  if (newest - player.currentTime > mostLag) player.currentTime = Math.max(buffered.start(buffered.length - 1), newest - lag);
}
