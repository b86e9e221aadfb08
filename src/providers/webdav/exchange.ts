/**
 * One request over node:http: how it starts, what comes back, what went wrong. Downloads and uploads are made of it.
 *
 * Bytes do not go through the package: its PUT sends an empty file and reports success when a digest challenge meets a stream that is spent, its
 * download of a cut answer neither ends nor fails, and neither it nor fetch can say `Expect: 100-continue`, by which a stream waits until the server wants it.
 */
import type { Watchdog } from "../../store/index.ts";
import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { StoreError } from "../../store/index.ts";
import { networkCause } from "./errors.ts";
import type { Answer } from "./errors.ts";
import type { Settings } from "./options.ts";
import type { Pool } from "./wire.ts";

/** A request that failed on the way, with what is needed to know whether it may be sent again. What it failed of is its cause. */
export class TransferError extends Error {
  /** On a connection that had served another request before. */
  readonly reused: boolean;
  /** The body was opened. */
  readonly spent: boolean;
  constructor(cause: unknown, reused: boolean, spent: boolean) {
    super("a transfer failed", { cause });
    this.reused = reused;
    this.spent = spent;
  }
}

/** The server had closed this connection while it was idle, and the request met that: nothing of it was heard. */
export function wentStale(error: unknown): boolean {
  if (!(error instanceof TransferError) || !error.reused) return false;
  const code = networkCause(error.cause)?.code;
  return code === "ECONNRESET" || code === "EPIPE";
}

/** Of an answer that is no file so much is kept, and so much read. */
const KEPT = 16 << 10;
const LONGEST_PAGE = 1 << 20;

export function start(settings: Settings, pool: Pool, method: string, href: string, headers: Readonly<Record<string, string>>): ClientRequest {
  const send = settings.secure ? httpsRequest : httpRequest;
  return send({
    host: settings.host,
    port: settings.port,
    method,
    path: href,
    agent: pool,
    headers: { ...settings.headers, "Accept-Encoding": "identity", ...headers },
  });
}

/** The answer of a request, or what it failed with, or what stopped it. */
export function answerTo(request: ClientRequest, dog: Watchdog): Promise<IncomingMessage> {
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

export const headersOf = (message: IncomingMessage): Answer["headers"] => ({
  get(name) {
    const value = message.headers[name];
    return value === undefined ? null : Array.isArray(value) ? value.join(", ") : value;
  },
});

/**
 * The text of an answer that is no file. By events, not by iteration: an answer that came before the body was sent never closes by itself, and an
 * iterator waits for that.
 */
export function textOf(message: IncomingMessage, dog: Watchdog): Promise<string> {
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
