/** Whatever gives bytes, as one pull and one close: iterables, web streams and Node streams each have their own way of starting, failing and being left. */

export type RawBody = Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** A ByteStream before its promises are kept. */
export interface Raw {
  pull(): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** The iteration of whatever it is, started at the first pull, and its end, also when it was never started. */
export function rawSource(body: RawBody): Raw {
  if (body instanceof Uint8Array) return rawIterable([body], undefined);
  if (body instanceof ReadableStream) return rawWeb(body);
  if (!isAsyncIterable(body)) throw new TypeError("a body is a string, bytes, a Blob, a stream, an async iterable of bytes or a Reopenable");
  const { destroy } = body as { destroy?: unknown };
  if (typeof destroy === "function") return rawNode(body as NodeLike);
  return rawIterable(body, body as Partial<AsyncDisposable>);
}

export function isAsyncIterable(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && typeof (body as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
}

function rawIterable(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, held: Partial<AsyncDisposable> | undefined): Raw {
  let iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array> | undefined;
  let done = false;
  let pulling = 0;
  const letGo = async (): Promise<void> => {
    if (!done) {
      done = true;
      await iterator?.return?.();
    }
    await held?.[Symbol.asyncDispose]?.();
  };
  return {
    async pull() {
      pulling++;
      try {
        iterator ??= Symbol.asyncIterator in body ? body[Symbol.asyncIterator]() : body[Symbol.iterator]();
        const next = await iterator.next();
        if (next.done !== true) return next.value;
        done = true;
        return undefined;
      } catch (error) {
        // An iterator that threw has ended.
        done = true;
        throw error;
      } finally {
        pulling--;
      }
    },
    async close() {
      // A generator returns only when the pull it is in has ended, which may be never: it lets go then, and nobody waits.
      if (pulling > 0) letGo().catch(() => {});
      else await letGo();
    },
  };
}

function rawWeb(body: ReadableStream<Uint8Array>): Raw {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return {
    async pull() {
      reader ??= body.getReader();
      const next = await reader.read();
      return next.done ? undefined : next.value;
    },
    async close() {
      // A locked stream belongs to somebody else, and one that failed says so again here: neither is news.
      if (reader !== undefined) await reader.cancel().catch(() => {});
      else if (!body.locked) await body.cancel().catch(() => {});
    },
  };
}

interface NodeLike extends AsyncIterable<Uint8Array> {
  destroy(error?: Error): unknown;
  on?(event: "error", listener: (error: unknown) => void): unknown;
}

function rawNode(body: NodeLike): Raw {
  // Without a listener an error that comes before the first pull, or after the last, ends the process. The iterator reports it to the reader.
  body.on?.("error", () => {});
  let iterator: AsyncIterator<Uint8Array> | undefined;
  return {
    async pull() {
      iterator ??= body[Symbol.asyncIterator]();
      const next = await iterator.next();
      return next.done === true ? undefined : next.value;
    },
    async close() {
      body.destroy();
    },
  };
}

/** The same, but a pull ends with the reason of the signal as soon as it fires, even where the source never answers. */
export function abortable(raw: Raw, signal: AbortSignal): Raw {
  const waiting = new Set<(reason: unknown) => void>();
  let listening = false;
  const fired = (): void => {
    for (const stop of waiting) stop(signal.reason);
  };
  const quiet = (): void => {
    if (listening) signal.removeEventListener("abort", fired);
    listening = false;
  };
  return {
    async pull() {
      if (signal.aborted) throw signal.reason;
      if (!listening) signal.addEventListener("abort", fired, { once: true });
      listening = true;
      const chunk = await new Promise<Uint8Array | undefined>((done, fail) => {
        waiting.add(fail);
        raw
          .pull()
          .then(done, fail)
          .finally(() => waiting.delete(fail));
      });
      if (chunk === undefined) quiet();
      return chunk;
    },
    async close() {
      quiet();
      const closed = raw.close();
      // A source that hangs in a pull may hang in its close as well: after an abort nobody waits for it.
      if (signal.aborted) closed.catch(() => {});
      else await closed;
    },
  };
}
