/** Listings: what is in them, in what order, and what is said where there is nothing to list (behaviours 85 to 97, 100). Pages and iteration are in pages.ts. */
import { byCodePoint, equal, listAll, names, ok, paths, pattern, recorded, rejects } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { parsePath } from "../../store/index.ts";
import type { Entry } from "../../store/index.ts";
import { agrees, carries, statOf, wellFormed } from "./entries.ts";
import { iteration } from "./listing-iteration.ts";
import { pages } from "./listing-pages.ts";
import { directory, isDirectoryAt, lists, put, rwl, tree } from "./look.ts";

/** One entry of a listing, found by its path. */
async function listed(t: CheckContext, dir: string, path: string): Promise<Entry> {
  return await t.settled("list", async () => {
    const entries = await listAll(t.store, dir, { fresh: true });
    const found = entries.filter((each) => each.path === path);
    equal(found.length, 1, `the listing of ${dir} has ${path} once`);
    return found[0]!;
  });
}

const answers: readonly Check[] = [
  {
    id: "listing.root.empty",
    title: "the root of a new store lists, and is empty",
    why: "A prefix that holds no key does not exist for a flat store, so adapters answer not-found for the one directory that is always there; others show their own bookkeeping files to everybody.",
    tier: "smoke",
    behaviours: [85],
    guarantees: ["list.children", "stat.root"],
    kills: ["N70"],
    needs: ["list"],
    async run(t) {
      await lists(t, "/", [], "a new store lists nothing");
      equal((await t.store.stat("/")).kind, "directory", "the root is a directory");
    },
  },
  {
    id: "listing.root.children",
    title: "entries of the root have paths of one slash and one name",
    why: 'Joining the root and a name as if the root had no slash of its own gives "//name", a path that no verb accepts any more.',
    tier: "smoke",
    behaviours: [85, 97],
    guarantees: ["list.children"],
    rows: ["CF18"],
    kills: ["N30"],
    needs: rwl,
    async run(t) {
      await put(t, "/w/a", "a");
      if (t.capabilities.filesAtRoot) await put(t, "/v", "v");
      await t.settled("list", async () =>
        equal(paths(await listAll(t.store, "/")), t.capabilities.filesAtRoot ? ["/v", "/w"] : ["/w"], "the root lists absolute paths"),
      );
    },
  },
  {
    id: "listing.directory.empty",
    title: "an empty directory lists as empty, not as missing",
    why: "Flat stores tell an empty directory and a missing one apart only by a marker object, and a listing that skips the marker must not forget what it meant.",
    tier: "smoke",
    behaviours: [85, 131],
    guarantees: ["list.children", "mkdir.stays"],
    kills: ["N71"],
    needs: ["mkdir", "list"],
    async run(t) {
      await directory(t, "/w/empty");
      await lists(t, "/w/empty", [], "an empty directory lists nothing");
    },
  },
  {
    id: "listing.children.exact",
    title: "a directory lists exactly its direct children, with absolute paths, each time it is asked",
    why: "Entries that fail a second look were dropped from listings by sync tools, which then deleted the files on the other side; cursors kept between calls made every second listing short.",
    tier: "smoke",
    behaviours: [88, 97],
    guarantees: ["list.children", "list.once"],
    rows: ["CF18"],
    kills: ["M38", "N30b"],
    needs: rwl,
    async run(t) {
      const expected = Array.from({ length: 9 }, (_, index) => `/w/n${index}`);
      for (const path of expected) await put(t, path, pattern(10, path));
      for (let round = 1; round <= 3; round += 1) {
        await t.settled("list", async () => equal(paths(await listAll(t.store, "/w")), expected, `round ${round}: exactly the children, absolute`));
      }
    },
  },
  {
    id: "listing.children.direct",
    title: "grandchildren are not listed, and the directories between are, once",
    why: "Prefix listings of flat stores give the whole subtree, and a directory that holds many keys comes once per key.",
    tier: "smoke",
    behaviours: [88, 97],
    guarantees: ["list.children", "list.once"],
    kills: ["N72"],
    needs: rwl,
    async run(t) {
      await tree(t, "/w", { top: "1", "d/one": "2", "d/two": "3", "d/deep/three": "4", "e/four": "5" });
      await lists(t, "/w", ["d", "e", "top"], "direct children only");
      await t.settled("list", async () => {
        const kinds = Object.fromEntries((await listAll(t.store, "/w")).map((entry) => [entry.path, entry.kind]));
        equal(kinds, { "/w/d": "directory", "/w/e": "directory", "/w/top": "file" }, "directories are listed as directories, files as files");
      });
    },
  },
  {
    id: "listing.self",
    title: "a directory is not its own child, neither in its listing nor in a recursive one",
    why: "PROPFIND answers with the directory itself first, and marker objects of flat stores lie under the prefix that is listed; both turn up as a child with an empty or a doubled name.",
    tier: "smoke",
    behaviours: [97, 96],
    guarantees: ["list.children"],
    kills: ["M39"],
    needs: [...rwl, "mkdir", "listRecursive"],
    async run(t) {
      await directory(t, "/w/d");
      await put(t, "/w/d/f", "f");
      await lists(t, "/w/d", ["f"], "the directory is not in its own listing");
      await lists(t, "/w/d", ["f"], "the directory is not in its own recursive listing", { recursive: true });
      await lists(t, "/w", ["d"], "and once in that of its parent");
    },
  },
  {
    id: "listing.missing",
    title: "the listing of a directory that does not exist is not-found",
    why: "An empty answer for a missing directory makes a mistyped or unmounted source look like one whose files were all deleted, and mirrors then delete the copy.",
    tier: "smoke",
    behaviours: [85, 86, 145],
    guarantees: ["list.missing"],
    kills: ["N07"],
    needs: ["list"],
    async run(t) {
      await rejects("not-found", () => listAll(t.store, "/w-missing"), "listing of a missing directory");
      await rejects("not-found", () => listAll(t.store, "/w-missing/below"), "listing below a missing directory");
      if (t.capabilities.listRecursive !== false)
        await rejects("not-found", () => listAll(t.store, "/w-missing", { recursive: true }), "recursive listing of a missing directory");
    },
  },
  {
    id: "listing.file",
    title: "the listing of a file is not-a-directory",
    why: "Suites of other libraries disagree: some give an empty list, some the file itself. An empty list says that everything below was deleted.",
    tier: "smoke",
    behaviours: [95],
    guarantees: ["list.file"],
    kills: ["N06"],
    needs: rwl,
    async run(t) {
      await put(t, "/w/f", "file");
      await t.settled("list", () => rejects("not-a-directory", () => listAll(t.store, "/w/f"), "listing of a file"));
      if (t.capabilities.listRecursive !== false)
        await t.settled("list", () => rejects("not-a-directory", () => listAll(t.store, "/w/f", { recursive: true }), "recursive listing of a file"));
    },
  },
  {
    id: "listing.below-file",
    title: "below a file there is nothing: its listing is not-found",
    why: 'lighttpd answers "/file/x" with the file itself (path-info), and a disk says ENOTDIR; callers that walk a path need one answer.',
    tier: "full",
    behaviours: [95, 145],
    guarantees: ["list.missing"],
    kills: ["N73"],
    needs: rwl,
    async run(t) {
      await put(t, "/w/f", "file");
      await rejects("not-found", () => listAll(t.store, "/w/f/x"), "listing below a file");
    },
  },
  {
    id: "listing.sibling-prefix",
    title: "a listing has nothing of a sibling whose name begins or ends with the same letters",
    why: 'A prefix without the slash at its end matches "foo.bar/" and "foobar" as well; deletes and sizes by prefix then reach into other people\'s directories.',
    tier: "smoke",
    behaviours: [86, 27],
    guarantees: ["list.children", "path.boundary"],
    kills: ["M37"],
    needs: rwl,
    async run(t) {
      await tree(t, "/w", { "foo/in": "1", "foo.bar/out": "2", "foobar/out": "3", "foo-": "4", "xfoo/out": "5", "x/foo/out": "6" });
      await lists(t, "/w/foo", ["in"], "only what is in the directory");
      if (t.capabilities.listRecursive !== false) await lists(t, "/w/foo", ["in"], "only what is below the directory", { recursive: true });
    },
  },
  {
    id: "listing.prefix-of-name",
    title: "the beginning of a name is not a directory",
    why: 'Listing by prefix finds "report.txt" under "rep"; a path is a name, not a search.',
    tier: "full",
    behaviours: [86],
    guarantees: ["list.missing", "path.boundary"],
    kills: ["N74"],
    needs: rwl,
    async run(t) {
      await put(t, "/w/report", "r");
      await put(t, "/w/reports/one", "1");
      await rejects("not-found", () => listAll(t.store, "/w/rep"), "listing of the beginning of a name");
      await rejects("not-found", () => t.store.stat("/w/rep"), "stat of the beginning of a name");
    },
  },
  {
    id: "listing.entry.equals-stat",
    title: "whatever an entry of a listing says equals what stat says, and it says kind, size, time and etag",
    why: "Sync tools compare listings with what they remembered from stat: a time of other precision or a quoted etag makes every file look changed, and every run copies everything.",
    tier: "smoke",
    behaviours: [96],
    guarantees: ["entry.law", "list.entries"],
    rows: ["CF26", "CF16"],
    kills: ["M40"],
    needs: rwl,
    async run(t) {
      await tree(t, "/w", { a: pattern(1000, "a"), empty: new Uint8Array(0), "d/b": "b" });
      for (const path of ["/w/a", "/w/empty"]) {
        const size = path === "/w/a" ? 1000 : 0;
        const stat = await statOf(t, path, size);
        const entry = await t.settled("list", async () => {
          const found = await listed(t, "/w", path);
          equal(found.size, size, "the listing has the size of the file");
          return found;
        });
        wellFormed(entry, `${path} in the listing`);
        agrees(entry, stat, `${path} in the listing`);
        carries(entry, stat, `${path} in the listing`);
      }
      const entry = await listed(t, "/w", "/w/d");
      wellFormed(entry, "a directory in the listing");
      agrees(entry, await statOf(t, "/w/d"), "a directory in the listing");
    },
  },
  {
    id: "listing.entry.complete",
    title: "entries of listings are complete exactly as declared",
    why: 'A layer that trusts a listing as complete serves "no metadata" for files that have some; one that distrusts it asks once per file, ten thousand times.',
    tier: "full",
    behaviours: [96, 113],
    guarantees: ["entry.complete", "list.entries"],
    kills: ["N49"],
    needs: rwl,
    async run(t) {
      const { writeContentType, writeMetadata, listComplete } = t.capabilities;
      await put(t, "/w/a", "content", {
        ...(writeContentType === false ? {} : { contentType: "text/x-listed" }),
        ...(writeMetadata === false ? {} : { metadata: { colour: "green" } }),
      });
      const entry = await listed(t, "/w", "/w/a");
      const stat = await statOf(t, "/w/a", 7);
      if (listComplete) equal(entry.complete, true, "listComplete is declared: the entry is complete");
      agrees(entry, stat, "an entry of a listing");
      if (writeMetadata !== false && listComplete) equal({ ...entry.metadata }, { colour: "green" }, "a complete entry tells the metadata");
    },
  },
  {
    id: "listing.entry.after-overwrite",
    title: "after an overwrite the listing has the new size, time and etag, once",
    why: "Drives without unique names keep both versions; indexes of flat stores keep the old size.",
    tier: "smoke",
    behaviours: [96, 62, 138],
    guarantees: ["entry.law", "list.once"],
    kills: ["N75"],
    needs: rwl,
    async run(t) {
      await put(t, "/w/a", pattern(100, "old"));
      await lists(t, "/w", ["a"], "the file is listed once");
      await put(t, "/w/a", pattern(2345, "new"));
      await t.settled("list", async () => {
        const entries = await listAll(t.store, "/w", { fresh: true });
        equal(
          entries.map((entry) => entry.size),
          [2345],
          "one entry with the new size",
        );
        const stat = await t.store.stat("/w/a");
        carries(entries[0]!, stat, "the listing after an overwrite");
      });
    },
  },
  {
    id: "listing.parents",
    title: "directories that came into being under a write are listed on every level",
    why: "A flat store has only the key; each level of it must be made up, and the middle ones are forgotten first.",
    tier: "smoke",
    behaviours: [88, 75],
    guarantees: ["write.parents", "list.children"],
    kills: ["N76"],
    needs: rwl,
    async run(t) {
      await put(t, "/w/one/two/three/four", "deep");
      for (const [dir, child] of [
        ["/w", "one"],
        ["/w/one", "two"],
        ["/w/one/two", "three"],
        ["/w/one/two/three", "four"],
      ] as const) {
        await lists(t, dir, [child], `${dir} lists ${child}`);
        if (child !== "four") await isDirectoryAt(t, `${dir}/${child}`, `${dir}/${child} is a directory`);
      }
    },
  },
  {
    id: "listing.recursive.exact",
    title: "a recursive listing has the whole subtree, directories included, each path once, and nothing else",
    why: "Flat listings do not name directories; walks name them once per page; both leave out directories that hold only directories.",
    tier: "smoke",
    behaviours: [88, 97],
    guarantees: ["list.recursive"],
    kills: ["N20", "N21", "N52"],
    needs: [...rwl, "listRecursive"],
    async run(t) {
      await tree(t, "/w", { "d/a": "1", "d/b": "2", "d/e/c": "3", "d/e/f/g/h": "4", "other/x": "5" });
      const expected = ["/w/d/a", "/w/d/b", "/w/d/e", "/w/d/e/c", "/w/d/e/f", "/w/d/e/f/g", "/w/d/e/f/g/h"];
      await t.settled("list", async () => {
        const entries = await listAll(t.store, "/w/d", { recursive: true });
        equal(paths(entries), expected, "the whole subtree, each path once");
        for (const entry of entries) {
          wellFormed(entry, `${entry.path} in the recursive listing`);
          equal(entry.kind, /\/[ef]$|\/g$/.test(entry.path) ? "directory" : "file", `${entry.path} is of its kind`);
        }
      });
    },
  },
  {
    id: "listing.recursive.walk",
    title: "a recursive listing equals a walk by plain listings",
    why: "The two are different code in every service and every adapter; tools choose between them by size, and a difference shows as files that come and go.",
    tier: "full",
    behaviours: [100],
    guarantees: ["list.recursive", "entry.law"],
    kills: ["N20"],
    needs: [...rwl, "listRecursive"],
    async run(t) {
      const files: Record<string, string> = {};
      for (let index = 0; index < 24; index += 1) files[`d${index % 3}/e${index % 4}/f${index}`] = `content ${index}`;
      await tree(t, "/w", { ...files, "d0.x": "next to d0", "d0-y/z": "between d0 and d0/" });
      if (t.capabilities.mkdir !== false) await directory(t, "/w/d1/empty");
      await t.settled("list", async () => {
        const walked: Entry[] = [];
        const waiting = ["/w"];
        for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
          for (const entry of await listAll(t.store, dir)) {
            walked.push(entry);
            if (entry.kind === "directory") waiting.push(entry.path);
          }
        }
        const recursive = await listAll(t.store, "/w", { recursive: true });
        equal(paths(recursive), paths(walked), "the same paths");
        const byPath = new Map(recursive.map((entry) => [entry.path, entry]));
        for (const entry of walked) {
          const twin = byPath.get(entry.path)!;
          equal([twin.kind, twin.size, twin.etag], [entry.kind, entry.size, entry.etag], `${entry.path} is the same in both`);
        }
      });
    },
  },
  {
    id: "listing.recursive.parents-first",
    title: "in a recursive listing a directory comes before what it holds",
    why: "Who copies a tree while listing it makes directories as they come; a child that comes first has no place to go.",
    tier: "full",
    behaviours: [88],
    guarantees: ["list.recursive"],
    kills: ["N77"],
    needs: [...rwl, "listRecursive"],
    async run(t) {
      await tree(t, "/w", { "b/c/d": "1", "b/a": "2", "a/z/z": "3", "b-": "4", "b.c/x": "5" });
      await lists(t, "/w", ["a", "b", "b-", "b.c"], "the fixture is listed");
      const seen = new Set<string>(["/w"]);
      for await (const entry of t.store.list("/w", { recursive: true })) {
        const parent = entry.path.slice(0, entry.path.lastIndexOf("/"));
        ok(seen.has(parent), `${entry.path} comes after its directory`, [...seen]);
        seen.add(entry.path);
      }
      equal(seen.size, 11, "all of the fixture came");
    },
  },
  {
    id: "listing.recursive.root",
    title: "a recursive listing of the root has the whole store",
    why: 'The root is the one directory without a name: prefixes become "//" or begin with a slash that keys do not have.',
    tier: "full",
    behaviours: [88, 85],
    guarantees: ["list.recursive"],
    kills: ["N30"],
    needs: [...rwl, "listRecursive"],
    async run(t) {
      await tree(t, "/w", { "d/a": "1", b: "2" });
      await put(t, "/v/c", "3");
      await t.settled("list", async () =>
        equal(paths(await listAll(t.store, "/", { recursive: true })), ["/v", "/v/c", "/w", "/w/b", "/w/d", "/w/d/a"], "everything, once"),
      );
    },
  },
  {
    id: "listing.deep",
    title: "twenty levels of directories list, level by level and at once",
    why: "Depth limits of services and recursion of adapters both end somewhere; below that, files are invisible.",
    tier: "full",
    behaviours: [88],
    guarantees: ["list.children", "list.recursive"],
    kills: ["N21"],
    needs: [...rwl, "listRecursive"],
    async run(t) {
      const levels = Array.from({ length: 20 }, (_, index) => `l${index}`);
      await put(t, `/w/${levels.join("/")}/f`, "deep");
      await t.settled("list", async () => {
        const found = paths(await listAll(t.store, "/w", { recursive: true }));
        equal(found.length, 21, "twenty directories and a file");
        ok(found.includes(`/w/${levels.join("/")}/f`), "the deepest file is listed", found);
      });
      await lists(t, `/w/${levels.join("/")}`, ["f"], "the deepest directory lists its file");
    },
  },
  {
    id: "listing.sorted",
    title: "a listing has every name once, and is in code-point order where listSorted is declared",
    why: "Who merges two sorted listings reads each once; one entry out of order is reported as deleted on one side and new on the other. UTF-16 order differs from code points above U+FFFF.",
    tier: "smoke",
    behaviours: [94, 97],
    guarantees: ["list.sorted", "list.once"],
    kills: ["N48"],
    needs: rwl,
    async run(t) {
      const wanted = ["b", "a", "a-", "a.b", "a0", "ab", "~", "ö", "字", "\u{1f600}", "0"];
      if (t.capabilities.normalisation !== "nfkc") wanted.push("\uffee");
      const expected: string[] = [];
      for (const name of wanted) {
        try {
          await put(t, `/w/${name}`, name);
          expected.push(name);
        } catch (error) {
          // Characters beyond the ordinary may be refused; that they are refused as declared is the business of the names group.
          await rejects("invalid-path", Promise.reject(error), `a name that cannot be stored: ${name}`);
        }
      }
      ok(expected.length >= 7, "the ordinary names are stored", expected);
      if (t.capabilities.normalisation === "nfd") expected.splice(expected.indexOf("ö"), 1, "o\u0308");
      await t.settled("list", async () => {
        const found = (await listAll(t.store, "/w")).map((entry) => entry.path.slice("/w/".length));
        equal([...found].sort(byCodePoint), [...expected].sort(byCodePoint), "every name once");
        if (t.capabilities.listSorted) equal(found, [...expected].sort(byCodePoint), "listSorted is declared: code-point order of the names");
      });
    },
  },
  {
    id: "listing.sorted.recursive",
    title: "a recursive listing has every path once, and is in code-point order of the paths where listSorted is declared",
    why: '"/a-b" sorts before "/a/b" although "a" sorts before "a-b": a walk in order of names is not in order of paths.',
    tier: "full",
    behaviours: [94],
    guarantees: ["list.sorted", "list.recursive"],
    kills: ["N48"],
    needs: [...rwl, "listRecursive"],
    async run(t) {
      await tree(t, "/w", { "a/b": "1", "a-b": "2", "a/a/a": "3", "a.b/c": "4", a0: "5" });
      const expected = ["/w/a", "/w/a-b", "/w/a.b", "/w/a.b/c", "/w/a/a", "/w/a/a/a", "/w/a/b", "/w/a0"];
      await t.settled("list", async () => {
        const found = (await listAll(t.store, "/w", { recursive: true })).map((entry) => String(entry.path));
        equal([...found].sort(byCodePoint), expected, "every path once");
        if (t.capabilities.listSorted) equal(found, expected, "listSorted is declared: code-point order of the paths");
      });
    },
  },
  {
    id: "listing.in-flight",
    title: "while a write runs, listings show neither its temporary name nor a file that is not there yet",
    why: "A temporary name in a listing is copied by sync tools, and then deleted under their hands; unfinished multipart uploads show as files of size 0.",
    tier: "smoke",
    behaviours: [102, 64],
    guarantees: ["write.atomic", "list.children"],
    kills: ["N51"],
    needs: rwl,
    async run(t) {
      await put(t, "/w/there", "1");
      const seen: string[][] = [];
      const recursive: string[][] = [];
      const body = recorded(pattern(40_000, "flight"), 10_000, async () => {
        seen.push(names(await listAll(t.store, "/w")));
        if (t.capabilities.listRecursive !== false) recursive.push(names(await listAll(t.store, "/w", { recursive: true })));
      });
      // With a size, so that stores without bodies of unknown size stream it too.
      await t.store.write("/w/new", body, { size: 40_000 });
      equal(seen.slice(0, 4), [["there"], ["there"], ["there"], ["there"]], "during the upload: only what was there before");
      for (const found of recursive.slice(0, 4)) equal(found, ["there"], "the recursive listing likewise");
      await lists(t, "/w", ["new", "there"], "afterwards: both");
    },
  },
  {
    id: "listing.entry.usable",
    title: "every path that a listing gives is accepted by stat, read and list",
    why: "An adapter that lists names which it cannot read back has lost them: decoded once too often, with a slash at the end, or relative.",
    tier: "smoke",
    behaviours: [96, 97],
    guarantees: ["list.children", "path.kept"],
    kills: ["N30b"],
    needs: rwl,
    async run(t) {
      await tree(t, "/w", { "a b": "1", "c+d": "2", "e%20f": "3", "g/h": "4" });
      let count = 0;
      for (const entry of await t.settled("list", async () => {
        const entries = await listAll(t.store, "/w");
        equal(entries.length, 4, "four children");
        return entries;
      })) {
        equal(parsePath(entry.path), entry.path, "the path is a path");
        await t.settled("read", async () => equal((await t.store.stat(entry.path)).kind, entry.kind, `stat of ${entry.path}`));
        if (entry.kind === "directory") equal(names(await listAll(t.store, entry.path)), ["h"], `listing of ${entry.path}`);
        else {
          await using result = await t.store.read(entry.path);
          equal((await result.bytes()).length, 1, `read of ${entry.path}`);
        }
        count += 1;
      }
      equal(count, 4, "all four were tried");
    },
  },
];

export const checks: readonly Check[] = [...answers, ...pages, ...iteration];
