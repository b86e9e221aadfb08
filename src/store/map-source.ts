/** Sources made of sources: watched, changed on the way, a part of one. */
import { byteStream } from "./byte-stream.ts";
import type { ByteObserver, ByteStream } from "./byte-stream.ts";
import type { ByteRange } from "./body.ts";
import type { ErrorCode } from "./errors.ts";
import type { Source } from "./source.ts";

/** The same source with an observer of its own on each stream: a view, so that what one attempt sees is not counted on in the next. */
export function watchSource(source: Source, observer: (range: ByteRange | undefined) => ByteObserver): Source {
  return {
    get size() {
      return source.size;
    },
    get replayable() {
      return source.replayable;
    },
    get opened() {
      return source.opened;
    },
    get inMemory() {
      return source.inMemory;
    },
    open(range) {
      const stream = range === undefined ? source.open() : source.open(range);
      stream.observe(observer(range));
      return stream;
    },
  };
}

/** The same source with each chunk copied, for a provider that may still hold one when it asks for the next, as fetch does. */
export function copyChunks(source: Source): Source {
  const copied = (stream: ByteStream): ByteStream =>
    byteStream({
      length: stream.length,
      wrongLength: "bad-body",
      async pull() {
        const chunk = await stream.pull();
        return chunk === undefined ? undefined : new Uint8Array(chunk);
      },
      close: () => stream.close(),
    });
  return {
    get size() {
      return source.size;
    },
    get replayable() {
      return source.replayable;
    },
    get opened() {
      return source.opened;
    },
    inMemory: false,
    open: (range) => copied(range === undefined ? source.open() : source.open(range)),
  };
}

/** The same source with its bytes changed on the way: encrypted, compressed, counted. As replayable as the original; a range of it is found by skipping. */
export function mapSource(source: Source, size: number | null, map: (stream: ByteStream) => ByteStream): Source {
  return {
    size,
    get replayable() {
      return source.replayable;
    },
    get opened() {
      return source.opened;
    },
    inMemory: false,
    open(range) {
      const original = source.open();
      let stream: ByteStream;
      try {
        stream = map(original);
      } catch (error) {
        void original.close().catch(() => {});
        throw error;
      }
      const whole = byteStream({ length: size, wrongLength: "bad-body", pull: () => stream.pull(), close: () => stream.close() });
      return range === undefined ? whole : partOf(whole, range, "bad-body");
    },
  };
}

/** Exactly this part of a stream, found by skipping; closes the stream as soon as the part is out. */
export function partOf(stream: ByteStream, { offset, length }: ByteRange, wrongLength?: ErrorCode): ByteStream {
  const end = length === undefined ? Infinity : offset + length;
  let at = 0;
  return byteStream({
    length: length ?? (stream.length === null ? null : Math.max(0, stream.length - offset)),
    wrongLength,
    async pull() {
      while (at < end) {
        const chunk = await stream.pull();
        if (chunk === undefined) return undefined;
        const from = Math.max(0, offset - at);
        const to = Math.min(chunk.byteLength, end - at);
        at += chunk.byteLength;
        if (from < to) return from === 0 && to === chunk.byteLength ? chunk : chunk.subarray(from, to);
      }
      await stream.close();
      return undefined;
    },
    close: () => stream.close(),
  });
}
