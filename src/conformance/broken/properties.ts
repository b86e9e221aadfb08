/** One-bug stores that get times, types, metadata, etags, hashes and entries wrong: M66, and rules of entries beyond the table. */
import { StoreError, calls, root } from "../../store/index.ts";
import type { Backend, Entry, Metadata, StorePath, WriteCall } from "../../store/index.ts";
import { hashOf } from "../hash-of.ts";
import { collected, withBytes } from "./bodies.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore, Bug } from "./broken.ts";
import { at, bytesAt, entries } from "./tree.ts";

/** The bug is what becomes of an entry on its way up. */
function told(bug: Omit<Bug, "below">, change: (entry: Entry, verb: "stat" | "read" | "write" | "list" | "mkdir" | "copy" | "move") => Entry): BrokenStore {
  return bugged({ ...bug, below: () => (inner) => entries(inner, change) });
}

/** The bug is what becomes of a write on its way down. */
function sent(bug: Omit<Bug, "below">, change: (call: WriteCall, inner: Backend) => WriteCall | Promise<WriteCall>): BrokenStore {
  return bugged({ ...bug, below: () => (inner) => ({ write: async (call) => inner.write(await change(call, inner)) }) });
}

const file = (entry: Entry, changes: Partial<Entry>): Entry => (entry.kind === "file" ? { ...entry, ...changes } : entry);
const texts = (metadata: Metadata | undefined, change: (key: string, value: string) => readonly [string, string]): Metadata | undefined =>
  metadata === undefined ? undefined : Object.fromEntries(Object.entries(metadata).map(([key, value]) => change(key, value)));
const summer = (ms: number): boolean => new Date(ms).getUTCMonth() >= 3 && new Date(ms).getUTCMonth() <= 9;

const times: readonly BrokenStore[] = [
  told({ id: "M66", bug: "times are in a local zone, two hours ahead", killedBy: ["metadata.modified.near-now"] }, (entry) =>
    entry.modifiedMs === null ? entry : { ...entry, modifiedMs: entry.modifiedMs + 7_200_000 },
  ),
  sent(
    {
      id: "M66b",
      bug: "times are rounded up to the precision",
      killedBy: ["metadata.modified.set"],
      reference: { capabilities: { modifiedPrecisionMs: 1000 } },
    },
    (call) => ({ ...call, modifiedMs: call.modifiedMs === undefined ? undefined : Math.ceil(call.modifiedMs / 1000) * 1000 }),
  ),
  sent({ id: "N26", bug: "a modified time that is given is ignored", killedBy: ["metadata.modified.set", "capabilities.write-modified"] }, (call) => ({
    ...call,
    modifiedMs: undefined,
  })),
  sent(
    { id: "N50", bug: "a precision of a millisecond is declared, and seconds are kept", killedBy: ["metadata.modified.set", "metadata.modified.steps"] },
    (call) => ({ ...call, modifiedMs: call.modifiedMs === undefined ? undefined : Math.floor(call.modifiedMs / 1000) * 1000 }),
  ),
  sent({ id: "N87", bug: "times of summer are an hour off", killedBy: ["metadata.modified.seasons"] }, (call) => ({
    ...call,
    modifiedMs: call.modifiedMs !== undefined && summer(call.modifiedMs) ? call.modifiedMs - 3_600_000 : call.modifiedMs,
  })),
  sent({ id: "N88", bug: "times are 32 bits of seconds", killedBy: ["metadata.modified.far"] }, (call) => ({
    ...call,
    modifiedMs: call.modifiedMs !== undefined && call.modifiedMs >= 2 ** 31 * 1000 ? call.modifiedMs - 2 ** 32 * 1000 + 2 ** 31 * 1000 : call.modifiedMs,
  })),
  bugged({
    id: "N89",
    bug: "times in the future are replaced by now",
    killedBy: ["metadata.modified.future"],
    below: () => (inner, place) => ({
      write: (call) => inner.write({ ...call, modifiedMs: call.modifiedMs !== undefined && call.modifiedMs > place.clock.now() ? undefined : call.modifiedMs }),
    }),
  }),
  bugged({
    id: "N90",
    bug: "a modified time that is no time is ignored",
    killedBy: ["metadata.modified.wrong"],
    above: () => (store) => ({
      write: (where, body, options) =>
        store.write(
          where,
          body,
          options !== undefined && "modifiedMs" in options && !Number.isFinite(options.modifiedMs) ? { ...options, modifiedMs: undefined } : options,
        ),
    }),
  }),
  sent({ id: "N91", bug: "an overwrite inherits the modified time", killedBy: ["metadata.modified.overwrite"] }, async (call, inner) => ({
    ...call,
    modifiedMs: call.modifiedMs ?? (await at(inner, call.path))?.modifiedMs ?? undefined,
  })),
  bugged({
    id: "N92",
    bug: "a write of the same bytes is left out, with its new time and metadata",
    killedBy: ["metadata.modified.identical-bytes", "metadata.user.same-bytes"],
    below: () => (inner) => ({
      async write(call) {
        const { bytes, error } = await collected(call);
        if (error !== undefined) throw error;
        const before = await at(inner, call.path);
        if (before?.kind === "file" && Buffer.compare(await bytesAt(inner, call.path), bytes) === 0) return before;
        return await inner.write(withBytes(call, bytes));
      },
    }),
  }),
  bugged({
    id: "N93",
    bug: "reading a file makes it newer",
    killedBy: ["metadata.modified.reading"],
    below: () => {
      const reads = new Map<StorePath, number>();
      return (inner) => ({
        async read(call) {
          const reply = await inner.read(call);
          reads.set(call.path, (reads.get(call.path) ?? 0) + 1);
          return reply;
        },
        async stat(call) {
          const entry = await inner.stat(call);
          return entry.modifiedMs === null ? entry : { ...entry, modifiedMs: entry.modifiedMs + (reads.get(call.path) ?? 0) };
        },
      });
    },
  }),
  told({ id: "N94", bug: "directories are from 1970", killedBy: ["metadata.modified.directory"] }, (entry) =>
    entry.kind === "directory" ? { ...entry, modifiedMs: 0 } : entry,
  ),
  bugged({
    id: "N95",
    bug: "a write that fails sets the time all the same",
    killedBy: ["metadata.modified.missing-file"],
    below: () => {
      const late = new Map<StorePath, number>();
      return (inner) => ({
        async write(call) {
          try {
            return await inner.write(call);
          } catch (error) {
            if (call.modifiedMs !== undefined) late.set(call.path, call.modifiedMs);
            throw error;
          }
        },
        async stat(call) {
          const entry = await inner.stat(call);
          return { ...entry, modifiedMs: late.get(call.path) ?? entry.modifiedMs };
        },
      });
    },
  }),
];

/** After a write that failed, what it was given is told. */
function half(bug: Omit<Bug, "below">, of: (call: WriteCall) => Partial<Entry>): BrokenStore {
  return bugged({
    ...bug,
    below: () => {
      const failed = new Map<StorePath, WriteCall>();
      return (inner) => ({
        async write(call) {
          failed.delete(call.path);
          try {
            return await inner.write(call);
          } catch (error) {
            failed.set(call.path, call);
            throw error;
          }
        },
        async stat(call) {
          const entry = await inner.stat(call);
          const late = failed.get(call.path);
          return late === undefined ? entry : { ...entry, ...of(late) };
        },
      });
    },
  });
}

const properties: readonly BrokenStore[] = [
  sent({ id: "N64", bug: "a content type that is given is dropped", killedBy: ["metadata.type.kept", "capabilities.write-content-type"] }, (call) => ({
    ...call,
    contentType: undefined,
  })),
  sent({ id: "N108", bug: "the content type of a stream is dropped", killedBy: ["metadata.type.stream"] }, (call) => ({
    ...call,
    contentType: call.body.size === null ? undefined : call.contentType,
  })),
  sent({ id: "N109", bug: "a content type ends at a line break", killedBy: ["metadata.type.invalid"] }, (call) => ({
    ...call,
    contentType: call.contentType?.split("\r\n")[0],
  })),
  told({ id: "N111", bug: "a read tells another content type than stat", killedBy: ["metadata.type.same-answer"] }, (entry, verb) =>
    verb === "read" ? file(entry, { contentType: "application/octet-stream" }) : entry,
  ),
  half({ id: "N112", bug: "a write that fails sets the content type all the same", killedBy: ["metadata.type.failed-overwrite"] }, (call) => ({
    contentType: call.contentType ?? null,
  })),
  sent(
    { id: "N25", bug: "an overwrite inherits content type and metadata", killedBy: ["metadata.type.replaced", "metadata.user.replaced"] },
    async (call, inner) => {
      const before = await at(inner, call.path);
      return { ...call, contentType: call.contentType ?? before?.contentType ?? undefined, metadata: { ...before?.metadata, ...call.metadata } };
    },
  ),
  sent({ id: "N113", bug: "metadata that is given is dropped", killedBy: ["metadata.user.kept", "capabilities.write-metadata"] }, (call) => ({
    ...call,
    metadata: undefined,
  })),
  sent({ id: "N114", bug: "metadata passes through Latin-1", killedBy: ["metadata.user.values"] }, (call) => ({
    ...call,
    metadata: texts(call.metadata, (key, value) => [key, value.replace(/[^\0-\xff]/gu, "?")]),
  })),
  sent({ id: "N115", bug: "line breaks in metadata become spaces", killedBy: ["metadata.user.lines"] }, (call) => ({
    ...call,
    metadata: texts(call.metadata, (key, value) => [key, value.replace(/[\r\n]+/g, " ")]),
  })),
  sent({ id: "N58", bug: "metadata keys are lower-cased", killedBy: ["metadata.user.keys", "metadata.user.case-twins"] }, (call) => ({
    ...call,
    metadata: texts(call.metadata, (key, value) => [key.toLowerCase(), value]),
  })),
  sent({ id: "N116", bug: "a metadata key is assigned to a plain object, which __proto__ does not survive", killedBy: ["metadata.user.prototype"] }, (call) => {
    const metadata: Record<string, string> = {};
    for (const [key, value] of Object.entries(call.metadata ?? {})) metadata[key] = value;
    return { ...call, metadata };
  }),
  told({ id: "N117", bug: "a file without metadata does not say so", killedBy: ["metadata.user.none"] }, (entry) =>
    entry.metadata !== null && Object.keys(entry.metadata).length === 0 ? { ...entry, metadata: null } : entry,
  ),
  sent({ id: "N118", bug: "metadata beyond 1,000 bytes is cut off, and 2,048 are declared", killedBy: ["metadata.user.limit"] }, (call) => {
    let room = 1000;
    return {
      ...call,
      metadata:
        call.metadata === undefined
          ? undefined
          : Object.fromEntries(Object.entries(call.metadata).filter(([key, value]) => (room -= key.length + value.length) >= 0)),
    };
  }),
  bugged({
    id: "N59",
    bug: "the caller's own metadata object is kept",
    killedBy: ["metadata.user.borrowed"],
    above: () => {
      const kept = new Map<string, Metadata>();
      return (store) => ({
        write(where, body, options) {
          if (options?.metadata !== undefined) kept.set(where, options.metadata);
          return store.write(where, body, options);
        },
        async stat(where, options) {
          const entry = await store.stat(where, options);
          return { ...entry, metadata: kept.get(where) ?? entry.metadata };
        },
      });
    },
  }),
  bugged({
    id: "N119",
    bug: "metadata that is not text is made text",
    killedBy: ["metadata.user.wrong"],
    above: () => (store) => ({
      write: (where, body, options) =>
        store.write(
          where,
          body,
          options?.metadata === undefined
            ? options
            : {
                ...options,
                metadata: Object.fromEntries(Object.entries(options.metadata as Readonly<Record<string, unknown>>).map(([key, value]) => [key, String(value)])),
              },
        ),
    }),
  }),
  sent({ id: "N120", bug: "beyond 64 KiB a write loses its content type", killedBy: ["metadata.user.large-body"] }, (call) => ({
    ...call,
    contentType: (call.body.size ?? 0) > 65_536 ? undefined : call.contentType,
  })),
];

const laws: readonly BrokenStore[] = [
  told({ id: "N500", bug: "the etag in the answer of a write has its quotes", killedBy: ["metadata.entry.write"] }, (entry, verb) =>
    verb === "write" ? { ...entry, etag: `"${entry.etag}"` } : entry,
  ),
  told({ id: "N501", bug: "a read tells a time of its own", killedBy: ["metadata.entry.read"] }, (entry, verb) =>
    verb === "read" ? { ...entry, modifiedMs: 1_000_000_000_000 } : entry,
  ),
  bugged({
    id: "N502",
    bug: "a copy answers with the entry of its source",
    killedBy: ["metadata.entry.copy"],
    below: () => (inner) => ({ copy: async (call) => (await inner.copy(call), { ...(await inner.stat(calls.stat(call.path))), path: call.to }) }),
  }),
  bugged({
    id: "N503",
    bug: "a move answers with the path of its source",
    killedBy: ["metadata.entry.move"],
    below: () => (inner) => ({ move: async (call) => ({ ...(await inner.move(call)), path: call.path }) }),
  }),
  told({ id: "N504", bug: "a new directory has 4,096 bytes", killedBy: ["metadata.entry.mkdir"] }, (entry, verb) =>
    verb === "mkdir" ? { ...entry, size: 4096 } : entry,
  ),
  bugged({
    id: "N101",
    bug: "the entry of a ranged read has the size of the part",
    killedBy: ["metadata.entry.range"],
    below: () => (inner) => ({
      async read(call) {
        const reply = await inner.read(call);
        return { ...reply, entry: { ...reply.entry, size: reply.body.length } };
      },
    }),
  }),
  bugged({
    id: "N42",
    bug: "entries are kept and given out as they are, to be changed by anybody",
    killedBy: ["metadata.entry.immutable"],
    below: () => {
      const kept = new Map<string, Entry>();
      return (inner) => ({
        async stat(call) {
          const entry = await inner.stat(call);
          const known = kept.get(`${call.path} ${entry.etag}`);
          if (known !== undefined) return known;
          const mine = structuredClone(entry);
          kept.set(`${call.path} ${entry.etag}`, mine);
          return mine;
        },
      });
    },
  }),
  told({ id: "N08", bug: "what is not known is undefined", killedBy: ["metadata.entry.clone"] }, (entry) => ({ ...entry, id: undefined as unknown as null })),
  bugged({
    id: "N102",
    bug: "stat with basic detail tells no time",
    killedBy: ["metadata.stat.basic"],
    below: () => (inner) => ({
      stat: async (call) => {
        const entry = await inner.stat(call);
        return call.detail === "basic" ? { ...entry, modifiedMs: null, complete: false } : entry;
      },
    }),
  }),
  told({ id: "N53", bug: "directories have 4,096 bytes", killedBy: ["metadata.stat.directory"] }, (entry) =>
    entry.kind === "directory" ? { ...entry, size: 4096 } : entry,
  ),
  bugged({
    id: "N103",
    bug: "the root of an empty store is not there",
    killedBy: ["metadata.stat.root"],
    below: () => (inner) => ({
      async stat(call) {
        if (call.path === root && (await inner.list(calls.list(root))).entries.length === 0) throw new StoreError("not-found", "nothing is there");
        return await inner.stat(call);
      },
    }),
  }),
  told({ id: "N27", bug: "an etag is made of size and seconds", killedBy: ["metadata.etag.changes", "metadata.etag.recreated"] }, (entry) =>
    file(entry, { etag: `${entry.size}-${Math.floor((entry.modifiedMs ?? 0) / 1000)}` }),
  ),
  bugged({
    id: "N104",
    bug: "each stat tells another etag",
    killedBy: ["metadata.etag.stable"],
    below: () => {
      let asked = 0;
      return (inner) => ({ stat: async (call) => file(await inner.stat(call), { etag: `node-${(asked += 1)}` }) });
    },
  }),
  told(
    { id: "N105", bug: "hashes are declared and not told", killedBy: ["metadata.hashes.bytes", "metadata.hashes.stream", "capabilities.hashes"] },
    (entry) => ({ ...entry, hashes: {} }),
  ),
  bugged({
    id: "N28",
    bug: "the hashes of a path are remembered and never forgotten",
    killedBy: ["metadata.hashes.overwrite", "metadata.hashes.copy"],
    below: () => {
      const known = new Map<StorePath, Entry["hashes"]>();
      return (inner) => ({
        async stat(call) {
          const entry = await inner.stat(call);
          if (entry.kind !== "file") return entry;
          const hashes = known.get(call.path) ?? entry.hashes;
          known.set(call.path, hashes);
          return { ...entry, hashes };
        },
      });
    },
  }),
  bugged({
    id: "N106",
    bug: "beyond 64 KiB the hash is that of the last part",
    killedBy: ["metadata.hashes.steps"],
    below: () => (inner) => ({
      async stat(call) {
        const entry = await inner.stat(call);
        if (entry.kind !== "file" || (entry.size ?? 0) <= 65_536) return entry;
        return { ...entry, hashes: { ...entry.hashes, md5: hashOf("md5", (await bytesAt(inner, call.path)).subarray(65_536)) } };
      },
    }),
  }),
  told({ id: "N107", bug: "all files have one id", killedBy: ["metadata.id.stable"] }, (entry) => file(entry, { id: "1" })),
];

export const broken: readonly BrokenStore[] = [...times, ...properties, ...laws];
