/**
 * Bytes of files, up and down, over node:http.
 *
 * Not by the package: its PUT sends an empty file and reports success when a digest challenge meets a stream that is spent, its download of a cut
 * answer neither ends nor fails, and neither it nor fetch can say `Expect: 100-continue`, by which a stream waits until the server wants it.
 */
import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { StoreError } from "../../store/index.ts";
import type { Source } from "../../store/index.ts";
import type { Answer } from "./errors.ts";
import type { Settings } from "./options.ts";
import { watchdog } from "./watchdog.ts";
import type { Watchdog } from "./watchdog.ts";
import type { Pool } from "./wire.ts";

export interface Download extends Answer {
  /** Ends after exactly the announced bytes or fails. Null where the answer is an error, whose text is read. */
  readonly body: (AsyncIterable<Uint8Array> & { destroy(): void }) | null;
  readonly reused: boolean;
}
export interface Upload extends Answer {
  /** The body was opened: one that can be read only once is gone. */
  readonly spent: boolean;
  /** `Expect` was said and nothing came of it in time. */
  readonly ignoredExpect: boolean;
  readonly bytes: number;
}
/** A request that failed, with what is needed to know whether it may be sent again. */
export class TransferError extends Error {
  readonly reused: boolean;
  readonly spent: boolean;
  constructor(cause: unknown, reused: boolean, spent: boolean) {
    super("a transfer failed", { cause });
    this.reused = reused;
    this.spent = spent;
  }
}

/** Of an answer that is no file so much is kept, and so much read. */
const KEPT = 16 << 10;
const LONGEST_PAGE = 1 << 20;
/** So much of a body is in the server's hands anyway when it answers early. */
const DRAINED = 16 << 10;
/** Larger bodies, and all that are not in memory, ask before they are sent. */
const ASKS_FIRST = 1 << 20;

function start(settings: Settings, pool: Pool, method: string, href: string, headers: Readonly<Record<string, string>>): ClientRequest {
  const send = settings.secure ? httpsRequest : httpRequest;
  return send({ host: settings.host, port: settings.port, method, path: href, agent: pool, headers: { ...settings.headers, "Accept-Encoding": "identity", ...headers } });
}

/** The answer of a request, or what it failed with, or what stopped it. */
function answerTo(request: ClientRequest, dog: Watchdog): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    request.on("error", fail); // First, and for good: what fails when nobody waits any more must not end the process.
    const stop = (): void => {
      request.destroy();
      fail(dog.signal.reason);
    };
    if (dog.signal.aborted) return stop();
    dog.signal.addEventListener("abort", stop, { once: true });
    request.once("response", done);
  });
}

const headersOf = (message: IncomingMessage): Answer["headers"] => ({
  get(name) {
    const value = message.headers[name];
    return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
  },
});

/**
 * The text of an answer that is no file. By events, not by iteration: an answer that came before the body was sent never closes by itself, and an
 * iterator waits for that.
 */
function textOf(message: IncomingMessage, dog: Watchdog): Promise<string> {
  return new Promise((done, fail) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const end = (): void => done(Buffer.concat(chunks).toString("utf8"));
    message.on("data", (chunk: Uint8Array) => {
      dog.touch();
      bytes += chunk.byteLength;
      if (bytes <= KEPT) chunks.push(chunk);
      else if (bytes > LONGEST_PAGE) {
        // An error page without end: what it says is known by now.
        end();
        message.destroy();
      }
    });
    message.once("end", end);
    message.once("error", fail);
    message.once("close", () => (message.complete ? end() : fail(dog.signal.aborted ? dog.signal.reason : brokenOff())));
    dog.signal.addEventListener("abort", () => message.destroy(), { once: true });
  });
}

function brokenOff(): StoreError {
  return new StoreError("unavailable", "the answer broke off");
}

export async function download(settings: Settings, pool: Pool, method: "GET" | "HEAD", href: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<Download> {
  const dog = watchdog(settings.clock, settings.timeoutMs, signal);
  const request = start(settings, pool, method, href, headers);
  try {
    const answered = answerTo(request, dog);
    request.end();
    const message = await answered;
    const { statusCode: status = 0 } = message;
    const reused = request.reusedSocket;
    if (method === "GET" && (status === 200 || status === 206)) return { status, headers: headersOf(message), text: "", body: bodyOf(message, dog), reused };
    const text = await textOf(message, dog);
    dog.stop();
    return { status, headers: headersOf(message), text, body: null, reused };
  } catch (error) {
    dog.stop();
    if (dog.signal.aborted) throw dog.signal.reason;
    throw new TransferError(error, request.reusedSocket, false);
  }
}

/** The bytes of an answer. Closing, also unread, lets go of the connection at once; a server that falls silent in the middle is noticed. */
function bodyOf(message: IncomingMessage, dog: Watchdog): AsyncIterable<Uint8Array> & { destroy(): void } {
  const stop = (): unknown => message.destroy(dog.signal.reason as Error);
  if (dog.signal.aborted) stop();
  else dog.signal.addEventListener("abort", stop, { once: true });
  message.once("close", () => dog.stop());
  dog.pause();
  message.on("error", () => {}); // The reader is told by the iterator; nobody else needs to be.
  const chunks = message[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          dog.touch();
          const next = await chunks.next();
          dog.pause(); // How long the reader takes is the reader's affair.
          return next;
        } catch (error) {
          throw dog.signal.aborted ? dog.signal.reason : error;
        }
      },
      async return() {
        message.destroy();
        return { done: true, value: undefined };
      },
    }),
    destroy() {
      message.destroy();
      dog.stop();
    },
  };
}

export async function upload(settings: Settings, pool: Pool, href: string, headers: Readonly<Record<string, string>>, source: Source, asks: boolean, signal: AbortSignal | undefined): Promise<Upload> {
  const dog = watchdog(settings.clock, settings.timeoutMs, signal);
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
      const sent = await pump(request, source, answered, dog);
      bytes = sent.bytes;
      dog.linger();
      message = sent.early ?? (await answered);
    }
    const { statusCode: status = 0 } = message;
    // A refusal may have come before the body was read, and what is left of that would stand before the next request on this connection.
    const refusal = message;
    if (status >= 300 && bytes > DRAINED) refusal.prependOnceListener("end", () => refusal.socket.destroy());
    const text = await textOf(message, dog);
    if (status < 300 && !request.writableFinished) throw new StoreError("unavailable", "the server called the file stored before it had the body", { applied: "unknown" });
    // With the body unsent, or sent in part, the connection cannot be used for anything else.
    if (!request.writableFinished) request.destroy();
    return { status, headers: headersOf(message), text, spent, ignoredExpect, bytes };
  } catch (error) {
    request.destroy();
    if (dog.signal.aborted) throw dog.signal.reason;
    throw error instanceof BodyFailed ? error.cause : new TransferError(error, request.reusedSocket, spent);
  } finally {
    dog.stop();
  }
}

/** Waits for "continue", an answer, or long enough. */
async function goAhead(request: ClientRequest, answered: Promise<IncomingMessage>, settings: Settings, dog: Watchdog): Promise<IncomingMessage | "continue" | "silence"> {
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
async function pump(request: ClientRequest, source: Source, answered: Promise<IncomingMessage>, dog: Watchdog): Promise<{ readonly bytes: number; readonly early: IncomingMessage | undefined }> {
  const stream = source.open();
  try {
    if (stream.inMemory) {
      const all = await pulled(stream.all());
      request.end(all);
      return { bytes: all.byteLength, early: undefined };
    }
    let bytes = 0;
    let early: IncomingMessage | undefined;
    let failed: { readonly error: unknown } | undefined;
    let wake: (() => void) | undefined;
    answered.then((message) => (early = message), (error: unknown) => (failed = { error })).finally(() => wake?.());
    for (;;) {
      dog.pause(); // A slow source is no silent server.
      const chunk = await pulled(stream.pull());
      dog.touch();
      if (early !== undefined) return { bytes, early };
      if (failed !== undefined) throw failed.error;
      if (chunk === undefined) break;
      await new Promise<void>((done) => {
        wake = done;
        request.write(chunk, () => done());
      });
      bytes += chunk.byteLength;
      dog.touch();
    }
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
