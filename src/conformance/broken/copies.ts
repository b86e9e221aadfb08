/** One-bug stores that copy and move wrongly: M56 to M58, each cell of rename(2), and what becomes of trees half way. */
import { StoreError, hasCode, isInside, nameOf, parentOf, rebase, root } from "../../store/index.ts";
import type { Backend, CopyCall, Entry, MoveCall, StorePath } from "../../store/index.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore, Bug, Original } from "./broken.ts";
import { at, bytesAt, calls, emptyAt, entries, everything, path, put, remove, turn, unless } from "./tree.ts";

type Transfer = CopyCall | MoveCall;
type Verb = "copy" | "move";
type Next = (call: Transfer) => Promise<Entry>;

/** The bug is in copy and move alike. */
function both(bug: Omit<Bug, "below">, bend: (inner: Backend, call: Transfer, next: Next, verb: Verb) => Promise<Entry>): BrokenStore {
  return bugged({
    ...bug,
    below: () => (inner) => ({
      copy: (call) => bend(inner, call, (next) => inner.copy(next as CopyCall), "copy"),
      move: (call) => bend(inner, call, (next) => inner.move(next as MoveCall), "move"),
    }),
  });
}

/** The same for bugs that the front would catch. */
function above(
  bug: Omit<Bug, "above">,
  bend: (store: Original, verb: Verb, from: string, to: string, next: () => Promise<Entry>) => Promise<Entry>,
): BrokenStore {
  return bugged({
    ...bug,
    above: () => (store) => ({
      copy: (from, to, options) => bend(store, "copy", from, to, () => store.copy(from, to, options)),
      move: (from, to, options) => bend(store, "move", from, to, () => store.move(from, to, options)),
    }),
  });
}

const made = (to: StorePath, kind: "file" | "directory" = "file"): Entry => ({
  path: to,
  kind,
  size: 0,
  modifiedMs: null,
  etag: null,
  id: null,
  contentType: null,
  hashes: {},
  metadata: null,
  complete: false,
});

/** Files of a subtree, or the one file. */
async function filesAt(inner: Backend, where: StorePath): Promise<Entry[]> {
  const entry = await at(inner, where);
  if (entry === undefined || entry.kind === "file") return entry === undefined ? [] : [entry];
  return (await everything(inner, where, true)).filter((each) => each.kind === "file");
}

const rows: readonly BrokenStore[] = [
  bugged({
    id: "M56",
    bug: "a move deletes its source although the copy failed",
    killedBy: ["move.file.to-directory"],
    below: () => (inner) => ({
      async move(call) {
        try {
          return await inner.move(call);
        } catch (error) {
          if (hasCode(error, "is-a-directory")) await remove(inner, call.path);
          throw error;
        }
      },
    }),
  }),
  bugged({
    id: "M57",
    bug: "a move onto itself deletes what it moves",
    killedBy: ["move.file.onto-itself", "move.directory.onto-itself"],
    above: () => (store) => ({
      async move(from, to, options) {
        const entry = await store.move(from, to, options);
        if (from === to) await store.delete(from, { recursive: true });
        return entry;
      },
    }),
  }),
  both(
    {
      id: "M58",
      bug: "copies and moves lose content type and metadata",
      killedBy: ["copy.keeps.type", "copy.keeps.metadata", "copy.keeps.tree", "move.keeps.type", "move.keeps.metadata", "move.keeps.tree"],
    },
    async (inner, call, next) => {
      const entry = await next(call);
      for (const each of await filesAt(inner, call.to)) await put(inner, each.path, await bytesAt(inner, each.path));
      return entry;
    },
  ),
];

const cells: readonly BrokenStore[] = [
  bugged({
    id: "N121",
    bug: "a copy is a move",
    killedBy: ["copy.file.to-missing"],
    below: () => (inner) => ({ copy: (call) => inner.move({ ...call, operation: "move" }) }),
  }),
  bugged({
    id: "N22",
    bug: "a move is a copy",
    killedBy: ["move.file.to-missing"],
    below: () => (inner) => ({ move: (call) => inner.copy({ ...call, operation: "copy" }) }),
  }),
  both({ id: "N122", bug: "over a longer file its tail stays", killedBy: ["copy.file.to-file", "move.file.to-file"] }, async (inner, call, next) => {
    const old = (await at(inner, call.to))?.kind === "file" ? await bytesAt(inner, call.to) : new Uint8Array();
    const entry = await next(call);
    if (entry.kind !== "file" || (entry.size ?? 0) >= old.length) return entry;
    return await put(inner, call.to, Buffer.concat([await bytesAt(inner, call.to), old.subarray(entry.size ?? 0)]));
  }),
  both(
    {
      id: "N123",
      bug: "a file onto a directory goes into it",
      killedBy: ["copy.file.to-empty-directory", "copy.file.to-directory", "move.file.to-empty-directory", "move.file.to-directory"],
    },
    (_inner, call, next) => unless("is-a-directory", next(call), () => next({ ...call, to: path(`${call.to}/${nameOf(call.path)}`) })),
  ),
  both(
    { id: "N124", bug: "empty files of a tree are left out", killedBy: ["copy.directory.to-missing", "move.directory.to-missing"] },
    async (inner, call, next) => {
      const entry = await next(call);
      if (entry.kind === "directory") for (const each of await filesAt(inner, call.to)) if (each.size === 0) await remove(inner, each.path);
      return entry;
    },
  ),
  bugged({
    id: "N23",
    bug: "a move of a tree leaves what is below its first level at the source as well",
    killedBy: ["move.directory.to-missing"],
    below: () => (inner) => ({
      async move(call) {
        if ((await at(inner, call.path))?.kind !== "directory") return await inner.move(call);
        const entry = await inner.copy({ ...call, operation: "copy" });
        for (const each of await everything(inner, call.path)) if (each.kind === "file") await remove(inner, each.path);
        return entry;
      },
    }),
  }),
  both({ id: "N125", bug: "a directory onto a file deletes the file", killedBy: ["copy.directory.to-file", "move.directory.to-file"] }, (inner, call, next) =>
    unless("not-a-directory", next(call), async () => (await remove(inner, call.to), next(call))),
  ),
  both(
    {
      id: "N126",
      bug: "a directory onto an empty directory goes into it",
      killedBy: ["copy.directory.to-empty-directory", "move.directory.to-empty-directory"],
    },
    async (inner, call, next) => {
      const into = (await at(inner, call.path))?.kind === "directory" && (await at(inner, call.to))?.kind === "directory" && (await emptyAt(inner, call.to));
      return await next(into ? { ...call, to: path(`${call.to}/${nameOf(call.path)}`) } : call);
    },
  ),
  both(
    {
      id: "N01",
      bug: "a directory onto a full one replaces it",
      killedBy: ["copy.directory.to-directory", "copy.to-ancestor", "move.directory.to-directory", "move.to-ancestor"],
    },
    (inner, call, next) => unless("not-empty", next(call), async () => (await remove(inner, call.to), next(call))),
  ),
  both(
    { id: "N02", bug: "a directory onto a full one is merged into it", killedBy: ["copy.directory.to-directory", "move.directory.to-directory"] },
    (inner, call, next) =>
      unless("not-empty", next(call), async () => {
        for (const each of await filesAt(inner, call.path)) await next({ ...call, path: each.path, to: rebase(each.path, call.path, call.to) });
        return made(call.to, "directory");
      }),
  ),
  both(
    {
      id: "N127",
      bug: "a directory that holds only directories counts as empty",
      killedBy: ["copy.directory.to-hidden-content", "move.directory.to-hidden-content"],
    },
    (inner, call, next) =>
      unless("not-empty", next(call), async (error) => {
        if ((await filesAt(inner, call.to)).length > 0) throw error;
        await remove(inner, call.to);
        return await next(call);
      }),
  ),
  both({ id: "N128", bug: "empty directories are left out", killedBy: ["copy.directory.empty", "move.directory.empty"] }, async (inner, call, next) => {
    const entry = await next(call);
    if (entry.kind !== "directory") return entry;
    for (const each of (await everything(inner, call.to, true)).toReversed())
      if (each.kind === "directory" && (await emptyAt(inner, each.path))) await remove(inner, each.path);
    if (await emptyAt(inner, call.to)) await remove(inner, call.to);
    return entry;
  }),
  above(
    { id: "N129", bug: "a copy onto itself empties it first", killedBy: ["copy.file.onto-itself", "copy.directory.onto-itself"] },
    async (store, verb, from, to, next) => {
      const entry = await next();
      if (from !== to || verb === "move") return entry;
      if (entry.kind === "file") await store.write(to, "");
      else for (const each of await store.list(to).toArray()) await store.delete(each.path, { recursive: true });
      return entry;
    },
  ),
  above(
    { id: "N130", bug: "onto itself nothing is asked, not even whether it is there", killedBy: ["copy.missing.onto-itself", "move.missing.onto-itself"] },
    (_store, _verb, from, to, next) => (from === to ? Promise.resolve(made(path(to))) : next()),
  ),
  above(
    { id: "N43", bug: "a directory into its own subtree is a success", killedBy: ["copy.into-itself", "move.into-itself"] },
    (_store, _verb, from, to, next) =>
      unless("invalid-path", next(), (error) =>
        from !== "/" && to !== "/" && isInside(path(to), path(from)) ? made(path(to)) : Promise.reject(error as Error),
      ),
  ),
  above({ id: "N131", bug: "copy and move of the root are a success", killedBy: ["copy.root", "move.root"] }, (_store, _verb, from, to, next) =>
    from === "/" || to === "/" ? Promise.resolve(made(root, "directory")) : next(),
  ),
  both(
    {
      id: "N03",
      bug: "the target is deleted before anybody looks whether there is a source",
      killedBy: ["copy.missing.keeps-target", "move.missing.keeps-target"],
    },
    (inner, call, next) =>
      unless("not-found", next(call), async (error) => {
        await remove(inner, call.to);
        throw error;
      }),
  ),
  both({ id: "N132", bug: "parents of the target are not made", killedBy: ["copy.parents", "move.parents"] }, async (inner, call, next) => {
    if ((await at(inner, parentOf(call.to))) === undefined) throw new StoreError("not-found", "the parent is missing");
    return await next(call);
  }),
  both({ id: "N133", bug: "a target below a file is accepted and goes nowhere", killedBy: ["copy.below-file", "move.below-file"] }, (inner, call, next) =>
    unless("not-a-directory", next(call), async (error) => ((await at(inner, call.to)) === undefined ? made(call.to) : Promise.reject(error as Error))),
  ),
  both({ id: "N134", bug: "with ifAbsent everything is taken", killedBy: ["copy.if-absent.free", "move.if-absent.free"] }, (_inner, call, next) =>
    call.ifAbsent ? Promise.reject(new StoreError("already-exists", "something is there")) : next(call),
  ),
  bugged({
    id: "N12",
    bug: "copy ignores ifAbsent",
    killedBy: ["copy.if-absent.taken", "copy.if-absent.tree", "capabilities.copy-if-absent"],
    below: () => (inner) => ({ copy: (call) => inner.copy({ ...call, ifAbsent: false }) }),
  }),
  bugged({
    id: "N47",
    bug: "move ignores ifAbsent",
    killedBy: ["move.if-absent.taken", "move.if-absent.tree", "capabilities.move-if-absent"],
    below: () => (inner) => ({ move: (call) => inner.move({ ...call, ifAbsent: false }) }),
  }),
  both({ id: "N135", bug: "of an empty file there is nothing to copy", killedBy: ["copy.empty-file", "move.empty-file"] }, async (inner, call, next) =>
    (await at(inner, call.path))?.kind === "file" && (await at(inner, call.path))?.size === 0 ? made(call.to) : next(call),
  ),
  both({ id: "N136", bug: "beyond 64 KiB the last byte is lost", killedBy: ["copy.sizes", "move.sizes"] }, async (inner, call, next) => {
    const entry = await next(call);
    return entry.kind === "file" && (entry.size ?? 0) > 65_536 ? await put(inner, call.to, (await bytesAt(inner, call.to)).subarray(0, -1)) : entry;
  }),
  both(
    { id: "N137", bug: "siblings whose names begin the same go along", killedBy: ["copy.sibling-prefix", "move.sibling-prefix"] },
    async (inner, call, next) => {
      const siblings = (await everything(inner, parentOf(call.path))).filter((each) => each.path !== call.path && each.path.startsWith(call.path));
      const entry = await next(call);
      for (const each of siblings) await next({ ...call, path: each.path, to: path(`${call.to}${each.path.slice(call.path.length)}`) });
      return entry;
    },
  ),
  both({ id: "N238", bug: "the target is decoded once too often", killedBy: ["copy.names", "move.names"] }, (_inner, call, next) =>
    next({ ...call, to: path(call.to.replace(/%(?:20|23|25|3F)/gi, (escape) => decodeURIComponent(escape))) }),
  ),
  both({ id: "N138", bug: "of a tree the first thousand entries go along", killedBy: ["copy.many", "move.many"] }, async (inner, call, next) => {
    const entry = await next(call);
    if (entry.kind === "directory") for (const each of (await everything(inner, call.to, true)).slice(1000)) await remove(inner, each.path);
    return entry;
  }),
  bugged({
    id: "N139",
    bug: "copies and moves take the version before the last",
    killedBy: ["copy.after-overwrite", "move.after-overwrite"],
    below: () => {
      const before = new Map<StorePath, Uint8Array>();
      return (inner) => {
        const stale = async (call: Transfer, entry: Entry): Promise<Entry> => {
          const old = before.get(call.path);
          return old === undefined ? entry : await put(inner, call.to, old);
        };
        let last: Uint8Array | undefined;
        return {
          async write(call) {
            if (last !== undefined) before.set(call.path, last);
            const entry = await inner.write(call);
            last = await bytesAt(inner, call.path);
            return entry;
          },
          copy: async (call) => stale(call, await inner.copy(call)),
          move: async (call) => stale(call, await inner.move(call)),
        };
      };
    },
  }),
];

/** Trees copied one by one, and given up without taking back what was made. */
async function leavingHalf(inner: Backend, call: Transfer, next: Next): Promise<Entry> {
  if ((await at(inner, call.path))?.kind !== "directory") return await next(call);
  for (const each of await filesAt(inner, call.path)) {
    await turn();
    if (call.signal?.aborted === true) throw new StoreError("aborted", "the caller gave up", { applied: false, cause: call.signal.reason });
    await next({ ...call, path: each.path, to: rebase(each.path, call.path, call.to), signal: undefined });
  }
  if (call.operation === "move") await remove(inner, call.path);
  return await inner.stat(calls.stat(call.to));
}

const courses: readonly BrokenStore[] = [
  bugged({
    id: "N140",
    bug: "copies and moves at once share the source that was named last",
    killedBy: ["copy.parallel", "move.parallel"],
    below: () => {
      let last: StorePath = root;
      const shared = async (call: Transfer, next: Next): Promise<Entry> => {
        last = call.path;
        await turn();
        return await next({ ...call, path: last });
      };
      return (inner) => ({
        copy: (call) => shared(call, (next) => inner.copy(next as CopyCall)),
        move: (call) => shared(call, (next) => inner.move(next as MoveCall)),
      });
    },
  }),
  bugged({
    id: "N141",
    bug: "the copy of a directory refers to the directory",
    killedBy: ["copy.independent.tree"],
    below: () => {
      const refers = new Map<StorePath, StorePath>();
      return (inner) => ({
        async copy(call) {
          const entry = await inner.copy(call);
          if (entry.kind === "directory") refers.set(call.to, call.path);
          return entry;
        },
        async list(call) {
          const from = refers.get(call.path);
          if (from === undefined) return await inner.list(call);
          const page = await inner.list({ ...call, path: from });
          return { ...page, entries: page.entries.map((entry) => ({ ...entry, path: rebase(entry.path, from, call.path) })) };
        },
      });
    },
  }),
  bugged({
    id: "N236",
    bug: "a copy goes when its source is deleted",
    killedBy: ["copy.chain", "copy.independent.source"],
    below: () => {
      const copied = new Map<StorePath, StorePath>();
      return (inner) => ({
        async copy(call) {
          const entry = await inner.copy(call);
          copied.set(call.path, call.to);
          return entry;
        },
        async delete(call) {
          await inner.delete(call);
          const copy = copied.get(call.path);
          if (copy !== undefined) await remove(inner, copy);
        },
      });
    },
  }),
  bugged({
    id: "N142",
    bug: "a directory goes with the last file that is moved out of it",
    killedBy: ["move.parent", "move.made-parent"],
    below: () => (inner) => ({
      async move(call) {
        const entry = await inner.move(call);
        const parent = parentOf(call.path);
        if (parent !== root && (await emptyAt(inner, parent))) await remove(inner, parent);
        return entry;
      },
    }),
  }),
  bugged({
    id: "N143",
    bug: "a move back to where something was moved from does nothing",
    killedBy: ["move.back"],
    below: () => {
      const left = new Set<StorePath>();
      return (inner) => ({
        async move(call) {
          if (left.has(call.to)) return { ...(await inner.stat(calls.stat(call.path))), path: call.to };
          left.add(call.path);
          return await inner.move(call);
        },
      });
    },
  }),
  bugged({
    id: "N144",
    bug: "what is written to the old path of something that was moved goes to the new one",
    killedBy: ["move.replaced-place", "move.replaced-directory"],
    below: () => {
      const moved = new Map<StorePath, StorePath>();
      return (inner) => ({
        async move(call) {
          const entry = await inner.move(call);
          moved.set(call.path, call.to);
          return entry;
        },
        write(call) {
          for (const [from, to] of moved) if (isInside(call.path, from)) return inner.write({ ...call, path: rebase(call.path, from, to) });
          return inner.write(call);
        },
      });
    },
  }),
  bugged({
    id: "N145",
    bug: "a move that comes too late takes back what the other one made",
    killedBy: ["move.race.one-source"],
    below: () => {
      const winners = new Map<StorePath, StorePath>();
      return (inner) => ({
        async move(call) {
          try {
            const entry = await inner.move(call);
            winners.set(call.path, call.to);
            return entry;
          } catch (error) {
            const other = winners.get(call.path);
            if (hasCode(error, "not-found") && other !== undefined) await remove(inner, other);
            throw error;
          }
        },
      });
    },
  }),
  both(
    {
      id: "N146",
      bug: "a tree that is given up half way is left half, and the error says that nothing was done",
      killedBy: ["copy.aborted.tree", "move.aborted.tree"],
    },
    leavingHalf,
  ),
  bugged({
    id: "N149",
    bug: "every file has the same etag, whatever its bytes",
    killedBy: ["move.source-changed"],
    below: () => (inner) => ({
      ...entries(inner, (entry) => (entry.kind === "file" ? { ...entry, etag: "same" } : entry)),
      delete: (call) => inner.delete({ ...call, ifMatch: call.ifMatch === "same" ? undefined : call.ifMatch }),
    }),
  }),
  bugged({
    id: "N150",
    bug: "a copy reads its source in two halves",
    killedBy: ["copy.while-overwritten"],
    below: () => (inner) => ({
      async copy(call) {
        const entry = await inner.copy(call);
        if (entry.kind !== "file") return entry;
        const first = await bytesAt(inner, call.path);
        for (let turns = 0; turns < 4; turns += 1) await turn();
        const second = await bytesAt(inner, call.path);
        return await put(inner, call.to, Buffer.concat([first.subarray(0, first.length >> 1), second.subarray(first.length >> 1)]));
      },
    }),
  }),
];

export const broken: readonly BrokenStore[] = [...rows, ...cells, ...courses];
