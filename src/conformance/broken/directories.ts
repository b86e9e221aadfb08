/** One-bug stores that delete and make directories wrongly, beyond M01 to M05. */
import { StoreError, nameOf, parentOf, root } from "../../store/index.ts";
import type { Backend, DeleteCall, Entry, StorePath } from "../../store/index.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore, Bug } from "./broken.ts";
import { at, bytesAt, calls, emptyAt, everything, fileAbove, put, remove, turn, unless } from "./tree.ts";

/** The bug is in delete. */
function deletes(bug: Omit<Bug, "below">, bend: (inner: Backend, call: DeleteCall) => Promise<void>): BrokenStore {
  return bugged({ ...bug, below: () => (inner) => ({ delete: (call) => bend(inner, call) }) });
}

const made = (where: StorePath): Entry => ({
  path: where,
  kind: "directory",
  size: 0,
  modifiedMs: null,
  etag: null,
  id: null,
  contentType: null,
  hashes: {},
  metadata: null,
  complete: false,
});
const failed = (condition: boolean): Promise<void> =>
  condition ? Promise.reject(new StoreError("precondition-failed", "the file has changed")) : Promise.resolve();

const deleting: readonly BrokenStore[] = [
  deletes({ id: "N04", bug: "a directory that is not empty is deleted without being told to", killedBy: ["delete.directory.not-empty"] }, (inner, call) =>
    unless("not-empty", inner.delete(call), () => remove(inner, call.path)),
  ),
  bugged({
    id: "N15",
    bug: "deleting the root deletes everything in it",
    killedBy: ["delete.root"],
    above: () => (store) => ({
      async delete(where, options) {
        if (where !== "/") return await store.delete(where, options);
        for (const entry of await store.list("/").toArray()) await store.delete(entry.path, { recursive: true });
      },
    }),
  }),
  deletes({ id: "N17", bug: "deleting what is not there is not-found", killedBy: ["delete.missing"] }, async (inner, call) => {
    await inner.stat(calls.stat(call.path, { fresh: true }));
    await inner.delete(call);
  }),
  deletes(
    { id: "N17b", bug: "a delete that finds its file deleted by somebody else meanwhile is not-found", killedBy: ["delete.parallel"] },
    async (inner, call) => {
      const there = await at(inner, call.path);
      await turn();
      if (there !== undefined && (await at(inner, call.path)) === undefined) throw new StoreError("not-found", "nothing is there");
      await inner.delete(call);
    },
  ),
  deletes({ id: "N31", bug: "a recursive delete removes names and leaves the files", killedBy: ["delete.recursive.tree"] }, async (inner, call) => {
    const deep =
      call.recursive && (await at(inner, call.path))?.kind === "directory"
        ? (await everything(inner, call.path, true)).filter((entry) => entry.kind === "file" && parentOf(entry.path) !== call.path)
        : [];
    const bytes = await Promise.all(deep.map((entry) => bytesAt(inner, entry.path)));
    await inner.delete(call);
    for (const [index, entry] of deep.entries()) await put(inner, entry.path, bytes[index]!);
  }),
  deletes(
    { id: "N60", bug: "a directory goes with the last file that is deleted in it", killedBy: ["delete.parent", "delete.made-directory"] },
    async (inner, call) => {
      await inner.delete(call);
      const parent = parentOf(call.path);
      if (parent !== root && (await emptyAt(inner, parent))) await remove(inner, parent);
    },
  ),
  deletes({ id: "N151", bug: "deleting below a file deletes the file", killedBy: ["delete.below-file"] }, async (inner, call) =>
    inner.delete({ ...call, path: (await fileAbove(inner, call.path)) ?? call.path }),
  ),
  bugged({
    id: "N152",
    bug: "a file that is written again after a delete has the bytes of the first time",
    killedBy: ["delete.again"],
    below: () => {
      const first = new Map<StorePath, Uint8Array>();
      return (inner) => ({
        async delete(call) {
          if (!first.has(call.path) && (await at(inner, call.path))?.kind === "file") first.set(call.path, await bytesAt(inner, call.path));
          await inner.delete(call);
        },
        async write(call) {
          const entry = await inner.write(call);
          const old = first.get(call.path);
          return old === undefined ? entry : await put(inner, call.path, old);
        },
      });
    },
  }),
  deletes({ id: "N153", bug: "an empty directory cannot be deleted", killedBy: ["delete.directory.empty"] }, async (inner, call) => {
    if (!call.recursive && (await at(inner, call.path))?.kind === "directory" && (await emptyAt(inner, call.path)))
      throw new StoreError("is-a-directory", "a directory is there");
    await inner.delete(call);
  }),
  deletes({ id: "N154", bug: "a directory that holds only directories counts as empty", killedBy: ["delete.directory.holds-directory"] }, (inner, call) =>
    unless("not-empty", inner.delete(call), async (error) => {
      if ((await everything(inner, call.path, true)).some((entry) => entry.kind === "file")) throw error;
      await remove(inner, call.path);
    }),
  ),
  deletes(
    { id: "N155", bug: "a recursive delete of a file deletes what is below it, which is nothing", killedBy: ["delete.recursive.file"] },
    async (inner, call) => {
      if (!call.recursive || (await at(inner, call.path))?.kind !== "file") await inner.delete(call);
    },
  ),
  deletes({ id: "N156", bug: "a recursive delete of an empty directory deletes nothing", killedBy: ["delete.recursive.empty"] }, async (inner, call) => {
    if (!call.recursive || (await at(inner, call.path))?.kind !== "directory" || !(await emptyAt(inner, call.path))) await inner.delete(call);
  }),
  deletes({ id: "N157", bug: "a recursive delete deletes the first page", killedBy: ["delete.recursive.many"] }, async (inner, call) => {
    if (!call.recursive || (await at(inner, call.path))?.kind !== "directory") return await inner.delete(call);
    const { entries, cursor } = await inner.list(calls.list(call.path, { recursive: true }));
    if (cursor === undefined) return await inner.delete(call);
    for (const entry of entries) await remove(inner, entry.path);
  }),
  deletes(
    { id: "N158", bug: "a recursive delete leaves files whose names need escaping in XML", killedBy: ["delete.recursive.awkward-names"] },
    async (inner, call) => {
      const left =
        call.recursive && (await at(inner, call.path))?.kind === "directory"
          ? (await everything(inner, call.path, true)).filter((entry) => entry.kind === "file" && /[<>&]/.test(nameOf(entry.path)))
          : [];
      const bytes = await Promise.all(left.map((entry) => bytesAt(inner, entry.path)));
      await inner.delete(call);
      for (const [index, entry] of left.entries()) await put(inner, entry.path, bytes[index]!);
    },
  ),
  deletes(
    { id: "N159", bug: "the condition of a delete never holds", killedBy: ["delete.if-match.same"] },
    async (inner, call) => (await failed(call.ifMatch !== undefined), inner.delete(call)),
  ),
  deletes(
    { id: "N160", bug: "a delete with a condition fails where nothing is", killedBy: ["delete.if-match.missing"] },
    async (inner, call) => (await failed(call.ifMatch !== undefined && (await at(inner, call.path)) === undefined), inner.delete(call)),
  ),
  deletes({ id: "N161", bug: "the condition of a delete means nothing for directories", killedBy: ["delete.if-match.directory"] }, async (inner, call) =>
    inner.delete((await at(inner, call.path))?.kind === "directory" ? { ...call, ifMatch: undefined } : call),
  ),
  deletes(
    { id: "N162", bug: "emptyOnlyDelete is declared native, and is a look before a recursive delete", killedBy: ["delete.race.child"] },
    async (inner, call) => {
      if (call.recursive || (await at(inner, call.path))?.kind !== "directory") return await inner.delete(call);
      if (!(await emptyAt(inner, call.path))) throw new StoreError("not-empty", "the directory is not empty");
      await turn();
      await remove(inner, call.path);
    },
  ),
  bugged({
    id: "N164",
    bug: "a connection remembers every file that it has seen, also when another one deletes it",
    killedBy: ["delete.other-connection"],
    below: () => (inner) => {
      const seen = new Map<StorePath, Entry>();
      return {
        async stat(call) {
          const known = seen.get(call.path);
          if (known !== undefined) return known;
          const entry = await inner.stat(call);
          if (entry.kind === "file") seen.set(call.path, entry);
          return entry;
        },
        async read(call) {
          const reply = await inner.read(call);
          seen.set(call.path, reply.entry);
          return reply;
        },
        async write(call) {
          const entry = await inner.write(call);
          seen.delete(call.path);
          return entry;
        },
        async delete(call) {
          await inner.delete(call);
          seen.delete(call.path);
        },
      };
    },
  }),
];

const making: readonly BrokenStore[] = [
  bugged({
    id: "N165",
    bug: "mkdir says yes and makes nothing",
    killedBy: ["mkdir.new", "capabilities.mkdir"],
    below: () => (inner) => ({
      mkdir: async (call) => {
        const there = await at(inner, call.path);
        return there ?? made(call.path);
      },
    }),
  }),
  bugged({
    id: "N18",
    bug: "mkdir of what exists is a success",
    killedBy: ["mkdir.exists"],
    below: () => (inner) => ({ mkdir: (call) => inner.mkdir({ ...call, existOk: true }) }),
  }),
  bugged({
    id: "N19",
    bug: "mkdir does not make parents",
    killedBy: ["mkdir.parents"],
    below: () => (inner) => ({
      async mkdir(call) {
        if (parentOf(call.path) !== root && (await at(inner, parentOf(call.path))) === undefined) throw new StoreError("not-found", "the parent is missing");
        return await inner.mkdir(call);
      },
    }),
  }),
  bugged({
    id: "N166",
    bug: "mkdir with existOk makes an empty directory, whatever was there",
    killedBy: ["mkdir.exist-ok"],
    below: () => (inner) => ({
      async mkdir(call) {
        if (call.existOk && (await at(inner, call.path))?.kind === "directory") await remove(inner, call.path);
        return await inner.mkdir(call);
      },
    }),
  }),
  bugged({
    id: "N05",
    bug: "mkdir with existOk is content with a file",
    killedBy: ["mkdir.exist-ok.file"],
    below: () => (inner) => ({
      mkdir: (call) =>
        unless("already-exists", inner.mkdir(call), (error) => (call.existOk ? inner.stat(calls.stat(call.path)) : Promise.reject(error as Error))),
    }),
  }),
  bugged({
    id: "N56",
    bug: "mkdir below a file is a success",
    killedBy: ["mkdir.below-file"],
    below: () => (inner) => ({ mkdir: (call) => unless("not-a-directory", inner.mkdir(call), () => made(call.path)) }),
  }),
  bugged({
    id: "N167",
    bug: "mkdir of the root is a success",
    killedBy: ["mkdir.root"],
    above: () => (store) => ({ mkdir: (where, options) => (where === "/" ? store.stat("/") : store.mkdir(where, options)) }),
  }),
  bugged({
    id: "N168",
    bug: "mkdir with existOk leaves a directory implied that it finds implied",
    killedBy: ["mkdir.adopts"],
    reference: { capabilities: { directories: "implied" } },
    below: () => (inner) => ({
      async mkdir(call) {
        const there = call.existOk ? await at(inner, call.path) : undefined;
        return there?.kind === "directory" ? there : await inner.mkdir(call);
      },
    }),
  }),
  bugged({
    id: "N57",
    bug: "exclusiveMkdir is declared, and mkdir looks first and makes then",
    killedBy: ["mkdir.race"],
    below: () => (inner) => ({
      async mkdir(call) {
        if (!call.existOk && (await at(inner, call.path)) !== undefined) throw new StoreError("already-exists", "something is there");
        await turn();
        return await inner.mkdir({ ...call, existOk: true });
      },
    }),
  }),
  bugged({
    id: "N169",
    bug: "writers at once each make the missing directory: it is listed once per writer",
    killedBy: ["mkdir.race.parents"],
    below: () => {
      const twins = new Map<StorePath, number>();
      return (inner) => ({
        async write(call) {
          const parent = parentOf(call.path);
          const missing = (await at(inner, parent)) === undefined;
          await turn();
          const entry = await inner.write(call);
          if (missing) twins.set(parent, (twins.get(parent) ?? 0) + 1);
          return entry;
        },
        async list(call) {
          const page = await inner.list(call);
          return { ...page, entries: page.entries.flatMap((entry) => Array.from({ length: twins.get(entry.path) ?? 1 }, () => entry)) };
        },
      });
    },
  }),
  bugged({
    id: "N170",
    bug: "of directories made at once only the last is made",
    killedBy: ["mkdir.parallel"],
    below: () => {
      let last: StorePath = root;
      return (inner) => ({
        async mkdir(call) {
          last = call.path;
          await turn();
          return last === call.path ? await inner.mkdir(call) : made(call.path);
        },
      });
    },
  }),
];

export const broken: readonly BrokenStore[] = [...deleting, ...making];
