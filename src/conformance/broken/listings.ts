/** One-bug stores that list wrongly: M32, M33, M35 to M40, and rules of listings beyond the table. */
import { StoreError, hasCode, nameOf, parentOf, root } from "../../store/index.ts";
import type { Entry, Listing, StorePath } from "../../store/index.ts";
import { byCodePoint } from "../names.ts";
import { bugged } from "./broken.ts";
import type { BrokenStore } from "./broken.ts";
import { at, everything, fileAbove, paged, path, put, remove, turn, unless } from "./tree.ts";

/** Another way to iterate a listing. */
function listing(source: Listing, pages: (source: Listing) => AsyncIterable<readonly Entry[]>): Listing {
  const entries = async function* (): AsyncGenerator<Entry> {
    for await (const page of pages(source)) yield* page;
  };
  const toArray = async (): Promise<Entry[]> => {
    const all: Entry[] = [];
    for await (const entry of entries()) all.push(entry);
    return all;
  };
  return { pages: () => pages(source), [Symbol.asyncIterator]: () => entries(), toArray };
}

const rows: readonly BrokenStore[] = [
  bugged({
    id: "M32",
    bug: "a listing ends after its first page",
    killedBy: ["listing.pages.many", "listing.pages.recursive"],
    below: () => (inner) => ({ list: async (call) => ({ ...(await inner.list(call)), cursor: undefined }) }),
  }),
  bugged({
    id: "M33",
    bug: "a listing ends at a page that is empty although it has a cursor: five tombstones of deleted files in front are such a page",
    killedBy: ["listing.pages.deleted-run"],
    below: () => {
      const dead = new Set<StorePath>();
      return (inner) => ({
        async delete(call) {
          await inner.delete(call);
          dead.add(call.path);
        },
        async write(call) {
          const entry = await inner.write(call);
          dead.delete(call.path);
          return entry;
        },
        async list(call) {
          const alive = await everything(inner, call.path, call.recursive);
          const names = [...alive.map((entry) => entry.path), ...[...dead].filter((each) => parentOf(each) === call.path)].sort(byCodePoint);
          const from = (call.cursor as number | undefined) ?? 0;
          const entries = names.slice(from, from + 5).flatMap((name) => alive.find((entry) => entry.path === name) ?? []);
          return { entries, cursor: from + 5 < names.length && entries.length > 0 ? from + 5 : undefined };
        },
      });
    },
  }),
  bugged({
    id: "M35",
    bug: "a cursor counts: what is deleted before it hides as many entries behind it, what is added repeats them",
    killedBy: ["listing.pages.deleted-between", "listing.pages.added-between"],
    below: () => (inner) => ({
      list: paged(inner, 1000, (all, cursor) => {
        const from = (cursor as number | undefined) ?? 0;
        return { entries: all.slice(from), cursor: from + 1000 < all.length ? from + 1000 : undefined };
      }),
    }),
  }),
  bugged({
    id: "M36",
    bug: "the next page begins with the last entry of the one before",
    killedBy: ["listing.pages.many"],
    below: () => (inner) => ({
      list: paged(inner, 1000, (all, cursor) => {
        const from = cursor === undefined ? 0 : all.findIndex((entry) => entry.path === cursor);
        return { entries: all.slice(from), cursor: from + 1000 < all.length ? all[from + 999]?.path : undefined };
      }),
    }),
  }),
  bugged({
    id: "M37",
    bug: "a listing is a prefix without a slash at its end: siblings that begin with the name are in it",
    killedBy: ["listing.sibling-prefix", "mkdir.name-beside"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        if (call.path === root) return page;
        const siblings = (await everything(inner, parentOf(call.path))).filter(
          (entry) => entry.path !== call.path && nameOf(entry.path).startsWith(nameOf(call.path)),
        );
        return { ...page, entries: [...page.entries, ...siblings] };
      },
    }),
  }),
  bugged({
    id: "M38",
    bug: "entries whose stat fails are left out of a listing, and every seventh stat fails",
    killedBy: ["listing.children.exact"],
    below: () => {
      let looks = 0;
      return (inner) => ({
        async list(call) {
          const page = await inner.list(call);
          return { ...page, entries: page.entries.filter(() => (looks += 1) % 7 !== 0) };
        },
      });
    },
  }),
  bugged({
    id: "M39",
    bug: "a directory is a child of its own",
    killedBy: ["listing.self"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        const self = call.path === root || call.cursor !== undefined ? undefined : await at(inner, call.path);
        return self === undefined ? page : { ...page, entries: [self, ...page.entries] };
      },
    }),
  }),
  bugged({
    id: "M40",
    bug: "the time in a listing is not that of stat",
    killedBy: ["listing.entry.equals-stat", "metadata.modified.same-answer"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return { ...page, entries: page.entries.map((entry) => ({ ...entry, modifiedMs: entry.modifiedMs === null ? null : entry.modifiedMs + 1 })) };
      },
    }),
  }),
];

const answers: readonly BrokenStore[] = [
  bugged({
    id: "N06",
    bug: "the listing of a file is empty",
    killedBy: ["listing.file"],
    below: () => (inner) => ({ list: (call) => unless("not-a-directory", inner.list(call), () => ({ entries: [] })) }),
  }),
  bugged({
    id: "N07",
    bug: "the listing of a missing directory is empty",
    killedBy: ["listing.missing"],
    below: () => (inner) => ({ list: (call) => unless("not-found", inner.list(call), () => ({ entries: [] })) }),
  }),
  bugged({
    id: "N11",
    bug: "a listing does not look at its signal",
    killedBy: ["listing.pages.signal", "errors.signal.list"],
    above: () => (store) => ({ list: (dir, options) => store.list(dir, options === undefined ? undefined : { ...options, signal: undefined }) }),
  }),
  bugged({
    id: "N20",
    bug: "a recursive listing leaves out directories",
    killedBy: ["listing.recursive.exact", "listing.recursive.walk"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return call.recursive ? { ...page, entries: page.entries.filter((entry) => entry.kind === "file") } : page;
      },
    }),
  }),
  bugged({
    id: "N21",
    bug: "a recursive listing goes two levels down",
    killedBy: ["listing.recursive.exact", "listing.deep"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        const depth = call.path === root ? 1 : call.path.split("/").length;
        return call.recursive ? { ...page, entries: page.entries.filter((entry) => entry.path.split("/").length <= depth + 2) } : page;
      },
    }),
  }),
  bugged({
    id: "N30",
    bug: "children of the root have two slashes in front",
    killedBy: ["listing.root.children", "listing.recursive.root"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return call.path === root ? { ...page, entries: page.entries.map((entry) => ({ ...entry, path: `/${entry.path}` as StorePath })) } : page;
      },
    }),
  }),
  bugged({
    id: "N30b",
    bug: "entries of a listing have relative paths",
    killedBy: ["listing.children.exact", "listing.entry.usable"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return { ...page, entries: page.entries.map((entry) => ({ ...entry, path: nameOf(entry.path) as StorePath })) };
      },
    }),
  }),
  bugged({
    id: "N48",
    bug: "listSorted is declared, and listings come in reverse order",
    killedBy: ["listing.sorted", "listing.sorted.recursive"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return { ...page, entries: page.entries.toReversed() };
      },
    }),
  }),
  bugged({
    id: "N49",
    bug: "listComplete is declared, and entries of listings lack metadata",
    killedBy: ["listing.entry.complete"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return { ...page, entries: page.entries.map((entry) => ({ ...entry, metadata: null })) };
      },
    }),
  }),
  bugged({
    id: "N51",
    bug: "the temporary name of a running upload is listed",
    killedBy: ["listing.in-flight"],
    below: () => (inner) => ({
      async write(call) {
        const temporary = path(`${parentOf(call.path) === root ? "" : parentOf(call.path)}/.upload-${nameOf(call.path)}`);
        await put(inner, temporary, new Uint8Array(1));
        try {
          return await inner.write(call);
        } finally {
          await remove(inner, temporary);
        }
      },
    }),
  }),
  bugged({
    id: "N52",
    bug: "a recursive listing names a directory once per file in it",
    killedBy: ["listing.recursive.exact", "listing.pages.recursive"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        if (!call.recursive) return page;
        const all = await Promise.all(
          page.entries.map(async (entry) =>
            entry.kind === "file" && parentOf(entry.path) !== call.path ? [(await at(inner, parentOf(entry.path)))!, entry] : [entry],
          ),
        );
        return { ...page, entries: all.flat() };
      },
    }),
  }),
  bugged({
    id: "N70",
    bug: "the root lists the adapter's own bookkeeping",
    killedBy: ["listing.root.empty"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        if (call.path !== root) return page;
        await put(inner, path("/.index"), new Uint8Array(9));
        return await inner.list(call);
      },
    }),
  }),
  bugged({
    id: "N71",
    bug: "an empty directory lists as missing",
    killedBy: ["listing.directory.empty"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        if (page.entries.length === 0 && call.path !== root && call.cursor === undefined) throw new StoreError("not-found", "nothing is there");
        return page;
      },
    }),
  }),
  bugged({
    id: "N72",
    bug: "a plain listing has the whole subtree",
    killedBy: ["listing.children.direct"],
    below: () => (inner) => ({ list: (call) => inner.list({ ...call, recursive: true }) }),
  }),
  bugged({
    id: "N73",
    bug: "the listing of a path below a file is empty",
    killedBy: ["listing.below-file"],
    below: () => (inner) => ({
      list: (call) =>
        unless("not-found", inner.list(call), async (error) =>
          (await fileAbove(inner, call.path)) === undefined ? Promise.reject(error as Error) : { entries: [] },
        ),
    }),
  }),
  bugged({
    id: "N74",
    bug: "a listing finds a directory by the beginning of its name",
    killedBy: ["listing.prefix-of-name"],
    below: () => (inner) => ({
      list: (call) =>
        unless("not-found", inner.list(call), async (error) => {
          const siblings = await everything(inner, parentOf(call.path)).catch(() => []);
          return siblings.some((entry) => nameOf(entry.path).startsWith(nameOf(call.path))) ? { entries: [] } : Promise.reject(error);
        }),
    }),
  }),
  bugged({
    id: "N75",
    bug: "a listing keeps the first entry that it ever saw of a file",
    killedBy: ["listing.entry.after-overwrite"],
    below: () => {
      const first = new Map<StorePath, Entry>();
      return (inner) => ({
        async list(call) {
          const page = await inner.list(call);
          return {
            ...page,
            entries: page.entries.map((entry) => {
              const known = first.get(entry.path) ?? entry;
              first.set(entry.path, known);
              return known;
            }),
          };
        },
      });
    },
  }),
  bugged({
    id: "N76",
    bug: "stat does not know directories that nobody made by mkdir",
    killedBy: ["listing.parents", "mkdir.implied"],
    below: () => {
      const made = new Set<StorePath>([root]);
      return (inner) => ({
        async mkdir(call) {
          const entry = await inner.mkdir(call);
          made.add(call.path);
          return entry;
        },
        async stat(call) {
          const entry = await inner.stat(call);
          if (entry.kind === "directory" && !made.has(call.path)) throw new StoreError("not-found", "nothing is there");
          return entry;
        },
      });
    },
  }),
  bugged({
    id: "N77",
    bug: "a recursive listing gives what a directory holds before the directory",
    killedBy: ["listing.recursive.parents-first"],
    reference: { capabilities: { listSorted: false } },
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return call.recursive ? { ...page, entries: page.entries.toReversed() } : page;
      },
    }),
  }),
];

const flow: readonly BrokenStore[] = [
  bugged({
    id: "N62",
    bug: "a listing can be iterated once; the second time it is empty",
    killedBy: ["listing.iteration.again"],
    above: () => (store) => ({
      list(dir, options) {
        let used = false;
        return listing(store.list(dir, options), async function* (source) {
          if (used) return;
          used = true;
          yield* source.pages();
        });
      },
    }),
  }),
  bugged({
    id: "N78",
    bug: "pages() loses the last entry of a page",
    killedBy: ["listing.pages.same"],
    above: () => (store) => ({
      list(dir, options) {
        const source = store.list(dir, options);
        return {
          [Symbol.asyncIterator]: () => source[Symbol.asyncIterator](),
          toArray: () => source.toArray(),
          async *pages() {
            for await (const page of source.pages()) yield page.slice(0, -1);
          },
        };
      },
    }),
  }),
  bugged({
    id: "N79",
    bug: "a cursor can be used once; the second time its page is empty",
    killedBy: ["listing.pages.cursor"],
    below: () => {
      const used = new Set<unknown>();
      return (inner) => ({
        async list(call) {
          if (call.cursor !== undefined && used.has(JSON.stringify(call.cursor))) return { entries: [] };
          if (call.cursor !== undefined) used.add(JSON.stringify(call.cursor));
          return await inner.list(call);
        },
      });
    },
  }),
  bugged({
    id: "N80",
    bug: "pages of ten with a cursor that counts: who deletes while listing leaves every second page",
    killedBy: ["listing.pages.emptying"],
    below: () => (inner) => ({
      list: paged(inner, 10, (all, cursor) => {
        const from = (cursor as number | undefined) ?? 0;
        return { entries: all.slice(from), cursor: from + 10 < all.length ? from + 10 : undefined };
      }),
    }),
  }),
  bugged({
    id: "N81",
    bug: "a listing in the order of writing sees what is written while it runs, for ever",
    killedBy: ["listing.pages.growing"],
    reference: { capabilities: { listSorted: false } },
    below: () => {
      const order: StorePath[] = [];
      return (inner) => ({
        async write(call) {
          const entry = await inner.write(call);
          if (!order.includes(call.path)) order.push(call.path);
          return entry;
        },
        async list(call) {
          const all = await everything(inner, call.path, call.recursive);
          all.sort((left, right) => order.indexOf(left.path) - order.indexOf(right.path));
          const from = (call.cursor as number | undefined) ?? 0;
          return { entries: all.slice(from, from + 1), cursor: from + 1 < all.length + 1 && all.length > 0 ? from + 1 : undefined };
        },
      });
    },
  }),
  bugged({
    id: "N82",
    bug: "a listing starts when it is made, and nobody holds its error",
    killedBy: ["listing.iteration.lazy"],
    above: () => (store) => ({
      list(dir, options) {
        const source = store.list(dir, options);
        void source.toArray();
        return source;
      },
    }),
  }),
  bugged({
    id: "N83",
    bug: "a listing that is left early keeps its place; after thirty of them there are no more",
    killedBy: ["listing.iteration.break"],
    above: () => {
      let open = 0;
      return (store) => ({
        list: (dir, options) =>
          listing(store.list(dir, options), async function* (source) {
            if (open > 30) throw new StoreError("unavailable", "too many listings are open", { store: "broken", operation: "list", path: path(dir) });
            open += 1;
            for await (const page of source.pages()) for (const entry of page) yield [entry];
            open -= 1;
          }),
      });
    },
  }),
  bugged({
    id: "N84",
    bug: "the next listing begins where one that was left ended",
    killedBy: ["listing.iteration.caller-error"],
    above: () => {
      const left = new Map<string, number>();
      return (store) => ({
        list: (dir, options) =>
          listing(store.list(dir, options), async function* (source) {
            let seen = 0;
            const skip = left.get(dir) ?? 0;
            for await (const page of source.pages()) {
              for (const entry of page) {
                seen += 1;
                if (seen <= skip) continue;
                left.set(dir, seen);
                yield [entry];
              }
            }
            left.delete(dir);
          }),
      });
    },
  }),
  bugged({
    id: "N85",
    bug: "listings at once share the directory that was asked for last",
    killedBy: ["listing.iteration.concurrent"],
    below: () => {
      let last: StorePath = root;
      return (inner) => ({
        async list(call) {
          last = call.path;
          await turn();
          return await inner.list({ ...call, path: last });
        },
      });
    },
  }),
  bugged({
    id: "N86",
    bug: "a listing that is not asked freshly lacks its last entry",
    killedBy: ["listing.iteration.fresh"],
    below: () => (inner) => ({
      async list(call) {
        const page = await inner.list(call);
        return call.fresh ? page : { ...page, entries: page.entries.slice(0, -1) };
      },
    }),
  }),
  bugged({
    id: "N206",
    bug: "the etag of a listing does not change with the listing",
    killedBy: ["capabilities.list-if-none-match"],
    below: () => (inner) => ({
      async list(call) {
        if (call.ifNoneMatch === "same") throw new StoreError("not-modified", "the listing is the same");
        return { ...(await inner.list({ ...call, ifNoneMatch: undefined })), etag: "same" };
      },
    }),
  }),
  bugged({
    id: "N190",
    bug: "a listing whose store is closed ends as if it were complete",
    killedBy: ["lifecycle.close.stops-listing"],
    above: () => (store) => ({
      list: (dir, options) =>
        listing(store.list(dir, options), async function* (source) {
          try {
            yield* source.pages();
          } catch (error) {
            if (!hasCode(error, "closed")) throw error;
          }
        }),
    }),
  }),
];

export const broken: readonly BrokenStore[] = [...rows, ...answers, ...flow];
