/** Bytes in order, once, pulled and never pushed: the one implementation that every body above and below runs through. */
import { StoreError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import { abortable, rawSource } from "./raw-source.ts";
import type { RawBody } from "./raw-source.ts";

/** Watches bytes without being in their way: no promise per layer and chunk unless `chunk` returns one, which holds the flow back. */
export interface ByteObserver {
  /** A throw fails the body with what was thrown. */
  chunk?(bytes: Uint8Array): void | Promise<void>;
  /** Exactly once, whatever happens: read to the end (complete), failed (error), or closed before the end (neither). */
  end?(outcome: { readonly bytes: number; readonly complete: boolean; readonly error: unknown }): void;
}
/**
 * Bytes in order, once. Pulled, never pushed: nothing is read ahead. It ends with undefined only after exactly `length` bytes (where
 * known); any other end is an error. After an error or close every pull says undefined or that error.
 * close() lets go of everything held, ALSO when nothing was ever pulled: async generators and the iterators of Node streams do not,
 * so a layer that changes bytes makes its stream with `byteStream`, never by returning an async generator.
 */
export interface ByteStream extends AsyncIterable<Uint8Array>, AsyncDisposable {
  readonly length: number | null;
  /** All of it is in memory: `all()` costs nothing, and it cannot break off. */
  readonly inMemory: boolean;
  /** The next bytes. Of a body that is written they are good until the next pull: its source may fill the same buffer again. Of one that is read they are the reader's. */
  pull(): Promise<Uint8Array | undefined>;
  /** Everything as one array, borrowed: neither changed nor kept. Bytes that are in memory already are not copied and not iterated. */
  all(): Promise<Uint8Array>;
  observe(observer: ByteObserver): void;
  close(): Promise<void>;
}
export interface ByteSource {
  readonly length: number | null;
  pull(): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  close?(): void | Promise<void>;
  /** What a wrong length becomes. Default: `unavailable`, transient. */
  readonly wrongLength?: ErrorCode | undefined;
}

type State = "live" | "complete" | "failed" | "closed";

class Stream implements ByteStream {
  readonly length: number | null;
  readonly inMemory: boolean;
  /** In memory that nobody else holds. */
  readonly #handedOver: boolean;
  readonly #source: ByteSource;
  #observers: ByteObserver[] | undefined;
  #state: State = "live";
  #error: unknown;
  #bytes = 0;
  #released: Promise<void> | undefined;
  /** Ends the pulls that wait for the source: one as a rule, more where a reader asks again before it was answered. */
  #waiting: Set<(nothing: undefined) => void> | undefined;

  constructor(source: ByteSource, inMemory: boolean, handedOver: boolean) {
    this.#source = source;
    this.length = source.length;
    this.inMemory = inMemory;
    this.#handedOver = handedOver;
  }

  /** The bytes of this stream as the caller's own: a copy, unless they are nobody else's already. */
  static own(stream: ByteStream, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const given: unknown = stream;
    const { buffer, byteLength } = bytes;
    // What was gathered from a stream that is not in memory was gathered for this caller.
    const own = #handedOver in (given as object) && ((given as Stream).#handedOver || !stream.inMemory);
    const alone = own && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
    if (!alone) return new Uint8Array(bytes);
    return bytes instanceof Buffer ? new Uint8Array(buffer) : (bytes as Uint8Array<ArrayBuffer>);
  }

  async pull(): Promise<Uint8Array | undefined> {
    try {
      while (this.#state === "live") {
        const next = this.#source.pull();
        const chunk = next === undefined || next instanceof Uint8Array ? next : await this.#orClosed(next);
        if (this.#state !== "live") break;
        if (chunk === undefined) {
          if (this.length !== null && this.#bytes !== this.length) throw wrongLength(this.#source, "the body ended early");
          this.#end("complete", undefined);
          break;
        }
        if (!(chunk instanceof Uint8Array)) throw new TypeError("a body yields bytes (Uint8Array)");
        if (chunk.byteLength === 0) continue;
        this.#bytes += chunk.byteLength;
        if (this.length !== null && this.#bytes > this.length) throw wrongLength(this.#source, "the body is longer than announced");
        if (this.#observers !== undefined)
          for (const observer of this.#observers) {
            const wait = observer.chunk?.(chunk);
            if (wait instanceof Promise) await wait;
          }
        if (this.#state !== "live") break;
        return chunk;
      }
    } catch (error) {
      // What comes after close() is nobody's error any more.
      if (this.#state === "live") {
        this.#end("failed", error);
        await this.#release().catch(() => {});
      }
    }
    if (this.#state === "failed") throw this.#error;
    if (this.#state === "complete") await this.#release();
    return undefined;
  }

  /** What the source gives, or nothing as soon as this is closed: a source that never answers holds nobody. */
  #orClosed(next: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    const waiting = (this.#waiting ??= new Set());
    return new Promise((done, fail) => {
      waiting.add(done);
      next.then(done, fail).finally(() => waiting.delete(done));
    });
  }

  all(): Promise<Uint8Array> {
    if (!this.inMemory || this.#observers !== undefined || this.#state !== "live") return this.#all();
    // In memory, and nobody watches: nothing to wait for.
    const bytes = this.#source.pull() as Uint8Array | undefined;
    this.#state = "complete";
    this.#bytes = this.length as number;
    return Promise.resolve(bytes ?? EMPTY);
  }

  async #all(): Promise<Uint8Array> {
    if (this.#bytes > 0) throw new Error("a body is taken whole before any of it was pulled");
    const whole = await this.#gather();
    // A closed body ends without a word; what had come by then is not all of it.
    if (this.#state === "closed") throw new StoreError("closed", "the body was closed before its end");
    return whole;
  }

  async #gather(): Promise<Uint8Array> {
    const first = await this.pull();
    if (first === undefined) return EMPTY;
    if (this.inMemory) {
      // Nothing more comes; asking for it tells whoever watches that this was the end.
      await this.pull();
      return first;
    }
    // Copied before the next is asked for: a source may fill one buffer again and again.
    const { length } = this;
    if (length !== null && length <= PREPARED_BYTES) return this.#fill(new Uint8Array(length), first);
    const chunks = [new Uint8Array(first)];
    for (let chunk = await this.pull(); chunk !== undefined; chunk = await this.pull()) chunks.push(new Uint8Array(chunk));
    return concat(chunks);
  }

  /** Into one array of the known length, so that it is not held twice. */
  async #fill(whole: Uint8Array, first: Uint8Array): Promise<Uint8Array> {
    let at = 0;
    for (let chunk: Uint8Array | undefined = first; chunk !== undefined; chunk = await this.pull()) {
      whole.set(chunk, at);
      at += chunk.byteLength;
    }
    return whole;
  }

  observe(observer: ByteObserver): void {
    if (this.#state !== "live" || this.#bytes > 0) throw new Error("a body is observed before it is read");
    (this.#observers ??= []).push(observer);
  }

  close(): Promise<void> {
    if (this.#state === "live") {
      this.#end("closed", undefined);
      if (this.#error !== undefined) return this.#release().then(() => Promise.reject(this.#error as Error));
    }
    return this.#release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let chunk = await this.pull(); chunk !== undefined; chunk = await this.pull()) yield chunk;
    } finally {
      await this.close();
    }
  }

  #end(state: "complete" | "failed" | "closed", error: unknown): void {
    this.#state = state;
    this.#error = error;
    if (this.#waiting !== undefined) for (const wake of this.#waiting) wake(undefined);
    const observers = this.#observers;
    if (observers === undefined) return;
    this.#observers = undefined;
    let failed: { readonly error: unknown } | undefined;
    for (const observer of observers) {
      // One that throws is a defect, and must not keep the others from letting go of what they hold.
      try {
        observer.end?.({ bytes: this.#bytes, complete: state === "complete", error });
      } catch (thrown) {
        failed ??= { error: thrown };
      }
    }
    if (failed === undefined || state === "failed") return;
    this.#state = "failed";
    this.#error = failed.error;
    void this.#release().catch(() => {});
  }

  #release(): Promise<void> {
    return (this.#released ??= this.#source.close === undefined ? DONE : releasing(this.#source));
  }
}

const EMPTY = new Uint8Array(0);
/** Up to this size a length that was only announced is worth memory before the bytes are there. */
const PREPARED_BYTES = 64 << 20;
const DONE = Promise.resolve();

async function releasing(source: ByteSource): Promise<void> {
  await source.close?.();
}

function wrongLength(source: ByteSource, reason: string): StoreError {
  return new StoreError(source.wrongLength ?? "unavailable", reason);
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const chunk of chunks) length += chunk.byteLength;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

export function byteStream(source: ByteSource): ByteStream {
  return new Stream(source, false, false);
}

/** Bytes that are in memory, as memory of the caller's own, with its own ArrayBuffer. */
export const ownBytes: (stream: ByteStream, bytes: Uint8Array) => Uint8Array<ArrayBuffer> = Stream.own;

/** Bytes that are there already. Borrowed: whoever gets them neither changes nor keeps them, but for the caller at the top where they were handed over. */
export function bytesInMemory(bytes: Uint8Array, handedOver = false): ByteStream {
  let given = false;
  const pull = (): Uint8Array | undefined => {
    if (given) return undefined;
    given = true;
    return bytes;
  };
  return new Stream({ length: bytes.byteLength, pull }, true, handedOver);
}

/** Bytes, any iterable of bytes, a web stream or a Node stream as a ByteStream that keeps the promises above. */
export function bytesFrom(body: RawBody, options: { readonly length?: number | null | undefined; readonly signal?: AbortSignal | undefined } = {}): ByteStream {
  const length = options.length ?? null;
  if (body instanceof Uint8Array && (length === null || length === body.byteLength)) return bytesInMemory(body);
  if (isByteStream(body) && options.signal === undefined && (length === null || length === body.length)) return body;
  const raw = rawSource(body);
  return byteStream(options.signal === undefined ? { length, ...raw } : { length, ...abortable(raw, options.signal) });
}

export function isByteStream(body: unknown): body is ByteStream {
  return body instanceof Stream;
}
