// The network between a browser and Sage: connections that can be cut, and a Sage that can be restarted behind them.
import { createServer, connect } from "node:net";
import { createInterface } from "node:readline";

/** Passes connections on to an address until they are cut. */
export class Network {
  #sockets = new Set();
  #up = true;

  static async to(address) {
    const network = new Network();
    network.target = new URL(address);
    network.server = createServer((near) => network.#pass(near));
    await new Promise((resolve) => network.server.listen(0, "127.0.0.1", resolve));
    network.address = `http://127.0.0.1:${network.server.address().port}`;
    return network;
  }

  #pass(near) {
    if (!this.#up) return near.resetAndDestroy();
    const far = connect(Number(this.target.port), this.target.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
    return undefined;
  }

  /** Ends every connection and lets no new one through. */
  cut() {
    this.#up = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#up = true;
  }
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Asks who has started this program to kill Sage and to start it again; gives the new address. */
export async function restartSage() {
  console.log("RESTART");
  const { value } = await lines.next();
  return value;
}
