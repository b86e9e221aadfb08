/** One-bug stores that get what the caller hands over wrong: bodies, signals, paths that are none. Not in the list of section 8; one for each check that needs one. */
import { Readable } from "node:stream";
import { setTimeout as later } from "node:timers/promises";
import { StoreError, calls } from "../../store/index.ts";
import type { Body, Listing, ReadResult, Reopenable } from "../../store/index.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore, Bug } from "./broken.ts";

type Chunks = AsyncIterable<Uint8Array>;

const iterable = (body: Body): body is Chunks => typeof body === "object" && body !== null && Symbol.asyncIterator in body && !("entry" in body);
const reopenable = (body: Body): body is Reopenable => typeof body === "object" && body !== null && "open" in body;

/** The same chunks, each remembered as it passes. */
async function* noting(body: Chunks, chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    chunks.push(chunk);
    yield chunk;
  }
}

/** The bug is what becomes of a body before the store sees it. */
function bodied(bug: Omit<Bug, "above">, change: (body: Body) => Body): BrokenStore {
  return bugged({ ...bug, above: () => (store) => ({ write: (path, body, options) => store.write(path, change(body), options) }) });
}

/** The bug is what becomes of a path before the store checks it. */
function pathed(bug: Omit<Bug, "above">, change: (path: string) => string): BrokenStore {
  return bugged({
    ...bug,
    above: () => (store) => ({
      stat: (path, options) => store.stat(change(path), options),
      read: (path, options) => store.read(change(path), options),
      write: (path, body, options) => store.write(change(path), body, options),
      list: (path, options) => store.list(change(path), options),
      delete: (path, options) => store.delete(change(path), options),
      mkdir: (path, options) => store.mkdir(change(path), options),
      copy: (from, to, options) => store.copy(change(from), change(to), options),
      move: (from, to, options) => store.move(change(from), change(to), options),
    }),
  });
}

export const broken: readonly BrokenStore[] = [
  pathed({ id: "A09", bug: "a path without a slash in front is taken to begin at the root", killedBy: ["paths.relative"] }, (path) =>
    typeof path === "string" && path !== "" && !path.startsWith("/") ? `/${path}` : path,
  ),
  pathed({ id: "A09b", bug: "the empty path is taken for the root", killedBy: ["paths.empty"] }, (path) => (path === "" ? "/" : path)),
  pathed({ id: "A10", bug: "a NUL ends the path", killedBy: ["paths.nul"] }, (path) => (typeof path === "string" ? path.replace(/(?<=.)\0.*$/s, "") : path)),
  pathed({ id: "A10b", bug: "lone surrogates become replacement characters", killedBy: ["paths.nul"] }, (path) =>
    typeof path === "string" ? path.toWellFormed() : path,
  ),
  pathed({ id: "A11", bug: "what is no string is made one", killedBy: ["paths.type"] }, (path) => (typeof path === "string" ? path : `/${String(path)}`)),

  bodied({ id: "A15", bug: "a view is stored with the whole buffer around it", killedBy: ["bodies.kinds"] }, (body) =>
    body instanceof Uint8Array && !Buffer.isBuffer(body) ? new Uint8Array(body.buffer) : body,
  ),
  bodied({ id: "A15b", bug: "a Blob is stored as the text that stands for it", killedBy: ["bodies.kinds"] }, (body) =>
    body instanceof Blob ? "[object Blob]" : body,
  ),
  bodied({ id: "A16", bug: "of a body that can be opened again only the first 64 KiB are taken", killedBy: ["bodies.file"] }, (body) =>
    reopenable(body) ? body.open({ offset: 0, length: 65_536 }) : body,
  ),
  bugged({
    id: "A17",
    bug: "the part of another file is stored as the whole of it",
    killedBy: ["bodies.result"],
    above: () => (store) => ({
      async write(path, body, options) {
        if (typeof body !== "object" || !("entry" in body)) return store.write(path, body, options);
        const { entry, [Symbol.asyncDispose]: dispose } = body as unknown as ReadResult;
        await dispose.call(body as unknown as ReadResult);
        return store.write(path, await store.read(entry.path), options);
      },
    }),
  }),
  bodied({ id: "A18", bug: "an empty chunk ends the body", killedBy: ["bodies.chunks"] }, (body) =>
    !iterable(body)
      ? body
      : (async function* untilEmpty() {
          for await (const chunk of body) {
            if (chunk.length === 0) return;
            yield chunk;
          }
        })(),
  ),
  bugged({
    id: "M31b",
    bug: "a write keeps the chunks of a stream: who changes one afterwards changes the file",
    killedBy: ["bodies.borrowed.chunks"],
    above: () => {
      const kept = new Map<string, { readonly etag: string | null; readonly chunks: readonly Uint8Array[] }>();
      return (store) => ({
        async write(path, body, options) {
          if (!iterable(body)) return store.write(path, body, options);
          const chunks: Uint8Array[] = [];
          const entry = await store.write(path, noting(body, chunks), options);
          kept.set(path, { etag: entry.etag, chunks });
          return entry;
        },
        async read(path, options) {
          const result = await store.read(path, options);
          const mine = kept.get(path);
          if (mine?.etag === result.entry.etag && options?.range === undefined)
            Object.defineProperty(result, "bytes", { value: async () => new Uint8Array(Buffer.concat(mine.chunks)) });
          return result;
        },
      });
    },
  }),
  bugged({
    id: "M31c",
    bug: "a write keeps the chunks of a stream until its end: one buffer that is filled again and again is stored as often as it came",
    killedBy: ["bodies.borrowed.buffer"],
    above: () => (store) => ({
      async write(path, body, options) {
        if (!iterable(body)) return store.write(path, body, options);
        const chunks: Uint8Array[] = [];
        for await (const chunk of body) chunks.push(chunk);
        return store.write(path, Buffer.concat(chunks), options);
      },
    }),
  }),
  bodied({ id: "A19", bug: "chunks that are text are stored as text", killedBy: ["bodies.chunks.wrong"] }, (body) =>
    !iterable(body)
      ? body
      : (async function* converted() {
          for await (const chunk of body as AsyncIterable<unknown>) yield chunk instanceof Uint8Array ? chunk : new TextEncoder().encode(String(chunk));
        })(),
  ),
  bodied({ id: "A43", bug: "a string is stored as Latin-1", killedBy: ["bodies.string"] }, (body) =>
    typeof body === "string" ? new Uint8Array(Buffer.from(body, "latin1")) : body,
  ),
  bugged({
    id: "A20",
    bug: "progress counts every byte twice",
    killedBy: ["bodies.progress"],
    above: () => (store) => ({
      write: (path, body, options) =>
        store.write(
          path,
          body,
          options?.onProgress === undefined ? options : { ...options, onProgress: ({ bytes, total }) => options.onProgress?.({ bytes: bytes * 2, total }) },
        ),
    }),
  }),
  bugged({
    id: "A20b",
    bug: "progress is not told",
    killedBy: ["bodies.progress"],
    above: () => (store) => ({
      write(path, body, options) {
        const { onProgress: _onProgress, ...rest } = options ?? {};
        return store.write(path, body, rest);
      },
    }),
  }),
  bugged({
    id: "A22",
    bug: "the declared size is ignored where the body knows its own",
    killedBy: ["sources.long.bytes"],
    above: () => (store) => ({
      write(path, body, options) {
        if (options?.size === undefined || !(typeof body === "string" || body instanceof Uint8Array || body instanceof Blob))
          return store.write(path, body, options);
        const { size: _size, ...rest } = options;
        return store.write(path, body, rest);
      },
    }),
  }),
  bugged({
    id: "A23",
    bug: "the stream of a write whose path is refused is left open",
    killedBy: ["sources.unread"],
    above: () => (store) => ({
      async write(path, body, options) {
        if (typeof path === "string" && !path.startsWith("/")) await store.stat(path);
        return store.write(path, body, options);
      },
    }),
  }),
  bugged({
    id: "A24",
    bug: "the error of a stream is taken for its end",
    killedBy: ["sources.early-error"],
    above: () => (store) => ({
      write(path, body, options) {
        if (!(body instanceof Readable)) return store.write(path, body, options);
        body.on("error", () => {});
        return store.write(
          path,
          (async function* quiet() {
            try {
              yield* body as AsyncIterable<Uint8Array>;
            } catch {
              // The bug: nobody hears of it.
            }
          })(),
          options,
        );
      },
    }),
  }),
  bugged({
    id: "A24b",
    bug: "a stream that ended already is stored as an empty file",
    killedBy: ["sources.used"],
    above: () => (store) => ({
      write(path, body, options) {
        if (!(body instanceof Readable) || !body.readableEnded) return store.write(path, body, options);
        return store.write(path, "", {});
      },
    }),
  }),

  bugged({
    id: "A13",
    bug: "the largest body of unknown size is declared and not kept",
    killedBy: ["sizes.unknown.maximum"],
    below: () => (inner) => ({ capabilities: { ...inner.capabilities, maxUnknownBytes: 1_000_000 } }),
  }),
  bugged({
    id: "A14",
    bug: "the largest file is declared, and refused only when all its bytes have gone up",
    killedBy: ["sizes.maximum"],
    reference: { capabilities: { maxFileBytes: 100_000 } },
    above: () => (store) => ({
      write(path, body, options) {
        const { size, ...rest } = options ?? {};
        return store.write(path, body, size !== undefined && size > 100_000 ? rest : options);
      },
    }),
  }),

  bugged({
    id: "A36",
    bug: "a delete does not hear its signal",
    killedBy: ["aborts.before"],
    above: () => (store) => ({
      delete(path, options) {
        const { signal: _signal, ...rest } = options ?? {};
        return store.delete(path, rest);
      },
    }),
  }),
  bugged({
    id: "A37",
    bug: "every call leaves a listener on its signal",
    killedBy: ["aborts.signal.kept"],
    below: () => (inner) => ({
      async stat(call) {
        call.signal?.addEventListener("abort", () => {});
        return inner.stat(call);
      },
    }),
  }),
  bugged({
    id: "A38",
    bug: "a listing whose signal fires ends there, as if that were all",
    killedBy: ["aborts.list"],
    reference: { pageSize: 1 },
    above: () => (store) => ({
      list(dir, options): Listing {
        const listing = store.list(dir, options);
        const quiet = async function* quietly<T>(from: AsyncIterable<T>): AsyncGenerator<T, void> {
          try {
            yield* from;
          } catch (error) {
            if (!StoreError.is(error) || error.code !== "aborted") throw error;
          }
        };
        return {
          pages: () => quiet(listing.pages()),
          toArray: () => listing.toArray(),
          [Symbol.asyncIterator]: () => quiet(listing),
        };
      },
    }),
  }),
  bugged({
    id: "A39",
    bug: "one write at a time: a body that stops holds up all others",
    killedBy: ["aborts.slow-body"],
    below: () => {
      let last: Promise<unknown> = Promise.resolve();
      return (inner) => ({
        write(call) {
          const mine = last.then(() => inner.write(call));
          last = mine.catch(() => {});
          return mine;
        },
      });
    },
  }),
  bugged({
    id: "A44",
    bug: "an aborted write says that nothing was applied, and has stored what it had at random moments",
    killedBy: ["aborts.random"],
    below: () => (inner) => ({
      async write(call) {
        const chunks: Uint8Array[] = [];
        try {
          await using stream = call.body.open();
          for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) chunks.push(chunk.slice());
          await later(1);
          call.signal?.throwIfAborted();
        } catch (error) {
          if (call.signal?.aborted === true && chunks.length > 0) await inner.write({ ...calls.write(call.path, Buffer.concat(chunks)), signal: undefined });
          throw error;
        }
        return inner.write({ ...call, expect: undefined, body: calls.write(call.path, Buffer.concat(chunks)).body });
      },
    }),
  }),
  bugged({
    id: "A30",
    bug: "a range that is none is ignored: everything comes",
    killedBy: ["ranges.invalid"],
    above: () => (store) => ({
      read(path, options) {
        const { range, ...rest } = options ?? {};
        const fine = typeof range === "object" && Number.isSafeInteger(range.offset) && (range.length === undefined || Number.isSafeInteger(range.length));
        return store.read(path, fine ? options : rest);
      },
    }),
  }),
];
