/** The body of a write below the front, and what makes one of a caller's bytes or stream. */
import { byteStream, bytesInMemory } from "./byte-stream.ts";
import type { ByteObserver, ByteStream } from "./byte-stream.ts";
import type { Raw, RawBody } from "./raw-source.ts";
import type { ByteRange } from "./body.ts";
import { HashCheck, guarded, heldBack } from "./body-checks.ts";
import type { Hashes } from "./entry.ts";
import { StoreError } from "./errors.ts";

/** The body of a write below the front. */
export interface Source {
  /** Exact where known; the stream of `open` fails with `bad-body` when the count differs, so a commit after a clean end is a right commit. */
  readonly size: number | null;
  /** `open` may be called again, and with a range. */
  readonly replayable: boolean;
  /** `open` has been called. A source that is neither replayable nor unopened cannot be sent again. */
  readonly opened: boolean;
  /** The whole body is in memory: `await open().all()` costs nothing, and an SDK that is given bytes can send them again by itself. */
  readonly inMemory: boolean;
  open(range?: ByteRange): ByteStream;
}

/** What the front adds to a body. */
export interface BodyRules {
  readonly size?: number | undefined;
  readonly expect?: Hashes | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: { readonly bytes: number; readonly total: number | null }) => void) | undefined;
}
/** A Source that must be told when nobody is going to read it any more. */
export interface OwnedSource extends Source {
  /** Lets go of everything: closes what is open, and destroys a one-shot body that was never opened. */
  discard(): Promise<void>;
}

export class BytesSource implements OwnedSource {
  readonly size: number;
  readonly replayable = true;
  readonly inMemory = true;
  opened = false;
  readonly #bytes: Uint8Array;
  readonly #rules: BodyRules;

  constructor(bytes: Uint8Array, rules: BodyRules) {
    this.#bytes = bytes;
    this.#rules = rules;
    this.size = bytes.byteLength;
    if (rules.size !== undefined && rules.size !== this.size) throw wrongSize(rules.size, this.size);
    if (rules.expect !== undefined) {
      const check = new HashCheck(rules.expect);
      check.update(bytes);
      check.verify();
    }
  }

  open(range?: ByteRange): ByteStream {
    this.opened = true;
    const stream = bytesInMemory(
      range === undefined ? this.#bytes : this.#bytes.subarray(range.offset, range.length === undefined ? undefined : range.offset + range.length),
    );
    if (this.#rules.onProgress !== undefined) stream.observe(progress(this.#rules.onProgress, this.size));
    return stream;
  }

  async discard(): Promise<void> {}
}

export class StreamSource implements OwnedSource {
  readonly size: number | null;
  readonly replayable: boolean;
  readonly inMemory = false;
  opened = false;
  readonly #start: (range: ByteRange | undefined) => RawBody | Raw;
  readonly #rules: BodyRules;
  readonly #open = new Map<ByteStream, ByteRange | undefined>();
  /** Its own errors are StoreErrors already. */
  readonly #ours: boolean;
  /** Bytes given out in parts, for the progress. */
  #inParts = 0;
  #verified: Promise<void> | undefined;

  constructor(known: number | null, replayable: boolean, start: (range: ByteRange | undefined) => RawBody | Raw, rules: BodyRules, ours = false) {
    this.#start = start;
    this.#ours = ours;
    this.#rules = rules;
    this.replayable = replayable;
    this.size = known ?? rules.size ?? null;
    if (known !== null && rules.size !== undefined && rules.size !== known) {
      void this.discard();
      throw wrongSize(rules.size, known);
    }
  }

  open(range?: ByteRange): ByteStream {
    if (this.opened && !this.replayable) throw new Error("this body can be read only once");
    if (range !== undefined && !this.replayable) throw new Error("this body has no parts");
    this.opened = true;
    const { expect, onProgress } = this.#rules;
    const stream = range === undefined ? this.#whole(expect) : this.#part(range, expect);
    if (onProgress !== undefined) stream.observe(range === undefined ? progress(onProgress, this.size) : this.#progressOfPart(onProgress));
    this.#open.set(stream, range);
    stream.observe({ end: () => this.#open.delete(stream) });
    return stream;
  }

  #whole(expect: Hashes | undefined): ByteStream {
    return byteStream({ length: this.size, wrongLength: "bad-body", ...heldBack(this.#started(undefined), this.size, expect) });
  }

  #part(range: ByteRange, expect: Hashes | undefined): ByteStream {
    const length = range.length ?? (this.size === null ? null : this.size - range.offset);
    const { pull, close } = heldBack(this.#started(range), length, undefined);
    if (expect === undefined) return byteStream({ length, wrongLength: "bad-body", pull, close });
    // Parts are taken in any order, so no last chunk can be held back: the whole is read once before any of them is given.
    const verified = async (): Promise<Uint8Array | undefined> => {
      await (this.#verified ??= drained(this.#whole(expect)));
      return pull();
    };
    return byteStream({ length, wrongLength: "bad-body", pull: verified, close });
  }

  /** The caller's body from its start. What is still open of the same part is closed first: nobody reads it any more. */
  #started(range: ByteRange | undefined): Raw {
    const before = [...this.#open].filter(([, other]) => sameRange(range, other)).map(([stream]) => stream);
    const raw = guarded(() => this.#start(range), this.replayable, this.#rules.signal, this.#ours);
    if (before.length === 0) return raw;
    return {
      async pull() {
        for (const stream of before.splice(0)) await stream.close();
        return raw.pull();
      },
      close: () => raw.close(),
    };
  }

  /** Bytes taken so far of all parts together; a part that is taken again is not counted twice. */
  #progressOfPart(tell: NonNullable<BodyRules["onProgress"]>): ByteObserver {
    return {
      chunk: (chunk) => {
        this.#inParts += chunk.byteLength;
        tell({ bytes: this.#inParts, total: this.size });
      },
      end: ({ bytes, complete }) => {
        if (!complete) this.#inParts -= bytes;
      },
    };
  }

  async discard(): Promise<void> {
    for (const stream of this.#open.keys()) await stream.close();
    if (this.opened || this.replayable) return;
    this.opened = true;
    await (this.#start(undefined) as Raw).close().catch(() => {});
  }
}

function sameRange(a: ByteRange | undefined, b: ByteRange | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.offset === b.offset && a.length === b.length;
}

async function drained(stream: ByteStream): Promise<void> {
  while ((await stream.pull()) !== undefined);
}

function wrongSize(expected: number, actual: number): StoreError {
  return new StoreError("bad-body", `the body has ${actual} bytes, not ${expected}`, { applied: false });
}

function progress(tell: (progress: { readonly bytes: number; readonly total: number | null }) => void, total: number | null): ByteObserver {
  let bytes = 0;
  return {
    chunk(chunk) {
      bytes += chunk.byteLength;
      tell({ bytes, total });
    },
  };
}
