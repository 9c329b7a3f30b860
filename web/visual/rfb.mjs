// A VNC server with one still picture, enough for noVNC (RFC 6143, sections 7.1 to 7.6).
import { WebSocketServer } from "ws";

const [width, height] = [1280, 800];

/** Answers upgrades with a desktop of that name. */
export function still(name) {
  const server = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });
  server.on("connection", (socket) => {
    let step = 0;
    let drawn = false;
    socket.send(Buffer.from("RFB 003.008\n"));
    socket.on("message", (data) => {
      step++;
      if (step === 1) return socket.send(Buffer.from([1, 1])); // One security type: none.
      if (step === 2) return socket.send(Buffer.alloc(4)); // It is accepted.
      if (step === 3) return socket.send(serverInit(name));
      // A request for an update; everything else needs no answer.
      if (data[0] === 3 && !drawn) {
        drawn = true;
        socket.send(Buffer.concat([Buffer.from([0, 0, 0, 1]), rectangle(), picture()]));
      }
      return undefined;
    });
  });
  return server;
}

function serverInit(name) {
  const text = Buffer.from(name);
  const head = Buffer.alloc(24);
  head.writeUInt16BE(width, 0);
  head.writeUInt16BE(height, 2);
  // 32 bits a pixel, depth 24, true colour.
  Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0]).copy(head, 4);
  head.writeUInt32BE(text.length, 20);
  return Buffer.concat([head, text]);
}

function rectangle() {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(width, 4);
  head.writeUInt16BE(height, 6);
  return head;
}

/** The pixels of something like a desktop: a wallpaper, a window with some text. noVNC asks for red first. */
export function picture() {
  const pixels = Buffer.alloc(width * height * 4);
  const fill = (x0, y0, w, h, colour) => {
    for (let y = y0; y < y0 + h; y++) for (let x = x0; x < x0 + w; x++) pixels.set([...colour(x, y), 255], 4 * (y * width + x));
  };
  fill(0, 0, width, height, (x, y) => [28 + y / 14, 78 + x / 24, 84 + y / 10].map(Math.round));
  fill(90, 60, 860, 600, () => [250, 250, 248]);
  fill(90, 60, 860, 44, () => [226, 230, 226]);
  fill(106, 70, 220, 34, () => [250, 250, 248]);
  fill(90, 104, 860, 40, () => [250, 250, 248]);
  fill(150, 110, 640, 28, () => [236, 238, 236]);
  fill(140, 190, 420, 26, () => [40, 60, 48]);
  for (let line = 0; line < 12; line++) fill(140, 240 + line * 30, 560 + ((line * 137) % 180), 10, () => [188, 194, 190]);
  fill(640, 400, 540, 340, () => [24, 30, 27]);
  fill(640, 400, 540, 32, () => [52, 62, 56]);
  for (let line = 0; line < 8; line++) fill(660, 452 + line * 26, 120 + ((line * 97) % 300), 8, () => [134, 208, 164]);
  return pixels;
}

export const size = { width, height };
