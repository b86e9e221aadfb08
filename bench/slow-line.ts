/** A TCP proxy that adds a round trip to a service nearby, and counts the HTTP requests that go through it, whoever sends them. */
import { createServer, connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface SlowLine extends AsyncDisposable {
  readonly port: number;
  /** Requests so far. */
  readonly requests: number;
}

const MARK = Buffer.from(" HTTP/1.1\r\n");
/** What may be under way on one connection in one direction; beyond it the sender waits, as on a real line. */
const WINDOW_BYTES = 8 << 20;

export async function slowLine(to: { readonly host: string; readonly port: number }, roundTripMs: number): Promise<SlowLine> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const service = connect(to);
    for (const socket of [client, service]) {
      socket.setNoDelay(true);
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => sockets.delete(socket));
    }
    carry(client, service, roundTripMs / 2, counter());
    carry(service, client, roundTripMs / 2, () => {});
  });

  /** Sees a request line also where two chunks meet. Only the lines of requests end so: those of answers begin with it. */
  function counter(): (chunk: Buffer) => void {
    let tail = Buffer.alloc(0);
    return (chunk) => {
      const text = Buffer.concat([tail, chunk]);
      for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + MARK.length)) requests++;
      tail = Buffer.from(text.subarray(Math.max(0, text.length - MARK.length + 1)));
    };
  }

  await new Promise<void>((done, fail) => server.once("error", fail).listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function carry(from: Socket, to: Socket, delayMs: number, see: (chunk: Buffer) => void): void {
  let held = 0;
  from.on("data", (chunk) => {
    see(chunk);
    held += chunk.length;
    if (held > WINDOW_BYTES) from.pause();
    // Timers of one length fire in the order in which they were set.
    setTimeout(() => {
      held -= chunk.length;
      if (held <= WINDOW_BYTES) from.resume();
      if (!to.destroyed) to.write(chunk);
    }, delayMs);
  });
  from.once("end", () => setTimeout(() => to.end(), delayMs));
  from.once("close", () => setTimeout(() => to.destroy(), delayMs + 1));
}
