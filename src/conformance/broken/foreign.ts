/** One-bug stores that are right for themselves and wrong for every other client of the service: only the second channel sees them. */
import { nameOf, parentOf, root } from "../../store/index.ts";
import type { Entry, ReadReply, StorePath } from "../../store/index.ts";
import { StoreError } from "../../store/index.ts";
import { changing, collected, drained, replyWith, withBytes } from "./bodies.ts";
import { bentPaths, eachName } from "./bent-paths.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore, Bug } from "./broken.ts";
import { at, entries, everything, path, put, remove } from "./tree.ts";

/** Other bytes at the service, and back again; the size is that of the caller's bytes. */
function framed(bug: Omit<Bug, "below" | "raw">, wrap: (bytes: Uint8Array) => Uint8Array, unwrap: (bytes: Uint8Array) => Uint8Array): BrokenStore {
  return bugged({
    ...bug,
    raw: true,
    below: () => (inner) => {
      const sized = async (entry: Entry): Promise<Entry> =>
        entry.kind === "directory"
          ? entry
          : {
              ...entry,
              size: unwrap(
                await drained(
                  (
                    await inner.read({
                      operation: "read",
                      path: entry.path,
                      signal: undefined,
                      fresh: true,
                      range: undefined,
                      ifMatch: undefined,
                      ifNoneMatch: undefined,
                    })
                  ).body,
                ),
              ).length,
              hashes: {},
              complete: false,
            };
      return {
        ...entries(inner, sized),
        write: async (call) => sized(await changing(inner, wrap)(call)),
        async read(call): Promise<ReadReply> {
          const reply = await inner.read({ ...call, range: undefined });
          const bytes = unwrap(await drained(reply.body));
          const offset = call.range === undefined ? 0 : call.range.offset < 0 ? Math.max(0, bytes.length + call.range.offset) : call.range.offset;
          const end = call.range?.length === undefined ? bytes.length : offset + call.range.length;
          return { ...replyWith(reply, bytes.subarray(offset, end)), offset, entry: { ...reply.entry, size: bytes.length, hashes: {}, complete: false } };
        },
      };
    },
  });
}

/** Other names at the service, and back again. */
function renamed(bug: Omit<Bug, "below" | "raw">, wrap: (name: string) => string, unwrap: (name: string) => string): BrokenStore {
  return bugged({ ...bug, raw: true, below: () => (inner) => bentPaths(inner, (where) => eachName(wrap)(where), unwrap) });
}

const header = new TextEncoder().encode("HEAD");
const without = (bytes: Uint8Array): Uint8Array => (Buffer.compare(bytes.subarray(0, 4), header) === 0 ? bytes.subarray(4) : bytes);

export const broken: readonly BrokenStore[] = [
  framed({ id: "N211", bug: "every file has a header of the adapter's own", killedBy: ["raw.written"] }, (bytes) => Buffer.concat([header, bytes]), without),
  framed(
    { id: "N213", bug: "bytes above 127 are turned round at the service and back again", killedBy: ["raw.binary"] },
    (bytes) => bytes.map((byte) => (byte > 127 ? 383 - byte : byte)),
    (bytes) => bytes.map((byte) => (byte > 127 ? 383 - byte : byte)),
  ),
  framed(
    { id: "N214", bug: "an empty file is kept as one space", killedBy: ["raw.empty"] },
    (bytes) => (bytes.length === 0 ? new Uint8Array([32]) : bytes),
    (bytes) => (bytes.length === 1 && bytes[0] === 32 ? new Uint8Array() : bytes),
  ),
  framed(
    { id: "N215", bug: "beyond 64 KiB the framing of the upload is kept in the file", killedBy: ["raw.stream"] },
    (bytes) => (bytes.length > 65_536 ? Buffer.concat([header, bytes]) : bytes),
    without,
  ),
  bugged({
    id: "N212",
    bug: "files of other clients are not seen",
    killedBy: ["raw.planted", "raw.many"],
    raw: true,
    below: () => {
      const mine = new Set<StorePath>();
      return (inner) => ({
        async write(call) {
          const entry = await inner.write(call);
          mine.add(call.path);
          return entry;
        },
        async read(call) {
          const reply = await inner.read(call);
          if (!mine.has(call.path)) throw new StoreError("not-found", "nothing is there");
          return reply;
        },
        async list(call) {
          const page = await inner.list(call);
          return { ...page, entries: page.entries.filter((entry) => entry.kind === "directory" || mine.has(entry.path)) };
        },
      });
    },
  }),
  bugged({
    id: "N216",
    bug: "what was written here is kept, whatever others write",
    killedBy: ["raw.overwritten"],
    raw: true,
    below: () => {
      const kept = new Map<StorePath, Uint8Array>();
      return (inner) => ({
        async write(call) {
          const { bytes, error } = await collected(call);
          if (error !== undefined) throw error;
          const entry = await inner.write(withBytes(call, bytes));
          kept.set(call.path, bytes);
          return entry;
        },
        async read(call) {
          const reply = await inner.read(call);
          const bytes = kept.get(call.path);
          return bytes === undefined || call.range !== undefined ? reply : replyWith(reply, bytes);
        },
      });
    },
  }),
  bugged({
    id: "N217",
    bug: "the etag counts the writes of this client",
    killedBy: ["raw.etag"],
    raw: true,
    below: () => {
      const writes = new Map<StorePath, number>();
      return (inner) => ({
        ...entries(inner, (entry) => (entry.kind === "file" ? { ...entry, etag: `w${writes.get(entry.path) ?? 0}` } : entry)),
        async write(call) {
          const entry = await inner.write(call);
          writes.set(call.path, (writes.get(call.path) ?? 0) + 1);
          return { ...entry, etag: `w${writes.get(call.path)}` };
        },
      });
    },
  }),
  bugged({
    id: "N218",
    bug: "a delete hides a file from this client and leaves it for the others",
    killedBy: ["raw.deleted"],
    raw: true,
    below: () => {
      const hidden = new Set<StorePath>();
      return (inner) => ({
        async delete(call) {
          if ((await at(inner, call.path))?.kind === "file") hidden.add(call.path);
          else await inner.delete(call);
        },
        async stat(call) {
          const entry = await inner.stat(call);
          if (hidden.has(call.path)) throw new StoreError("not-found", "nothing is there");
          return entry;
        },
        async read(call) {
          const reply = await inner.read(call);
          if (hidden.has(call.path)) throw new StoreError("not-found", "nothing is there");
          return reply;
        },
        async list(call) {
          const page = await inner.list(call);
          return { ...page, entries: page.entries.filter((entry) => !hidden.has(entry.path)) };
        },
        async write(call) {
          const entry = await inner.write(call);
          hidden.delete(call.path);
          return entry;
        },
      });
    },
  }),
  bugged({
    id: "N219",
    bug: "beside each file lies one of bookkeeping, which this client does not list",
    killedBy: ["raw.clean"],
    raw: true,
    below: () => (inner) => ({
      async write(call) {
        const entry = await inner.write(call);
        await put(inner, path(`${parentOf(call.path) === root ? "" : parentOf(call.path)}/.${nameOf(call.path)}.meta`), new Uint8Array(1));
        return entry;
      },
      async list(call) {
        const page = await inner.list(call);
        return { ...page, entries: page.entries.filter((entry) => !/\/\.[^/]*\.meta$/.test(entry.path)) };
      },
      async delete(call) {
        for (const entry of await everything(inner, call.path).catch(() => [])) if (entry.path.endsWith(".meta")) await remove(inner, entry.path);
        await inner.delete(call);
      },
    }),
  }),
  renamed(
    { id: "N220", bug: "characters of XML in names are escaped at the service", killedBy: ["raw.names.quotes"] },
    (name) => name.replaceAll("&", "&amp;").replaceAll("<", "&lt;"),
    (name) => name.replaceAll("&lt;", "<").replaceAll("&amp;", "&"),
  ),
  renamed(
    { id: "N221", bug: "names pass through Latin-1, both ways", killedBy: ["raw.names.unicode"] },
    (name) => Buffer.from(name, "utf8").toString("latin1").replaceAll("\u0000", ""),
    (name) => Buffer.from(name, "latin1").toString("utf8"),
  ),
  renamed(
    { id: "N231", bug: "percent signs are escaped once too often, both ways", killedBy: ["raw.names.percent"] },
    (name) => name.replaceAll("%", "%25"),
    (name) => name.replaceAll("%25", "%"),
  ),
  renamed(
    { id: "N232", bug: "spaces become plus signs at the service, and back again", killedBy: ["raw.names.plus"] },
    (name) => name.replaceAll("+", "%2B").replaceAll(" ", "+"),
    (name) => name.replaceAll("+", " ").replaceAll("%2B", "+"),
  ),
  renamed(
    { id: "N233", bug: "# and ? are escaped at the service, and back again", killedBy: ["raw.names.query"] },
    (name) => name.replaceAll("#", "%23").replaceAll("?", "%3F"),
    (name) => name.replaceAll("%23", "#").replaceAll("%3F", "?"),
  ),
  renamed(
    { id: "N234", bug: "dots at the end of a name are hidden from Windows by a mark", killedBy: ["raw.names.dots"] },
    (name) => name.replace(/\.$/, ".\u200b"),
    (name) => name.replace(/\.\u200b$/, "."),
  ),
  renamed(
    { id: "N235", bug: 'names are decomposed at the service and composed again, and "kept" is declared', killedBy: ["raw.normalisation"] },
    (name) => name.normalize("NFD"),
    (name) => name.normalize("NFC"),
  ),
];
