import { pause, wait } from "../wait";

const type = 'audio/webm; codecs="opus"';
// Sound that lags behind the picture further than this is skipped, in seconds.
const mostLag = 0.8;
const lag = 0.15;
// What was played is dropped from memory after this long, in seconds.
const keep = 10;

// iPhones have only the managed kind, which the browser may tell to stop and to go on (W3C Media Source Extensions).
const Source = (globalThis as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource ?? globalThis.MediaSource;

/** Whether this browser can play a desktop's sound. */
export const canPlay = (): boolean => Source?.isTypeSupported(type) ?? false;

/**
 * Plays the sound of a desktop until the signal is aborted; connects again after a break. `address` is the WebSocket of
 * its endpoint: WebM with Opus, for every connection from its beginning. `heard` is told whether sound comes.
 */
export async function playAudio(player: HTMLAudioElement, address: string, heard: (playing: boolean) => void, signal: AbortSignal): Promise<void> {
  let failures = 0;
  try {
    while (!signal.aborted) {
      const played = await playOnce(player, address, heard, signal);
      heard(false);
      failures = played ? 1 : failures + 1;
      await wait(Math.max(1000, pause(failures)), signal);
    }
  } finally {
    heard(false);
  }
}

/** One connection, from its first byte to its end; tells whether sound came. */
function playOnce(player: HTMLAudioElement, address: string, heard: (playing: boolean) => void, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const source = new Source();
    const url = URL.createObjectURL(source);
    const socket = new WebSocket(address, ["binary"]);
    socket.binaryType = "arraybuffer";
    const waiting: ArrayBuffer[] = [];
    const over = new AbortController();
    const { signal: ended } = over;
    let buffer: SourceBuffer | undefined;
    let came = false;

    const end = () => {
      if (ended.aborted) return;
      over.abort();
      socket.close();
      player.pause();
      player.removeAttribute("src");
      player.load();
      URL.revokeObjectURL(url);
      resolve(came);
    };
    const next = () => {
      if (ended.aborted || !buffer || buffer.updating) return;
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
    signal.addEventListener("abort", end, { signal: ended });
    source.addEventListener(
      "sourceopen",
      () => {
        buffer = source.addSourceBuffer(type);
        buffer.mode = "sequence";
        buffer.addEventListener("updateend", next, { signal: ended });
        next();
      },
      { once: true, signal: ended },
    );
    player.addEventListener("playing", () => heard(true), { signal: ended });
    player.addEventListener("error", end, { signal: ended });
    socket.addEventListener("message", (event) => {
      came = true;
      waiting.push(event.data as ArrayBuffer);
      next();
    });
    socket.addEventListener("close", end);
    player.disableRemotePlayback = true;
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
