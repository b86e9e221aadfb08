/** Listings of several pages: cursors, more entries than one page of any service, and changes between two pages (behaviours 89 to 93). */
import { equal, listAll, names, ok, rejects } from "../assert.ts";
import { backendOf } from "../backend-of.ts";
import type { Check, CheckContext } from "../check.ts";
import { calls, parsePath } from "../../store/index.ts";
import type { Page } from "../../store/index.ts";
import { lists, many, put, rwl, rwld } from "./look.ts";

/** More than a default page of any service that is known: most give 1,000. */
const beyondOnePage = 1_101;
const timeoutMs = 240_000;

/** All pages of one directory, asked one by one. */
async function pagesOf(t: CheckContext, dir: string): Promise<readonly Page[]> {
  const backend = backendOf(t.store);
  const found: Page[] = [];
  let cursor: unknown;
  do {
    const page = await backend.list(calls.list(parsePath(dir), { cursor, signal: t.signal }));
    found.push(page);
    ok(found.length <= 5_000, "cursors come to an end");
    cursor = page.cursor;
  } while (cursor !== undefined && cursor !== null);
  return found;
}

export const pages: readonly Check[] = [
  {
    id: "listing.pages.many",
    title: "a directory of 1,101 files lists all of them, each once",
    why: "Almost no suite lists more than one page, and adapters that stop at 1,000 entries or take the last entry of a page twice pass all of them. A backup that saw 1,000 of 1,101 files is not a backup.",
    tier: "full",
    behaviours: [90, 97],
    guarantees: ["list.once", "list.whole"],
    kills: ["M32", "M36"],
    needs: rwl,
    timeoutMs,
    async run(t) {
      const all = await many(t, "/w", beyondOnePage);
      await lists(t, "/w", all, "every file, once");
    },
  },
  {
    id: "listing.pages.recursive",
    title: "a subtree of more than 1,000 files lists recursively with every path once, its directories too",
    why: "A directory whose files continue on the next page is named again there, or never.",
    tier: "full",
    behaviours: [90, 100],
    guarantees: ["list.recursive", "list.once"],
    kills: ["M32", "N52"],
    needs: [...rwl, "listRecursive"],
    timeoutMs,
    async run(t) {
      const first = await many(t, "/w/a", 600);
      const second = await many(t, "/w/b", 520);
      const expected = ["a", "b", ...first, ...second];
      await lists(t, "/w", expected, "every file and both directories, once", { recursive: true });
    },
  },
  {
    id: "listing.pages.directories",
    title: "1,010 directories list, each once",
    why: "Flat stores page directories (common prefixes) by rules of their own; rules for files and for prefixes meet in one page.",
    tier: "torture",
    behaviours: [90],
    guarantees: ["list.once"],
    kills: ["M32"],
    needs: rwl,
    timeoutMs,
    async run(t) {
      const all = Array.from({ length: 1_010 }, (_, index) => `d${String(index).padStart(4, "0")}`);
      const work = all.values();
      await Promise.all(
        Array.from({ length: Math.min(16, t.capabilities.concurrency) }, async () => {
          for (const name of work) await t.store.write(`/w/${name}/f`, name);
        }),
      );
      await lists(t, "/w", all, "every directory, once");
    },
  },
  {
    id: "listing.pages.same",
    title: "pages(), iteration and toArray() give the same entries",
    why: "Three ways over one listing; the cheap one is the one nobody tests.",
    tier: "smoke",
    behaviours: [89, 97],
    guarantees: ["list.whole"],
    kills: ["N78"],
    needs: rwl,
    async run(t) {
      const all = await many(t, "/w", 7);
      await lists(t, "/w", all, "toArray has all");
      const byPage: string[] = [];
      for await (const page of t.store.list("/w").pages()) {
        ok(Array.isArray(page), "a page is an array");
        byPage.push(...names(page));
      }
      equal(byPage.sort(), all, "the pages have all");
      const byEntry: string[] = [];
      for await (const entry of t.store.list("/w")) byEntry.push(...names([entry]));
      equal(byEntry.sort(), all, "iteration has all");
    },
  },
  {
    id: "listing.pages.cursor",
    title: "a cursor can be used again and gives the same page, also after the listing went on",
    why: "A layer that retries a page asks again with the cursor it has; cursors that are used up, or that live in the adapter, then skip a page.",
    tier: "full",
    behaviours: [89, 91],
    guarantees: ["list.cursor"],
    kills: ["N79"],
    needs: rwl,
    timeoutMs,
    async run(t) {
      const all = await many(t, "/w", beyondOnePage);
      await lists(t, "/w", all, "the fixture is listed");
      const first = await pagesOf(t, "/w");
      equal(first.flatMap((page) => names(page.entries)).sort(), all, "page by page: every file, once");
      const backend = backendOf(t.store);
      // Without a cursor it is another listing, which need not be cut as the first was: what is being sent below a cache comes first in it.
      for (const [index, page] of first.slice(1).entries()) {
        const again = await backend.list(calls.list(parsePath("/w"), { cursor: first[index]!.cursor }));
        equal(names(again.entries).sort(), names(page.entries).sort(), `page ${index + 2}, asked again`);
        equal(
          again.cursor === undefined || again.cursor === null,
          page.cursor === undefined || page.cursor === null,
          `page ${index + 2}, asked again, is the last one or not as before`,
        );
      }
    },
  },
  {
    id: "listing.pages.signal",
    title: "an abort between two pages ends the listing with aborted",
    why: "A listing of a million entries that cannot be stopped is a denial of service that one runs against oneself.",
    tier: "full",
    behaviours: [99, 76],
    guarantees: ["list.signal"],
    kills: ["N11"],
    needs: rwl,
    timeoutMs,
    async run(t) {
      const all = await many(t, "/w", beyondOnePage);
      await lists(t, "/w", all, "the fixture is listed");
      let count = 0;
      for await (const page of t.store.list("/w").pages()) count += page.length > 0 ? 1 : 0;
      const single = count === 1;
      const stop = new AbortController();
      let seen = 0;
      const reading = (async () => {
        for await (const page of t.store.list("/w", { signal: stop.signal }).pages()) {
          seen += page.length;
          stop.abort(new Error("enough"));
        }
      })();
      if (single) {
        // There is no second page to abort: that the whole listing was one page is itself what was asked.
        await reading.catch((error: unknown) => rejects("aborted", Promise.reject(error), "an abort after the only page"));
        equal(seen, all.length, "the only page has all files");
        t.note("the service gives 1,101 entries on one page");
        return;
      }
      const error = await rejects("aborted", reading, "a listing whose signal fired after the first page");
      ok(error.cause instanceof Error && error.cause.message === "enough", "the reason of the signal is the cause", error.cause);
      ok(seen < all.length, "not all pages were fetched", seen);
    },
  },
  {
    id: "listing.pages.deleted-between",
    title: "deleting entries that were already listed hides none of those that were not",
    why: 'A cursor that counts ("continue at 1,000") skips as many entries as were deleted before it: who empties a directory page by page leaves every second page standing.',
    tier: "full",
    behaviours: [92, 93],
    guarantees: ["list.whole", "list.once"],
    kills: ["M35"],
    needs: rwld,
    timeoutMs,
    async run(t) {
      const all = await many(t, "/w", beyondOnePage);
      await lists(t, "/w", all, "the fixture is listed");
      const seen: string[] = [];
      let first = true;
      for await (const page of t.store.list("/w").pages()) {
        seen.push(...names(page));
        if (!first) continue;
        first = false;
        // The last ones of the page too: those are what a cursor points at.
        for (const entry of [...page.slice(0, 3), ...page.slice(-3)]) await t.store.delete(entry.path);
      }
      equal([...seen].sort(), all, "every file was listed once: those deleted had been listed before");
    },
  },
  {
    id: "listing.pages.added-between",
    title: "adding entries between two pages neither hides nor repeats those that were there throughout",
    why: "With a counting cursor an entry added in front pushes the last one of the page onto the next page, where it comes again.",
    tier: "full",
    behaviours: [92, 93],
    guarantees: ["list.whole", "list.once"],
    kills: ["M35"],
    needs: rwl,
    timeoutMs,
    async run(t) {
      const all = await many(t, "/w", beyondOnePage);
      await lists(t, "/w", all, "the fixture is listed");
      const seen: string[] = [];
      let first = true;
      for await (const page of t.store.list("/w").pages()) {
        seen.push(...names(page));
        if (!first) continue;
        first = false;
        for (const name of ["a-new", "b-new", "z-new"]) await t.store.write(`/w/${name}`, name);
      }
      const there = seen.filter((name) => !name.endsWith("-new"));
      equal([...there].sort(), all, "what was there throughout was listed, each once");
      equal(new Set(seen).size, seen.length, "what was added came once or not at all");
    },
  },
  {
    id: "listing.pages.deleted-run",
    title: "a long run of deleted files in front does not hide the files behind it",
    why: "Services page over delete markers and tombstones too: a page may come back empty with a token, and a loop that ends at an empty page misses everything after it.",
    tier: "smoke",
    behaviours: [90, 97],
    guarantees: ["list.whole"],
    kills: ["M33"],
    needs: rwld,
    timeoutMs: 60_000,
    async run(t) {
      const all = await many(t, "/w", 24);
      for (const name of all.slice(0, 20)) await t.store.delete(`/w/${name}`);
      await lists(t, "/w", all.slice(20), "the four that are left");
    },
  },
  {
    id: "listing.pages.emptying",
    title: "deleting each file as it is listed sees every file once and leaves the directory empty",
    why: "The loop that everybody writes. Cursors that count, or readers of a live directory stream, leave every other file behind.",
    tier: "full",
    behaviours: [93],
    guarantees: ["list.whole"],
    kills: ["N80"],
    needs: [...rwld, "mkdir"],
    timeoutMs: 60_000,
    async run(t) {
      await t.store.mkdir("/w/dir", { existOk: true });
      const all = await many(t, "/w/dir", 60);
      await lists(t, "/w/dir", all, "the fixture is listed");
      const seen: string[] = [];
      for await (const entry of t.store.list("/w/dir")) {
        seen.push(...names([entry]));
        await t.store.delete(entry.path);
      }
      equal(seen.sort(), all, "every file was seen once");
      await lists(t, "/w/dir", [], "nothing is left");
    },
  },
  {
    id: "listing.pages.growing",
    title: "writing into a directory while it is listed ends, with what was there listed once",
    why: "A loop that copies each file next to itself never ended on services whose listing sees its own additions.",
    tier: "full",
    behaviours: [93],
    guarantees: ["list.whole", "list.once"],
    kills: ["N81"],
    needs: rwl,
    timeoutMs: 60_000,
    async run(t) {
      const all = await many(t, "/w", 12);
      await lists(t, "/w", all, "the fixture is listed");
      const seen: string[] = [];
      for await (const entry of t.store.list("/w")) {
        seen.push(...names([entry]));
        ok(seen.length < 500, "the listing ends although it is written into", seen.length);
        await put(t, `/w/copy-${seen.length}`, "copy");
      }
      equal(new Set(seen).size, seen.length, "nothing was listed twice");
      equal(seen.filter((name) => name.startsWith("f")).sort(), all, "what was there throughout was listed");
      ok((await listAll(t.store, "/w")).length >= all.length, "the directory still lists");
    },
  },
];
