/** The bytes of a file, up: each chunk out before the next is asked for, and a stream waits until the server says that it wants it. */
import type { ClientRequest, IncomingMessage } from "node:http";
import { StoreError, watchdog } from "../../store/index.ts";
import type { Source, Watchdog } from "../../store/index.ts";
import type { Answer } from "./errors.ts";
import { TransferError, answerTo, headersOf, start, textOf } from "./exchange.ts";
import type { Settings } from "./options.ts";
import type { Pool } from "./wire.ts";

export interface Upload extends Answer {
  /** The body was opened: one that can be read only once is gone. */
  readonly spent: boolean;
  /** `Expect` was said and nothing came of it in time. */
  readonly ignoredExpect: boolean;
  readonly bytes: number;
}

/** Whether all of a body may be with the server, by any try: before that it has nothing to store. */
export interface Sent {
  whole: boolean;
}

/** So much of a body is in the server's hands anyway when it answers early. */
const DRAINED = 16 << 10;
/** Larger bodies, and all that are not in memory, ask before they are sent. */
const ASKS_FIRST = 1 << 20;

export async function upload(
  settings: Settings,
  pool: Pool,
  href: string,
  headers: Readonly<Record<string, string>>,
  source: Source,
  asks: boolean,
  sent: Sent,
  signal: AbortSignal | undefined,
): Promise<Upload> {
  const dog = watchdog(settings.clock, settings.timeoutMs, signal, "server");
  const { size } = source;
  const asksFirst = asks && (!source.inMemory || (size ?? 0) > ASKS_FIRST);
  const framing: Record<string, string> = size === null ? { "Transfer-Encoding": "chunked" } : { "Content-Length": String(size) };
  if (asksFirst) framing["Expect"] = "100-continue";
  const request = start(settings, pool, "PUT", href, { ...headers, ...framing });
  let spent = false;
  let bytes = 0;
  try {
    const answered = answerTo(request, dog);
    answered.catch(() => {}); // Awaited below; until then it must not count as unhandled.
    let message: IncomingMessage | undefined;
    let ignoredExpect = false;
    if (asksFirst) {
      const said = await goAhead(request, answered, settings, dog);
      if (typeof said === "object") message = said;
      ignoredExpect = said === "silence";
    }
    if (message === undefined) {
      spent = true;
      const pumped = await pump(request, source, answered, sent, dog);
      bytes = pumped.bytes;
      dog.linger();
      message = pumped.early ?? (await answered);
    }
    const { statusCode: status = 0 } = message;
    // A refusal may have come before the body was read, and what is left of that would stand before the next request on this connection.
    const refusal = message;
    if (status >= 300 && bytes > DRAINED) refusal.prependOnceListener("end", () => refusal.socket.destroy());
    const text = await textOf(message, dog);
    if (status < 300 && !request.writableFinished) {
      sent.whole = true; // By its own word.
      throw new StoreError("unavailable", "the server called the file stored before it had the body", { applied: "unknown" });
    }
    // With the body unsent, or sent in part, the connection cannot be used for anything else.
    if (!request.writableFinished) request.destroy();
    return { status, headers: headersOf(message), text, spent, ignoredExpect, bytes };
  } catch (error) {
    request.destroy();
    if (dog.signal.aborted) throw dog.signal.reason;
    if (error instanceof BodyFailed) throw error.cause;
    throw StoreError.is(error) ? error : new TransferError(error, request.reusedSocket, spent);
  } finally {
    dog.stop();
  }
}

/** Waits for "continue", an answer, or long enough. */
async function goAhead(
  request: ClientRequest,
  answered: Promise<IncomingMessage>,
  settings: Settings,
  dog: Watchdog,
): Promise<IncomingMessage | "continue" | "silence"> {
  const over = new AbortController();
  const continued = new Promise<"continue">((done) => request.once("continue", () => done("continue")));
  // The wait begins with the connection, not before: a slow handshake is no silence.
  const connected = new Promise<void>((done) => {
    request.once("socket", (socket) => (socket.connecting ? socket.once("connect", () => done()) : done()));
  });
  const silence = connected.then(() => settings.clock.sleep(settings.continueMs, over.signal, { background: true })).then(() => "silence" as const);
  silence.catch(() => {}); // Ended by `over`, below.
  request.flushHeaders();
  try {
    return await Promise.race([answered, continued, silence]);
  } finally {
    over.abort();
    dog.touch();
  }
}

/** The body given to write failed; what it failed with says everything. */
class BodyFailed extends Error {}

/** Sends the body, chunk by chunk, each one out before the next is asked for: it is borrowed. An answer that comes before the end stops it. */
async function pump(
  request: ClientRequest,
  source: Source,
  answered: Promise<IncomingMessage>,
  sent: Sent,
  dog: Watchdog,
): Promise<{ readonly bytes: number; readonly early: IncomingMessage | undefined }> {
  const stream = source.open();
  try {
    if (stream.inMemory) {
      const all = await pulled(stream.all());
      sent.whole = true;
      request.end(all);
      return { bytes: all.byteLength, early: undefined };
    }
    let bytes = 0;
    let early: IncomingMessage | undefined;
    let failed: { readonly error: unknown } | undefined;
    let wake: (() => void) | undefined;
    answered
      .then(
        (message) => (early = message),
        (error: unknown) => (failed = { error }),
      )
      .finally(() => wake?.());
    for (;;) {
      dog.pause(); // A slow source is no silent server.
      const chunk = await pulled(stream.pull());
      dog.touch();
      if (early !== undefined) return { bytes, early };
      if (failed !== undefined) throw failed.error;
      if (chunk === undefined) break;
      // With a length announced the server does not wait for the end.
      if (bytes + chunk.byteLength === source.size) sent.whole = true;
      await new Promise<void>((done) => {
        wake = done;
        request.write(chunk, () => done());
      });
      bytes += chunk.byteLength;
      dog.touch();
    }
    sent.whole = true;
    request.end();
    return { bytes, early: undefined };
  } finally {
    await stream.close();
  }
}

async function pulled<T>(pull: Promise<T>): Promise<T> {
  try {
    return await pull;
  } catch (cause) {
    throw new BodyFailed("the body failed", { cause });
  }
}
