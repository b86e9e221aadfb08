/** One-bug stores that write wrongly: M06 to M23. */
import { setTimeout as later } from "node:timers/promises";
import { StoreError, calls } from "../../store/index.ts";
import type { Body, HashName, StorePath } from "../../store/index.ts";
import { hashOf } from "../hash-of.ts";
import { changing, collected, contents, now, withBytes } from "./bodies.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore } from "./broken.ts";

const chunk = 64 * 1024;

/** The bytes of a body as the caller gave it. */
async function all(body: Body): Promise<Uint8Array> {
  const { bytes, error } = await collected(calls.write("/any" as StorePath, body));
  if (error !== undefined) throw error;
  return bytes;
}

export const broken: readonly BrokenStore[] = [
  bugged({
    id: "M06",
    bug: "the second write to a path is ignored and reported as success",
    killedBy: ["writes.overwrite"],
    below: () => (inner) => ({
      async write(call) {
        const entry = await now(inner, call);
        if (entry?.kind !== "file" || call.ifAbsent || call.ifMatch !== undefined) return inner.write(call);
        const { error } = await collected(call);
        if (error !== undefined) throw error;
        return entry;
      },
    }),
  }),
  bugged({
    id: "M07",
    bug: "a shorter file keeps the tail of the longer one that it replaces",
    killedBy: ["writes.overwrite"],
    below: () => (inner) => ({
      write: changing(inner, async (bytes, call) => {
        const old = await contents(inner, call);
        return old.length > bytes.length ? Buffer.concat([bytes, old.subarray(bytes.length)]) : bytes;
      }),
    }),
  }),
  bugged({
    id: "M08",
    bug: "an overwritten file stands in its directory twice",
    killedBy: ["writes.again", "writes.overwrite.once"],
    below: () => {
      const twice = new Set<StorePath>();
      return (inner) => ({
        async write(call) {
          if ((await now(inner, call))?.kind === "file") twice.add(call.path);
          return inner.write(call);
        },
        async list(call) {
          const page = await inner.list(call);
          return { ...page, entries: page.entries.flatMap((entry) => (twice.has(entry.path) ? [entry, entry] : [entry])) };
        },
      });
    },
  }),
  bugged({
    id: "M09",
    bug: "an overwrite deletes the old version first: for a while there is nothing",
    killedBy: ["writes.invisible"],
    below: () => (inner) => ({
      async write(call) {
        if (call.ifMatch === undefined && !call.ifAbsent && (await now(inner, call))?.kind === "file") await inner.delete(calls.delete(call.path));
        return inner.write(call);
      },
    }),
  }),
  bugged({
    id: "M10",
    bug: "an empty file reads as missing",
    killedBy: ["sizes.zero"],
    below: () => (inner) => ({
      async read(call) {
        const reply = await inner.read(call);
        if (reply.entry.size !== 0) return reply;
        await reply.body.close();
        throw new StoreError("not-found", "nothing is there");
      },
    }),
  }),
  bugged({
    id: "M10b",
    bug: "a write of nothing is dropped",
    killedBy: ["sizes.zero"],
    below: () => (inner) => ({
      async write(call) {
        if (call.body.size !== 0) return inner.write(call);
        return {
          path: call.path,
          kind: "file",
          size: 0,
          modifiedMs: null,
          etag: null,
          id: null,
          contentType: null,
          hashes: {},
          metadata: null,
          complete: false,
        };
      },
    }),
  }),
  bugged({
    id: "M11",
    bug: "a body of exactly some chunks is cut after its first chunk",
    killedBy: ["sizes.steps"],
    below: () => (inner) => ({ write: changing(inner, (bytes) => (bytes.length > chunk && bytes.length % chunk === 0 ? bytes.subarray(0, chunk) : bytes)) }),
  }),
  bugged({
    id: "M12",
    bug: "a last part of one byte is dropped",
    killedBy: ["sizes.steps", "sizes.unknown"],
    below: () => (inner) => ({ write: changing(inner, (bytes) => (bytes.length > chunk && bytes.length % chunk === 1 ? bytes.subarray(0, -1) : bytes)) }),
  }),
  bugged({
    id: "M13",
    bug: "one bit of the last byte is flipped in files beyond one chunk",
    killedBy: ["sizes.powers", "sizes.decades", "sizes.mebibyte", "sizes.steps"],
    below: () => (inner) => ({
      write: changing(inner, (bytes) => {
        if (bytes.length <= chunk) return bytes;
        const changed = bytes.slice();
        changed[changed.length - 1] = changed[changed.length - 1]! ^ 1;
        return changed;
      }),
    }),
  }),
  bugged({
    id: "M14",
    bug: "bytes pass through text decoding",
    killedBy: ["sizes.bytes.all"],
    below: () => (inner) => ({ write: changing(inner, (bytes) => new TextEncoder().encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes))) }),
  }),
  bugged({
    id: "M14b",
    bug: "a byte order mark at the start of a file is dropped",
    killedBy: ["bodies.string", "sizes.bytes.all"],
    below: () => (inner) => ({ write: changing(inner, (bytes) => (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes)) }),
  }),
  bugged({
    id: "M15",
    bug: "parts are put together in the order in which they were ready, not in their own",
    killedBy: ["sizes.parts.order"],
    below: () => (inner) => ({
      write: changing(inner, async (bytes) => {
        const parts: Uint8Array[] = [];
        const ready: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += chunk) parts.push(bytes.subarray(at, at + chunk));
        // The second part is the slow one.
        await Promise.all(
          parts.map(async (part, index) => {
            if (index === 1) await later(2);
            ready.push(part);
          }),
        );
        return Buffer.concat(ready);
      }),
    }),
  }),
  bugged({
    id: "M16",
    bug: "a body that fails half way is committed as far as it came",
    killedBy: ["sources.fails"],
    below: () => (inner) => ({
      async write(call) {
        const { bytes, error } = await collected(call);
        const entry = await inner.write(withBytes(call, bytes));
        if (error !== undefined) throw error;
        return entry;
      },
    }),
  }),
  bugged({
    id: "M17",
    bug: "a body shorter than its declared size is filled up with zeros",
    killedBy: ["sources.short"],
    above: () => (store) => ({
      async write(path, body, options) {
        const size = options?.size;
        if (size === undefined || typeof body !== "object" || !(Symbol.asyncIterator in body)) return store.write(path, body, options);
        const source = body as AsyncIterable<Uint8Array>;
        return store.write(
          path,
          (async function* filled() {
            let given = 0;
            for await (const piece of source) {
              given += piece.length;
              yield piece;
            }
            if (given < size) yield new Uint8Array(size - given);
          })(),
          options,
        );
      },
    }),
  }),
  bugged({
    id: "M17b",
    bug: "a body longer than its declared size is cut there",
    killedBy: ["sources.long"],
    above: () => (store) => ({
      async write(path, body, options) {
        const size = options?.size;
        if (size === undefined || typeof body !== "object" || !(Symbol.asyncIterator in body)) return store.write(path, body, options);
        const source = body as AsyncIterable<Uint8Array>;
        return store.write(
          path,
          (async function* cut() {
            let left = size;
            for await (const piece of source) {
              yield piece.subarray(0, left);
              left -= Math.min(left, piece.length);
              if (left === 0) return;
            }
          })(),
          options,
        );
      },
    }),
  }),
  bugged({
    id: "M18",
    bug: "an aborted write rejects, runs on, and its file appears later",
    killedBy: ["sources.endless", "aborts.midway"],
    below: () => (inner) => ({
      async write(call) {
        const { bytes, error } = await collected(call);
        if (error === undefined) return inner.write(withBytes(call, bytes));
        if (call.signal?.aborted === true)
          void later(50)
            .then(() => inner.write({ ...withBytes(call, bytes), signal: undefined }))
            .catch(() => {});
        throw error;
      },
    }),
  }),
  (() => {
    const open = new Set<string>();
    return bugged({
      id: "M19",
      bug: "an aborted or failed upload stays open at the service",
      killedBy: ["aborts.leftovers"],
      subject: { leftovers: async (place) => [...open].filter((upload) => upload.startsWith(place.id)) },
      below: () => (inner, place) => ({
        async write(call) {
          const upload = `${place.id} upload of ${call.path}`;
          open.add(upload);
          const entry = await inner.write(call);
          open.delete(upload);
          return entry;
        },
      }),
    });
  })(),
  bugged({
    id: "M20",
    bug: "a signal is heard before the first byte and ignored afterwards",
    killedBy: ["aborts.midway"],
    above: () => (store) => ({
      async write(path, body, options) {
        if (options?.signal?.aborted !== false) return store.write(path, body, options);
        const { signal: _signal, ...rest } = options;
        return store.write(path, body, rest);
      },
    }),
  }),
  bugged({
    id: "M20b",
    bug: "a read whose signal fires ends there, as if the file did",
    killedBy: ["aborts.read"],
    above: () => (store) => ({
      async read(path, options) {
        const result = await store.read(path, options);
        const bytes = result.bytes.bind(result);
        Object.defineProperty(result, "bytes", { value: async () => (options?.signal?.aborted === true ? (await bytes()).slice(0, 1000) : bytes()) });
        return result;
      },
    }),
  }),
  bugged({
    id: "M21",
    bug: "an overwrite that fails destroys the old version",
    killedBy: ["sources.fails", "aborts.midway"],
    below: () => (inner) => ({
      async write(call) {
        try {
          return await inner.write(call);
        } catch (error) {
          await inner.delete(calls.delete(call.path)).catch(() => {});
          throw error;
        }
      },
    }),
  }),
  bugged({
    id: "M22",
    bug: "a new file is seen, empty, while its body is still on the way",
    killedBy: ["writes.invisible"],
    below: () => (inner) => ({
      async write(call) {
        if (call.ifAbsent || call.ifMatch !== undefined || (await now(inner, call)) !== undefined) return inner.write(call);
        await inner.write(withBytes(call, new Uint8Array()));
        try {
          return await inner.write(call);
        } catch (error) {
          await inner.delete(calls.delete(call.path));
          throw error;
        }
      },
    }),
  }),
  bugged({
    id: "M23",
    bug: "a hash that does not fit is accepted",
    killedBy: ["sources.expect.smoke", "sources.expect"],
    above: () => (store) => ({
      async write(path, body, options) {
        const { expect: _expect, ...rest } = options ?? {};
        return store.write(path, body, rest);
      },
    }),
  }),
  bugged({
    id: "M23b",
    bug: "a body whose hash does not fit is refused, and stored all the same",
    killedBy: ["sources.expect.smoke", "sources.expect"],
    above: () => (store) => ({
      async write(path, body, options) {
        const { expect, ...rest } = options ?? {};
        if (expect === undefined) return store.write(path, body, rest);
        const bytes = await all(body);
        const entry = await store.write(path, bytes, rest);
        for (const [name, wanted] of Object.entries(expect)) {
          if (hashOf(name as HashName, bytes) !== wanted)
            throw new StoreError("integrity", "the bytes do not hash to what was expected", {
              store: "broken",
              operation: "write",
              path: entry.path,
              applied: false,
            });
        }
        return entry;
      },
    }),
  }),
  bugged({
    id: "A48",
    bug: "a counter of 24 bits: of larger files the first 16 MiB are kept",
    killedBy: ["sizes.large"],
    below: () => (inner) => ({
      async write(call) {
        const limit = 2 ** 24;
        const kept: Uint8Array[] = [];
        let count = 0;
        {
          await using stream = call.body.open();
          for (let piece = await stream.pull(); piece !== undefined; piece = await stream.pull()) {
            if (count < limit) kept.push(piece.slice(0, limit - count));
            count += piece.length;
          }
        }
        return inner.write(withBytes(call, Buffer.concat(kept)));
      },
    }),
  }),
];
