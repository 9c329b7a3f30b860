// noVNC alone, at Sage's address: it does whatever noVNC can, and nothing of what Sage's page sees to.
import { readFile } from "node:fs/promises";

import { check } from "./browser.mjs";

const packaged = new URL("../../web/node_modules/@novnc/novnc/", import.meta.url);

// connect runs in the page.
async function connect(address) {
  const screen = document.createElement("div");
  screen.id = "screen";
  Object.assign(document.body.style, { margin: 0 });
  Object.assign(screen.style, { height: "100vh" });
  document.body.replaceChildren(screen);
  const { default: RFB } = await import("/plain/core/rfb.js");
  const socket = (window.socket = new WebSocket(address, ["binary"]));
  window.sent = {};
  window.copied = [];
  const send = socket.send.bind(socket);
  // noVNC makes one call for each message; its first byte is the type (RFC 6143, section 7.5).
  socket.send = (message) => {
    sent[message[0]] = (sent[message[0]] ?? 0) + 1;
    send(message);
  };
  socket.addEventListener("close", (event) => (window.ended = { clean: event.wasClean, code: event.code }));
  window.rfb = new RFB(screen, socket, { shared: true });
  rfb.addEventListener("clipboard", (event) => copied.push(event.detail.text));
  rfb.addEventListener("connect", () => {
    screen.dataset.state = "connected";
    rfb.focus();
  });
}

/** Starts a desktop of an app without a browser; gives what the API says of it. */
export async function startDesktop(address, app) {
  const ask = async (path, body) => {
    const answer = await fetch(new URL(path, address), body && { method: "POST", headers: { "content-type": "application/json" }, body });
    check(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
    return answer.json();
  };
  const { uid } = await ask("/api/vm/any/allocate", JSON.stringify({ vm: app }));
  return { ...(await ask(`/api/vm/${uid}`)), uid };
}

/** Has a person's noVNC connect to a stream's address, and waits until it has. */
export async function connectPlain(person, stream) {
  await person.page.route("**/plain/**", async (route) => {
    const path = new URL(route.request().url()).pathname.split("/plain/")[1];
    await route.fulfill({ body: await readFile(new URL(path, packaged)), contentType: "text/javascript" });
  });
  // Some page of Sage's address that does nothing by itself.
  await person.open("/healthz");
  await person.page.evaluate(connect, `${person.address.replace(/^http/, "ws")}${stream}/vnc`);
  await person.connected();
}

/** The colours that the tests give the terminal: the number in xterm's table, and what that looks like. */
export const magenta = { number: 201, rgb: [255, 0, 255] };
export const teal = { number: 30, rgb: [0, 135, 135] };
export const blue = { number: 21, rgb: [0, 0, 255] };

/** A command that gives all of the terminal a colour. */
export const paint = ({ number }) => String.raw`printf '\033[48;5;${number}m\033[2J'`;

export async function type(person, text) {
  await person.page.keyboard.type(text, { delay: 15 });
}

/** How much of a person's picture has a colour. */
export async function share(person, { rgb }) {
  return (await person.picture(rgb)).found;
}

/** Whether a person sees the terminal in a colour. */
export async function isPainted(person, colour) {
  return (await share(person, colour)) > 0.2;
}

/** Waits until a person sees the terminal in a colour. */
export async function painted(person, colour) {
  await person.until(`a terminal of colour ${colour.rgb}`, () => isPainted(person, colour));
}
