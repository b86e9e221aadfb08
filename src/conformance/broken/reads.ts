/** One-bug stores that read wrongly: M24 to M31, M55, M64, M65, M68. */
import { setTimeout as later } from "node:timers/promises";
import { StoreError, byteStream, bytesFrom, calls, entry as entryOf } from "../../store/index.ts";
import type { ByteStream, ReadCall, ReadReply, StorePath } from "../../store/index.ts";
import { collected, contents, drained, now, replyWith, withBytes } from "./bodies.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore } from "./broken.ts";
import { diskProvider } from "./disk.ts";

/** The bytes as a stream that is not in memory, in pieces: so that it can be left in the middle. */
function inPieces(bytes: Uint8Array, closed?: (left: Uint8Array) => void): ByteStream {
  let at = 0;
  return byteStream({
    length: bytes.length,
    pull(): Uint8Array | undefined {
      if (at >= bytes.length) return undefined;
      const piece = bytes.slice(at, at + 64 * 1024);
      at += piece.length;
      return piece;
    },
    close: () => closed?.(bytes.subarray(at)),
  });
}

/** A stream whose bytes are all taken first. */
async function buffered(stream: ByteStream): Promise<ByteStream> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) chunks.push(chunk);
  return byteStream({ length: stream.length, pull: () => chunks.shift() });
}

/** What is handed over between two calls that run at once; undefined where nobody else comes. */
function exchange<T>(): (key: string, mine: T) => Promise<T | undefined> {
  let waiting: { readonly key: string; readonly mine: T; readonly give: (theirs: T) => void } | undefined;
  return async (key, mine) => {
    if (waiting !== undefined && waiting.key !== key) {
      const other = waiting;
      waiting = undefined;
      other.give(mine);
      return other.mine;
    }
    const given = Promise.withResolvers<T>();
    const me = { key, mine, give: given.resolve };
    waiting = me;
    const found = await Promise.race([given.promise, later(3).then(() => undefined)]);
    if (waiting === me) waiting = undefined;
    return found;
  };
}

/** Changes the range of calls that have one. */
function reranged(
  id: string,
  bug: string,
  killedBy: readonly string[],
  change: (call: ReadCall & { readonly range: NonNullable<ReadCall["range"]> }, size: number) => ReadCall,
): BrokenStore {
  return bugged({
    id,
    bug,
    killedBy,
    below: () => (inner) => ({
      async read(call) {
        if (call.range === undefined) return inner.read(call);
        const entry = await now(inner, call);
        return inner.read(entry?.kind === "file" ? change({ ...call, range: call.range }, entry.size ?? 0) : call);
      },
    }),
  });
}

const missing = (error: unknown, code: string): boolean => StoreError.is(error) && error.code === code;

export const broken: readonly BrokenStore[] = [
  reranged("M24", "the end of a range is included: one byte too many", ["ranges.random", "ranges.pieces", "ranges.inside", "ranges.many"], (call) => ({
    ...call,
    range: { ...call.range, ...(call.range.length === undefined ? {} : { length: call.range.length + 1 }) },
  })),
  reranged(
    "M25",
    "the offset is ignored where the range reaches the end",
    ["ranges.random", "ranges.pieces", "ranges.to-end", "ranges.clamped"],
    (call, size) => {
      const { offset, length } = call.range;
      return offset > 0 && offset < size && (length === undefined || offset + length >= size)
        ? { ...call, range: length === undefined ? undefined : { offset: 0, length } }
        : call;
    },
  ),
  reranged("M25b", "a range of length 0 is taken for none: everything comes", ["ranges.empty"], (call) =>
    call.range.length === 0 ? { ...call, range: undefined } : call,
  ),
  bugged({
    id: "M25c",
    bug: "a range past the end is not-found",
    killedBy: ["ranges.past-end"],
    below: () => (inner) => ({
      read: (call) =>
        inner
          .read(call)
          .catch((error: unknown) => Promise.reject(missing(error, "bad-range") ? new StoreError("not-found", "nothing is there") : (error as Error))),
    }),
  }),
  bugged({
    id: "M25d",
    bug: "a range that runs past the end is refused instead of clamped",
    killedBy: ["ranges.clamped"],
    below: () => (inner) => ({
      async read(call) {
        const size = (await now(inner, call))?.size ?? 0;
        if (call.range?.length !== undefined && call.range.offset + call.range.length > size) throw new StoreError("bad-range", "the range ends past the end");
        return inner.read(call);
      },
    }),
  }),
  bugged({
    id: "M26",
    bug: "a suffix longer than the file gives nothing",
    killedBy: ["ranges.suffix"],
    below: () => (inner) => ({
      async read(call) {
        const reply = await inner.read(call);
        const { size } = reply.entry;
        return call.range !== undefined && size !== null && -call.range.offset > size ? replyWith(reply, new Uint8Array()) : reply;
      },
    }),
  }),
  bugged({
    id: "M29b",
    bug: "what is left of a body that was closed early begins the next one",
    killedBy: ["reads.early-error", "reads.early-close"],
    below: () => {
      let rest: Uint8Array | undefined;
      return (inner) => ({
        async read(call): Promise<ReadReply> {
          const reply = await inner.read(call);
          const bytes = await drained(reply.body);
          const found = rest === undefined ? bytes : new Uint8Array(Buffer.concat([rest, bytes])).slice(0, bytes.length);
          rest = undefined;
          return { ...reply, body: inPieces(found, (left) => void (rest = left.length > 0 ? left.slice(0, 100) : undefined)) };
        },
      });
    },
  }),
  bugged({
    id: "M30",
    bug: "a read hands out the buffer of the store: who changes it changes the file",
    killedBy: ["bodies.borrowed"],
    above: () => {
      const kept = new Map<string, Uint8Array<ArrayBuffer>>();
      return (store) => ({
        async read(path, options) {
          const result = await store.read(path, options);
          const { etag } = result.entry;
          if (options?.range !== undefined || etag === null) return result;
          const key = `${path} ${etag}`;
          const bytes = result.bytes.bind(result);
          Object.defineProperty(result, "bytes", {
            async value() {
              const found = await bytes();
              if (!kept.has(key)) kept.set(key, found);
              return kept.get(key);
            },
          });
          return result;
        },
      });
    },
  }),
  bugged({
    id: "M31",
    bug: "a write keeps the caller's buffer: who changes it afterwards changes the file",
    killedBy: ["bodies.borrowed"],
    below: () => {
      const kept = new Map<StorePath, { readonly etag: string | null; readonly chunks: readonly Uint8Array[] }>();
      return (inner) => ({
        async write(call) {
          const chunks: Uint8Array[] = [];
          {
            await using stream = call.body.open();
            for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) chunks.push(chunk);
          }
          const entry = await inner.write(withBytes(call, Buffer.concat(chunks)));
          kept.set(call.path, { etag: entry.etag, chunks });
          return entry;
        },
        async read(call) {
          const reply = await inner.read(call);
          const mine = kept.get(call.path);
          if (mine === undefined || mine.etag !== reply.entry.etag || call.range !== undefined) return reply;
          await reply.body.close();
          return replyWith(reply, Buffer.concat(mine.chunks));
        },
      });
    },
  }),
  bugged({
    id: "M55",
    bug: "a copy shares its storage with its source: who changes one changes the other",
    killedBy: ["copy.independent.source", "copy.independent.target"],
    below: () => {
      const alias = new Map<StorePath, StorePath>();
      return (inner) => ({
        async copy(call) {
          const entry = await inner.copy(call);
          if (entry.kind === "file") {
            alias.set(call.path, call.to);
            alias.set(call.to, call.path);
          }
          return entry;
        },
        async write(call) {
          const other = alias.get(call.path);
          const entry = await inner.write(call);
          if (other !== undefined) await inner.write(calls.write(other, await contents(inner, call)));
          return entry;
        },
      });
    },
  }),
  bugged({
    id: "M64",
    bug: "a torn read: the first half of one version, the second of another",
    killedBy: ["reads.replaced"],
    below: () => (inner) => ({
      async read(call): Promise<ReadReply> {
        const reply = await inner.read(call);
        if (call.range !== undefined) return reply;
        const first = await drained(reply.body);
        const half = first.length >> 1;
        let at = 0;
        return {
          ...reply,
          body: byteStream({
            length: first.length,
            async pull() {
              if (at >= first.length) return undefined;
              const piece = at === 0 && half > 0 ? first.slice(0, half) : (await contents(inner, call)).slice(at, first.length);
              at += piece.length;
              return piece.length === 0 ? undefined : piece;
            },
          }),
        };
      },
    }),
  }),
  bugged({
    id: "M65",
    bug: "two writes at once: the bytes of one stand under the name of the other",
    killedBy: ["writes.parallel"],
    below: () => {
      const swap = exchange<Uint8Array>();
      return (inner) => ({
        async write(call) {
          const { bytes, error } = await collected(call);
          if (error !== undefined) throw error;
          return inner.write(withBytes(call, (await swap(call.path, bytes)) ?? bytes));
        },
      });
    },
  }),
  bugged({
    id: "M65b",
    bug: "two reads at once: each gets the bytes of the other",
    killedBy: ["reads.parallel", "ranges.many"],
    below: () => {
      const swap = exchange<Uint8Array>();
      return (inner) => ({
        async read(call) {
          const reply = await inner.read(call);
          const bytes = await drained(reply.body);
          return replyWith(reply, (await swap(`${call.path} ${JSON.stringify(call.range)}`, bytes)) ?? bytes);
        },
      });
    },
  }),
  bugged({
    id: "M68",
    bug: "a read collects the whole file before it gives the first byte",
    killedBy: ["reads.memory"],
    subject: { reopens: true },
    provider: (place, _state, options) => diskProvider(place.directory, options),
    below: () => (inner) => ({
      async read(call) {
        const reply = await inner.read(call);
        return { ...reply, body: await buffered(reply.body) };
      },
    }),
  }),
  bugged({
    id: "M68b",
    bug: "a write collects the whole body before it sends the first byte",
    killedBy: ["bodies.memory"],
    subject: { reopens: true },
    provider: (place, _state, options) => diskProvider(place.directory, options),
    below: () => (inner) => ({
      async write(call) {
        const { bytes, error } = await collected(call);
        if (error !== undefined) throw error;
        return inner.write(withBytes(call, bytes));
      },
    }),
  }),
  bugged({
    id: "A31",
    bug: "the entry of a part has the size of the part",
    killedBy: ["ranges.entry", "ranges.inside"],
    below: () => (inner) => ({
      async read(call) {
        const reply = await inner.read(call);
        return call.range === undefined ? reply : { ...reply, entry: { ...reply.entry, size: reply.body.length } };
      },
    }),
  }),
  bugged({
    id: "A49",
    bug: "every range of an empty file is bad-range, as HTTP has it",
    killedBy: ["ranges.of-empty", "sizes.zero"],
    below: () => (inner) => ({
      async read(call) {
        const reply = await inner.read(call);
        if (call.range === undefined || reply.entry.size !== 0) return reply;
        await reply.body.close();
        throw new StoreError("bad-range", "the range cannot be satisfied", { entry: reply.entry });
      },
    }),
  }),
  bugged({
    id: "A28",
    bug: "a directory reads as an empty file",
    killedBy: ["reads.directory"],
    below: () => (inner) => ({
      read: (call) =>
        inner.read(call).catch((error: unknown) => {
          if (!missing(error, "is-a-directory")) throw error;
          return { entry: entryOf({ path: call.path, kind: "file", size: 0 }), offset: 0, body: bytesFrom(new Uint8Array()) };
        }),
    }),
  }),
  bugged({
    id: "A29",
    bug: "a missing file reads as an empty one",
    killedBy: ["reads.missing"],
    below: () => (inner) => ({
      read: (call) =>
        inner.read(call).catch((error: unknown) => {
          if (!missing(error, "not-found")) throw error;
          return { entry: entryOf({ path: call.path, kind: "file", size: 0 }), offset: 0, body: bytesFrom(new Uint8Array()) };
        }),
    }),
  }),
  bugged({
    id: "A25",
    bug: "taking the bytes of a result a second time gives an empty file",
    killedBy: ["reads.once"],
    above: () => (store) => ({
      async read(path, options) {
        const result = await store.read(path, options);
        const bytes = result.bytes.bind(result);
        let taken = false;
        Object.defineProperty(result, "bytes", {
          async value() {
            if (taken) return new Uint8Array();
            taken = true;
            return bytes();
          },
        });
        return result;
      },
    }),
  }),
  bugged({
    id: "A42",
    bug: "nodeStream() gives text instead of bytes",
    killedBy: ["reads.forms"],
    above: () => (store) => ({
      async read(path, options) {
        const result = await store.read(path, options);
        const stream = result.nodeStream.bind(result);
        Object.defineProperty(result, "nodeStream", { value: () => stream().setEncoding("utf8") });
        return result;
      },
    }),
  }),
];
