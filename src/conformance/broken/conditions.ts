/** One-bug stores that keep conditions badly: M51 and M52; and those that hide what they cannot do: M53, M54. */
import { StoreError, calls, parsePath } from "../../store/index.ts";
import type { Entry } from "../../store/index.ts";
import { now } from "./bodies.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore } from "./broken.ts";

const exists = (): StoreError => new StoreError("already-exists", "something is there");
const changed = (entry?: Entry): StoreError => new StoreError("precondition-failed", "the file has another etag", { entry });

export const broken: readonly BrokenStore[] = [
  bugged({
    id: "M51",
    bug: "ifAbsent looks first and writes then: two can win",
    killedBy: ["conditions.create.race", "conditions.create.during"],
    below: () => (inner) => ({
      async write(call) {
        if (call.ifAbsent && (await now(inner, call)) !== undefined) throw exists();
        return inner.write({ ...call, ifAbsent: false });
      },
    }),
  }),
  bugged({
    id: "M51b",
    bug: "ifAbsent holds for small bodies only: larger ones go by parts, whose commit has no condition",
    killedBy: ["conditions.create.stream", "conditions.large"],
    below: () => (inner) => ({ write: (call) => inner.write(call.body.size !== null && call.body.size < 100_000 ? call : { ...call, ifAbsent: false }) }),
  }),
  bugged({
    id: "M51c",
    bug: "a copy with ifAbsent looks first and copies then: two can win",
    killedBy: ["conditions.copy.race"],
    below: () => (inner) => ({
      async copy(call) {
        if (call.ifAbsent && (await now(inner, { path: call.to, signal: call.signal })) !== undefined) throw exists();
        return inner.copy({ ...call, ifAbsent: false });
      },
    }),
  }),
  bugged({
    id: "M51d",
    bug: "a move with ifAbsent looks first and moves then: the losers' files are gone",
    killedBy: ["conditions.move.race"],
    below: () => (inner) => ({
      async move(call) {
        if (call.ifAbsent && (await now(inner, { path: call.to, signal: call.signal })) !== undefined) throw exists();
        return inner.move({ ...call, ifAbsent: false });
      },
    }),
  }),
  bugged({
    id: "M52",
    bug: "ifMatch is ignored where the file is missing: it is created",
    killedBy: ["conditions.replace", "conditions.replace.deleted"],
    below: () => (inner) => ({
      write: async (call) => inner.write(call.ifMatch !== undefined && (await now(inner, call)) === undefined ? { ...call, ifMatch: undefined } : call),
    }),
  }),
  bugged({
    id: "M52b",
    bug: "ifMatch is ignored by write",
    killedBy: ["conditions.replace"],
    below: () => (inner) => ({ write: (call) => inner.write({ ...call, ifMatch: undefined }) }),
  }),
  bugged({
    id: "M52c",
    bug: "the etag is made of the size: equal etags, other bytes",
    killedBy: ["writes.etag"],
    below: () => (inner) => {
      const weak = (entry: Entry): Entry => (entry.kind === "file" ? { ...entry, etag: `s${entry.size}` } : entry);
      return {
        stat: async (call) => weak(await inner.stat(call)),
        write: async (call) => weak(await inner.write(call)),
        async list(call) {
          const page = await inner.list(call);
          return { ...page, entries: page.entries.map(weak) };
        },
        async read(call) {
          const reply = await inner.read(call);
          return { ...reply, entry: weak(reply.entry) };
        },
      };
    },
  }),
  bugged({
    id: "M52d",
    bug: "ifMatch compares first and writes then: several can win",
    killedBy: ["conditions.replace.race", "conditions.replace.during", "conditions.counter"],
    below: () => (inner) => ({
      async write(call) {
        if (call.ifMatch === undefined) return inner.write(call);
        const entry = await now(inner, call);
        if (entry?.etag !== call.ifMatch) throw changed(entry);
        return inner.write({ ...call, ifMatch: undefined });
      },
    }),
  }),
  bugged({
    id: "M52e",
    bug: "a read ignores ifMatch",
    killedBy: ["conditions.read.match"],
    below: () => (inner) => ({ read: (call) => inner.read({ ...call, ifMatch: undefined }) }),
  }),
  bugged({
    id: "M52f",
    bug: "a read ignores ifNoneMatch",
    killedBy: ["conditions.read.none"],
    below: () => (inner) => ({ read: (call) => inner.read({ ...call, ifNoneMatch: undefined }) }),
  }),
  bugged({
    id: "M52g",
    bug: "a delete ignores ifMatch",
    killedBy: ["conditions.delete"],
    below: () => (inner) => ({ delete: (call) => inner.delete({ ...call, ifMatch: undefined }) }),
  }),
  bugged({
    id: "M52h",
    bug: "a read with ifNoneMatch is not-modified whatever the etag",
    killedBy: ["conditions.read.none"],
    below: () => (inner) => ({
      async read(call) {
        if (call.ifNoneMatch !== undefined && (await now(inner, call)) !== undefined) throw new StoreError("not-modified", "the file has this etag");
        return inner.read(call);
      },
    }),
  }),
  bugged({
    id: "M53",
    bug: "an option that does not exist is ignored",
    killedBy: ["writes.option.unknown"],
    above: () => (store) => {
      const known = new Set([
        "signal",
        "fresh",
        "detail",
        "range",
        "ifMatch",
        "ifNoneMatch",
        "ifAbsent",
        "size",
        "modifiedMs",
        "contentType",
        "metadata",
        "expect",
        "onProgress",
        "recursive",
        "existOk",
      ]);
      const only = <T extends object>(options: T | undefined): T => Object.fromEntries(Object.entries(options ?? {}).filter(([key]) => known.has(key))) as T;
      return {
        stat: (path, options) => store.stat(path, only(options)),
        read: (path, options) => store.read(path, only(options)),
        write: (path, body, options) => store.write(path, body, only(options)),
        delete: (path, options) => store.delete(path, only(options)),
      };
    },
  }),
  bugged({
    id: "M53b",
    bug: "metadata, which is not declared, is ignored instead of refused",
    killedBy: ["metadata.user.kept"],
    reference: { capabilities: { writeMetadata: false, maxMetadataBytes: 0 } },
    above: () => (store) => ({
      write(path, body, options) {
        const { metadata: _metadata, ...rest } = options ?? {};
        return store.write(path, body, rest);
      },
    }),
  }),
  bugged({
    id: "M53c",
    bug: "ifAbsent of copy and move, which is not declared, is ignored instead of refused",
    killedBy: ["conditions.copy", "conditions.move"],
    reference: { capabilities: { copyIfAbsent: false, moveIfAbsent: false } },
    above: () => (store) => ({ copy: (from, to) => store.copy(from, to), move: (from, to) => store.move(from, to) }),
  }),
  bugged({
    id: "M53d",
    bug: "a condition on a body beyond its declared size is ignored instead of refused",
    killedBy: ["conditions.large"],
    reference: { capabilities: { maxConditionalBytes: 5_000 } },
    above: () => (store) => ({
      write(path, body, options) {
        const { ifAbsent: _ifAbsent, ifMatch: _ifMatch, ...rest } = options ?? {};
        return store.write(path, body, (rest.size ?? 0) > 5_000 ? rest : options);
      },
    }),
  }),
  bugged({
    id: "M53e",
    bug: "of two conditions that exclude each other one is ignored",
    killedBy: ["conditions.exclusive"],
    above: () => (store) => ({
      write(path, body, options) {
        const { ifMatch: _ifMatch, ...rest } = options ?? {};
        return store.write(path, body, rest.ifAbsent === true ? rest : options);
      },
    }),
  }),
  bugged({
    id: "M54",
    bug: "copy is declared and does nothing but report success",
    killedBy: ["names.spaces", "conditions.copy"],
    below: () => (inner) => ({ copy: async (call) => ({ ...(await inner.stat(calls.stat(call.path))), path: call.to }) }),
  }),
  bugged({
    id: "M54b",
    bug: "ifAbsent of write is declared and does nothing",
    killedBy: ["conditions.create"],
    below: () => (inner) => ({ write: (call) => inner.write({ ...call, ifAbsent: false }) }),
  }),
  bugged({
    id: "M54c",
    bug: "readIfMatch is declared and compares nothing but the presence of the file",
    killedBy: ["conditions.read.match"],
    below: () => (inner) => ({
      async read(call) {
        if (call.ifMatch !== undefined && (await now(inner, call)) === undefined) throw changed();
        return inner.read({ ...call, ifMatch: undefined });
      },
    }),
  }),
  bugged({
    id: "M54d",
    bug: "a strict hierarchy is declared and not kept: files lie below files",
    killedBy: ["paths.hierarchy", "writes.target"],
    reference: { capabilities: { strictHierarchy: false } },
    below: () => (inner) => ({ capabilities: { ...inner.capabilities, strictHierarchy: true } }),
  }),
  bugged({
    id: "A34",
    bug: "a write over a directory replaces it and everything in it",
    killedBy: ["writes.target", "paths.hierarchy"],
    below: () => (inner) => ({
      async write(call) {
        if ((await now(inner, call))?.kind === "directory") await inner.delete(calls.delete(call.path, { recursive: true }));
        return inner.write(call);
      },
    }),
  }),
  bugged({
    id: "A35",
    bug: "missing parents are not created: the write is refused",
    killedBy: ["writes.parents"],
    below: () => (inner) => ({
      async write(call) {
        const parent = parsePath(call.path.slice(0, call.path.lastIndexOf("/")) || "/");
        if ((await now(inner, { path: parent, signal: call.signal })) === undefined) throw new StoreError("not-found", "the parent is missing");
        return inner.write(call);
      },
    }),
  }),
  bugged({
    id: "A33",
    bug: "bytes of the same length are taken for the same bytes, and not written",
    killedBy: ["writes.overwrite.same-size"],
    below: () => (inner) => ({
      async write(call) {
        const entry = await now(inner, call);
        if (entry?.kind !== "file" || call.body.size !== entry.size || call.ifAbsent || call.ifMatch !== undefined) return inner.write(call);
        return entry;
      },
    }),
  }),
  bugged({
    id: "A01",
    bug: "the entry of a write tells the time of sending, not the one that the service keeps",
    killedBy: ["writes.entry"],
    below: () => (inner) => ({
      async write(call) {
        const entry = await inner.write(call);
        return { ...entry, modifiedMs: (entry.modifiedMs ?? 0) + 1500 };
      },
    }),
  }),
];
