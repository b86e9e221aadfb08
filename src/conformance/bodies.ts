/**
 * Bodies that behave in a given way and remember what was done to them.
 *
 *   const body = broken([pattern(1000)], 600);           // fails after 600 bytes
 *   await rejects("bad-body", () => store.write("/a", body), "…");
 *   ok(body.closed, "the body was let go");
 */
export interface ProbedBody extends AsyncIterable<Uint8Array> {
  /** How often it was opened for reading. A stream may be opened once. */
  readonly opened: number;
  /** Bytes and chunks handed out. */
  readonly bytes: number;
  readonly pulls: number;
  /** It was read to its end, failed, or was closed before: nothing is held any more. */
  readonly closed: boolean;
  /** It was read to its end. */
  readonly ended: boolean;
}

type Pull = () => Promise<Uint8Array | undefined> | Uint8Array | undefined;

/** A body from a pull function, with a memory. `undefined` ends it, a throw fails it. */
export function probed(pull: Pull): ProbedBody {
  const seen = { opened: 0, bytes: 0, pulls: 0, closed: false, ended: false };
  return {
    get opened() {
      return seen.opened;
    },
    get bytes() {
      return seen.bytes;
    },
    get pulls() {
      return seen.pulls;
    },
    get closed() {
      return seen.closed;
    },
    get ended() {
      return seen.ended;
    },
    [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
      seen.opened += 1;
      const done = { done: true as const, value: undefined };
      return {
        async next() {
          if (seen.closed) return done;
          seen.pulls += 1;
          let chunk: Uint8Array | undefined;
          try {
            chunk = await pull();
          } catch (error) {
            seen.closed = true;
            throw error;
          }
          if (chunk === undefined) {
            seen.closed = true;
            seen.ended = true;
            return done;
          }
          seen.bytes += chunk.length;
          return { done: false as const, value: chunk };
        },
        async return() {
          seen.closed = true;
          return done;
        },
      };
    },
  };
}

/** Exactly these chunks, empty ones included. */
export function chunked(chunks: Iterable<Uint8Array>): ProbedBody {
  const iterator = chunks[Symbol.iterator]();
  return probed(() => {
    const next = iterator.next();
    return next.done ? undefined : next.value;
  });
}

/** `bytes` in pieces of `size`; the last one is what is left. */
export function pieces(bytes: Uint8Array, size: number): ProbedBody {
  let at = 0;
  return probed(() => {
    if (at >= bytes.length) return undefined;
    const chunk = bytes.subarray(at, at + size);
    at += size;
    return chunk;
  });
}

/** Runs `before(offset)` ahead of every piece: a competing call in the middle of a body, without threads and without sleeping. */
export function recorded(bytes: Uint8Array, size: number, before: (offset: number) => void | Promise<void>): ProbedBody {
  let at = 0;
  return probed(async () => {
    await before(at);
    if (at >= bytes.length) return undefined;
    const chunk = bytes.subarray(at, at + size);
    at += size;
    return chunk;
  });
}

/** Gives `after` bytes of `bytes` (in pieces of at most 1 KiB unless told), then fails with `error`. */
export function broken(
  bytes: Uint8Array,
  after: number,
  error: Error = new Error("the body of the check fails here, as it should"),
  size: number = 1024,
): ProbedBody {
  let at = 0;
  return probed(() => {
    if (at >= after) throw error;
    const chunk = bytes.subarray(at, Math.min(at + size, after, bytes.length));
    at += chunk.length;
    if (chunk.length === 0) throw error;
    return chunk;
  });
}

/**
 * Never ends by itself: gives `bytes`, then waits until `release` is called, which ends it, or the consumer goes away.
 * With `repeat` it gives `bytes` again and again instead, one macrotask apart so that aborts are seen.
 */
export function endless(bytes: Uint8Array, options: { readonly repeat?: boolean } = {}): ProbedBody & { release(): void } {
  let given = false;
  const gate = Promise.withResolvers<undefined>();
  const body = probed(async () => {
    if (options.repeat) {
      await new Promise((done) => setImmediate(done));
      return bytes;
    }
    if (!given) {
      given = true;
      return bytes;
    }
    return await gate.promise;
  });
  return Object.defineProperty(body, "release", { value: () => gate.resolve(undefined) }) as ProbedBody & { release(): void };
}
