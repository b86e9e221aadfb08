/**
 * One HTTP exchange over an undici dispatcher: small answers arrive whole, large ones as a stream that is pulled.
 *
 *   const answer = await exchange(pool, { method: "GET", path: "/bucket/key", headers }, timeouts, "stream", signal);
 *
 * The dispatcher's own `request` makes a Node stream of every answer, which costs more than the rest of a small read. A pull never reads ahead
 * more than a few socket reads; closing an unread answer drops its connection.
 */
import type { Dispatcher } from "undici";
import { byteStream, StoreError, type ByteStream } from "../../store/index.ts";

export interface Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** With the query, escaped, and sent exactly as it stands: a URL parser would resolve dot segments. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
}
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Bytes where they are all here, else a stream: only for "stream", success and more than a little. */
  readonly body: Uint8Array | ByteStream;
}
export interface Timeouts {
  readonly answerMs: number;
  readonly idleMs: number;
}

/** Answers up to this come as one array. */
const COLLECT_BYTES = 256 * 1024;
/** A page of 1,000 keys of 1,024 escaped bytes stays below it; nothing that is read whole is larger. */
const MAX_WHOLE_BYTES = 16 * 1024 ** 2;
/** Read ahead of the reader before the socket is held back, and from where it goes on. */
const HIGH_BYTES = 512 * 1024;
const LOW_BYTES = 128 * 1024;

const EMPTY = new Uint8Array(0);

export function headerOf(answer: { readonly headers: Answer["headers"] }, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

export function exchange(
  dispatcher: Dispatcher,
  request: Request,
  timeouts: Timeouts,
  want: "whole" | "stream",
  keepAlive: boolean,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((done, fail) => {
    if (signal?.aborted === true) return fail(asError(signal.reason));
    dispatcher.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers,
        // undici passes on any async iterable; its types name fewer.
        body: (request.body ?? null) as Uint8Array | null,
        headersTimeout: timeouts.answerMs,
        bodyTimeout: timeouts.idleMs,
        // undici closes after a HEAD unless told otherwise.
        reset: !keepAlive,
      },
      new Exchange(want, signal, done, fail),
    );
  });
}

type Head = Omit<Answer, "body">;

class Exchange implements Dispatcher.DispatchHandler {
  readonly #want: "whole" | "stream";
  readonly #signal: AbortSignal | undefined;
  readonly #done: (answer: Answer) => void;
  readonly #fail: (error: Error) => void;
  readonly #aborted = (): void => this.#stop(asError(this.#signal?.reason));
  #controller: Dispatcher.DispatchController | undefined;
  #answer: Head | undefined;
  #chunks: Uint8Array[] = [];
  #held = 0;
  #streaming = false;
  #ended = false;
  #error: Error | undefined;
  #waiting: { done(chunk: Uint8Array | undefined): void; fail(error: Error): void } | undefined;

  constructor(want: "whole" | "stream", signal: AbortSignal | undefined, done: (answer: Answer) => void, fail: (error: Error) => void) {
    this.#want = want;
    this.#signal = signal;
    this.#done = done;
    this.#fail = fail;
    signal?.addEventListener("abort", this.#aborted, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#error !== undefined) controller.abort(this.#error);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Answer["headers"]): void {
    if (status < 200) return;
    this.#answer = { status, headers };
    if (this.#want === "whole" || status >= 300) return;
    const length = Number(headerOf(this.#answer, "content-length") ?? Number.NaN);
    if (length <= COLLECT_BYTES) return;
    this.#streaming = true;
    this.#done({
      status,
      headers,
      body: byteStream({ length: Number.isNaN(length) ? null : length, pull: () => this.#pull(), close: () => this.#stop(new Error("the reader went away")) }),
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.done(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#held += chunk.byteLength;
    if (this.#streaming) {
      if (this.#held >= HIGH_BYTES) controller.pause();
    } else if (this.#held > MAX_WHOLE_BYTES) controller.abort(new StoreError("unavailable", "the answer is larger than any right one"));
  }

  onResponseEnd(): void {
    this.#settle();
    this.#ended = true;
    if (this.#streaming) return this.#waiting?.done(undefined);
    const { status, headers } = this.#answer as Head;
    this.#done({ status, headers, body: joined(this.#chunks) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#failed(error);
  }

  #failed(error: Error): void {
    if (this.#ended || this.#error !== undefined) return;
    this.#settle();
    this.#error = error;
    this.#chunks = [];
    if (!this.#streaming) this.#fail(error);
    else this.#waiting?.fail(error);
  }

  #stop(error: Error): void {
    if (this.#ended || this.#error !== undefined) return;
    this.#failed(error);
    // Not yet on a connection: onRequestStart sees the error before a byte is written.
    this.#controller?.abort(error);
  }

  #pull(): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#held -= chunk.byteLength;
      if (this.#controller?.paused === true && this.#held <= LOW_BYTES) this.#controller.resume();
      return chunk;
    }
    if (this.#error !== undefined) throw this.#error;
    if (this.#ended) return undefined;
    return new Promise((done, fail) => {
      this.#waiting = { done, fail };
    });
  }

  #settle(): void {
    this.#signal?.removeEventListener("abort", this.#aborted);
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length <= 1) return chunks[0] ?? EMPTY;
  return Buffer.concat(chunks);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("aborted", { cause: reason });
}
