/** Deleting, and directories: what is gone, what stays, what is refused, and when a directory exists (behaviours 127 to 133, 28). */
import { byCodePoint, equal, listAll, ok, paths, pattern, rejects } from "../assert.ts";
import type { Check, SupportKey } from "../check.ts";
import { hasCode } from "../../store/index.ts";
import { statOf, wellFormed } from "./entries.ts";
import { directory, gone, held, holds, isDirectoryAt, lists, many, outcome, put, rwld, tree, unchanged } from "./look.ts";

const trees: readonly SupportKey[] = [...rwld, "deleteRecursive"];
const conditional: readonly SupportKey[] = [...rwld, "deleteIfMatch"];
const makes: readonly SupportKey[] = ["mkdir", "write", "read", "list"];

const deletes: readonly Check[] = [
  {
    id: "delete.file.gone",
    title: "a deleted file is gone for stat, read and list, and its neighbours are not",
    why: "A delete that reports success and does nothing survives the shared test suites of well-known libraries, because they never look afterwards.",
    tier: "smoke",
    behaviours: [127, 97],
    guarantees: ["delete.gone"],
    rows: ["CF9"],
    kills: ["M01", "M04", "M05"],
    needs: rwld,
    async run(t) {
      await tree(t, "/w", { a: "1", b: "2", c: "3" });
      await t.store.delete("/w/b");
      await gone(t, "/w/b", "the deleted file");
      await t.settled("read", () => rejects("not-found", () => t.store.read("/w/b"), "reading a deleted file"));
      await lists(t, "/w", ["a", "c"], "its neighbours are listed");
      await holds(t, "/w/a", "1", "and have their bytes");
    },
  },
  {
    id: "delete.missing",
    title: "deleting what is not there is a success, however often",
    why: "Some libraries fail, some succeed. A delete that is repeated after a lost answer must not fail because the first one worked.",
    tier: "smoke",
    behaviours: [127],
    guarantees: ["delete.missing"],
    rows: ["CF9"],
    kills: ["N17"],
    needs: rwld,
    async run(t) {
      await t.store.delete("/w-missing");
      await t.store.delete("/w-missing/in/a/missing/directory");
      await put(t, "/w/f", "file");
      await t.store.delete("/w/f");
      await t.store.delete("/w/f");
      await t.store.delete("/w/f");
      await gone(t, "/w/f", "it stays gone");
      if (t.capabilities.deleteRecursive !== false) await t.store.delete("/w-missing", { recursive: true });
    },
  },
  {
    id: "delete.below-file",
    title: "deleting below a file is a success and leaves the file",
    why: "A path below a file is missing, not special; servers with path-info take it for the file itself and delete that.",
    tier: "full",
    behaviours: [127, 28],
    guarantees: ["delete.missing"],
    kills: ["N151"],
    needs: rwld,
    async run(t) {
      await put(t, "/w/f", "file");
      await t.store.delete("/w/f/below");
      await t.store.delete("/w/f/below/deeper");
      await holds(t, "/w/f", "file", "the file is as it was");
    },
  },
  {
    id: "delete.again",
    title: "a file that was deleted and written again has the new bytes and properties, also after the second delete",
    why: "Archives and versioned services bring back the first copy; delete markers with a late time hide the second.",
    tier: "smoke",
    behaviours: [127, 133],
    guarantees: ["delete.gone", "write.replaces"],
    kills: ["N152"],
    needs: rwld,
    async run(t) {
      for (const version of ["first version", "second", "the third of them"]) {
        await put(t, "/w/f", version);
        await holds(t, "/w/f", version, `written: ${version}`);
        await lists(t, "/w", ["f"], "listed once");
        await t.store.delete("/w/f");
        await gone(t, "/w/f", `deleted: ${version}`);
      }
    },
  },
  {
    id: "delete.prefix",
    title: "deleting a path deletes nothing whose name only begins the same",
    why: 'Delete by prefix without a slash at its end: deleting "a" deletes "ab" and "a.txt" as well.',
    tier: "smoke",
    behaviours: [128, 27],
    guarantees: ["delete.gone", "path.boundary"],
    kills: ["M02"],
    needs: trees,
    async run(t) {
      await tree(t, "/w", { "a/in": "1", "ab/in": "2", "a.b": "3", "a-": "4", "b/a/in": "5" });
      await t.store.delete("/w/a", { recursive: true });
      await gone(t, "/w/a", "the directory");
      await lists(t, "/w", ["a-", "a.b", "ab", "b"], "the siblings are listed");
      await holds(t, "/w/ab/in", "2", "with what is in them");
      await holds(t, "/w/b/a/in", "5", "and so is a directory of the same name elsewhere");
      await put(t, "/w/x", "x");
      await put(t, "/w/xy", "xy");
      await t.store.delete("/w/x");
      await holds(t, "/w/xy", "xy", "likewise for files");
    },
  },
  {
    id: "delete.directory.empty",
    title: "an empty directory is deleted without `recursive`",
    why: "Services want a slash at the end, another call, or say that it is no file.",
    tier: "smoke",
    behaviours: [130, 131],
    guarantees: ["delete.gone"],
    kills: ["N153"],
    needs: ["mkdir", "delete", "list"],
    async run(t) {
      await directory(t, "/w/empty");
      await t.store.delete("/w/empty");
      await gone(t, "/w/empty", "the directory");
      await t.settled("list", () => rejects("not-found", () => listAll(t.store, "/w/empty"), "its listing"));
    },
  },
  {
    id: "delete.directory.not-empty",
    title: "a directory with content is not-empty without `recursive`, and nothing is deleted",
    why: "WebDAV deletes collections with everything in them, and a flat store has nothing to refuse: one mistyped path, and a tree is gone.",
    tier: "smoke",
    behaviours: [130],
    guarantees: ["delete.notEmpty"],
    kills: ["N04"],
    needs: rwld,
    async run(t) {
      await tree(t, "/w", { "d/f": "1", "e/sub/g": "2" });
      const before = await held(t);
      const error = await rejects("not-empty", () => t.store.delete("/w/d"), "delete of a directory with a file");
      equal(error.applied, false, "nothing was done, and the error says so");
      await rejects("not-empty", () => t.store.delete("/w/e"), "delete of a directory with a directory");
      await rejects("not-empty", () => t.store.delete("/w/d", { recursive: false }), "recursive: false is as if it were not given");
      await unchanged(t, before, "nothing was deleted");
    },
  },
  {
    id: "delete.directory.holds-directory",
    title: "a directory that holds only an empty directory is not empty",
    why: '"No files below it" is not "empty".',
    tier: "full",
    behaviours: [130],
    guarantees: ["delete.notEmpty"],
    kills: ["N154"],
    needs: ["mkdir", "delete", "list", "read"],
    async run(t) {
      await directory(t, "/w/d/inner");
      await rejects("not-empty", () => t.store.delete("/w/d"), "delete of a directory that holds an empty directory");
      await isDirectoryAt(t, "/w/d/inner", "the inner directory is still there");
    },
  },
  {
    id: "delete.recursive.tree",
    title: "a recursive delete removes the directory with everything below it and nothing else",
    why: "Deleting the listing leaves the files; deleting the files leaves the directories; deleting one page leaves the rest.",
    tier: "smoke",
    behaviours: [128, 130],
    guarantees: ["delete.recursive"],
    rows: ["CF10"],
    kills: ["N31"],
    needs: trees,
    async run(t) {
      const files = ["d/a", "d/sub/b", "d/sub/deep/er/c", "d/other/e"];
      await tree(t, "/w", { ...Object.fromEntries(files.map((path) => [path, path])), keep: "keep" });
      if (t.capabilities.mkdir !== false) await directory(t, "/w/d/empty/inner");
      await t.store.delete("/w/d", { recursive: true });
      for (const path of [...files, "d", "d/sub", "d/sub/deep", "d/empty"]) await gone(t, `/w/${path}`, `after a recursive delete: ${path}`);
      await lists(t, "/w", ["keep"], "only what was not in it is left");
      await holds(t, "/w/keep", "keep", "with its bytes");
    },
  },
  {
    id: "delete.recursive.file",
    title: "a recursive delete of a file deletes the file",
    why: '"Everything below the prefix" does not hold the key itself.',
    tier: "full",
    behaviours: [127, 128],
    guarantees: ["delete.recursive"],
    kills: ["N155"],
    needs: trees,
    async run(t) {
      await tree(t, "/w", { f: "1", f2: "2" });
      await t.store.delete("/w/f", { recursive: true });
      await gone(t, "/w/f", "the file");
      await lists(t, "/w", ["f2"], "its neighbour is there");
    },
  },
  {
    id: "delete.recursive.empty",
    title: "a recursive delete of an empty directory deletes it",
    why: "A loop over nothing deletes nothing, not even the directory it was meant for.",
    tier: "full",
    behaviours: [130],
    guarantees: ["delete.recursive"],
    kills: ["N156"],
    needs: ["mkdir", "delete", "deleteRecursive", "list"],
    async run(t) {
      await directory(t, "/w/d");
      await t.store.delete("/w/d", { recursive: true });
      await gone(t, "/w/d", "the directory");
    },
  },
  {
    id: "delete.recursive.many",
    title: "a recursive delete of 1,040 files leaves none",
    why: "Bulk deletes take a thousand names and listings give a thousand: the last forty files are the test.",
    tier: "full",
    behaviours: [128, 129, 90],
    guarantees: ["delete.recursive"],
    rows: ["CF10"],
    kills: ["N157"],
    needs: trees,
    timeoutMs: 240_000,
    async run(t) {
      const all = await many(t, "/w/d", 1_040);
      await lists(t, "/w/d", all, "the fixture is listed");
      await put(t, "/w/keep", "keep");
      await t.store.delete("/w/d", { recursive: true });
      await gone(t, "/w/d", "the directory");
      for (const name of ["f0000", "f0999", "f1000", "f1039"]) await gone(t, `/w/d/${name}`, `file ${name}`);
      await lists(t, "/w", ["keep"], "nothing else was deleted");
    },
  },
  {
    id: "delete.recursive.awkward-names",
    title: "a recursive delete removes files of awkward names too",
    why: "Bulk deletes carry names in XML or in one URL: what is not escaped stays, and its error is one line inside a success.",
    tier: "full",
    behaviours: [129],
    guarantees: ["delete.recursive"],
    kills: ["N158"],
    needs: trees,
    async run(t) {
      const wanted = ["a b", "a&b", "a<b>", "a+b", "a%20b", "a#b", "a?b", "a'b\"", "ä", "\u{1f600}", "a]]>b", "a;b=c"];
      let stored = 0;
      for (const name of wanted) {
        const { error } = await outcome(t.store.write(`/w/d/${name}`, name));
        if (error === undefined) stored += 1;
        else ok(hasCode(error, "invalid-path"), `a name that cannot be stored is invalid-path: ${name}`, error);
      }
      ok(stored >= 4, "most of the names are stored", stored);
      await t.settled("list", async () => equal((await listAll(t.store, "/w/d")).length, stored, "all that were stored are listed"));
      await t.store.delete("/w/d", { recursive: true });
      await gone(t, "/w/d", "the directory");
      await put(t, "/w/d/new", "new");
      await lists(t, "/w/d", ["new"], "made again, it has nothing of the old");
    },
  },
  {
    id: "delete.root",
    title: "the root cannot be deleted, with or without `recursive`",
    why: "A path that was put together from an empty variable is the root.",
    tier: "smoke",
    behaviours: [132],
    guarantees: ["delete.root"],
    kills: ["N15"],
    needs: rwld,
    async run(t) {
      await tree(t, "/w", { a: "1", "b/c": "2" });
      const before = await held(t);
      await rejects("invalid-path", () => t.store.delete("/"), "delete of the root");
      if (t.capabilities.deleteRecursive !== false)
        await rejects("invalid-path", () => t.store.delete("/", { recursive: true }), "recursive delete of the root");
      await unchanged(t, before, "nothing was deleted");
    },
  },
  {
    id: "delete.parent",
    title: "after its last file was deleted, a directory stays where directories are real, and is gone where they are implied",
    why: "Who lists a folder that vanished gets not-found where an empty list was expected; who relies on it vanishing leaves thousands of empty folders.",
    tier: "smoke",
    behaviours: [131],
    guarantees: ["delete.gone", "mkdir.stays"],
    kills: ["N60"],
    needs: rwld,
    async run(t) {
      await put(t, "/w/one/two/f", "file");
      await put(t, "/w/keep", "keep");
      await t.store.delete("/w/one/two/f");
      if (t.capabilities.directories === "real") {
        await lists(t, "/w/one/two", [], "directories are real: it is there, empty");
        await isDirectoryAt(t, "/w/one", "and so is that above it");
      } else {
        await gone(t, "/w/one/two", "directories are implied: nothing lies below it, so it is gone");
        await gone(t, "/w/one", "and so is that above it");
        await lists(t, "/w", ["keep"], "the directory above has what it holds");
      }
    },
  },
  {
    id: "delete.made-directory",
    title: "a directory that was made by mkdir stays when its last child is deleted",
    why: "Flat stores lose the marker together with the last key, or never look whether there was one.",
    tier: "smoke",
    behaviours: [131],
    guarantees: ["mkdir.stays"],
    kills: ["N60"],
    needs: [...rwld, "mkdir"],
    async run(t) {
      await directory(t, "/w/made");
      await tree(t, "/w/made", { f: "1", "sub/g": "2" });
      await t.store.delete("/w/made/f");
      await t.store.delete("/w/made/sub/g");
      if (t.capabilities.directories === "real") await t.store.delete("/w/made/sub");
      await isDirectoryAt(t, "/w/made", "it is still there");
      await lists(t, "/w/made", [], "and is empty");
    },
  },
  {
    id: "delete.if-match.same",
    title: "a delete whose ifMatch is the etag of the file deletes it",
    why: "An etag that is quoted once too often never matches: the condition is useless, and callers learn to leave it out.",
    tier: "smoke",
    behaviours: [80],
    guarantees: ["delete.ifMatch"],
    kills: ["N159"],
    needs: conditional,
    async run(t) {
      await put(t, "/w/f", "file");
      const { etag } = await statOf(t, "/w/f", 4);
      ok(etag !== null, "who deletes by etag tells one", etag);
      await t.store.delete("/w/f", { ifMatch: etag });
      await gone(t, "/w/f", "the file");
    },
  },
  {
    id: "delete.if-match.stale",
    title: "a delete whose ifMatch is an older etag is precondition-failed, and the file stays",
    why: "Ceph accepts the header and ignores it: a cleaner deletes the version that was written a moment ago.",
    tier: "smoke",
    behaviours: [80],
    guarantees: ["delete.ifMatch"],
    kills: ["M52g"],
    needs: conditional,
    async run(t) {
      await put(t, "/w/f", "old");
      const { etag } = await statOf(t, "/w/f", 3);
      await put(t, "/w/f", "newer");
      const error = await rejects("precondition-failed", () => t.store.delete("/w/f", { ifMatch: etag ?? "" }), "delete with an older etag");
      equal(error.applied, false, "nothing was done, and the error says so");
      await rejects("precondition-failed", () => t.store.delete("/w/f", { ifMatch: "no-such-etag" }), "delete with an etag of nothing");
      await holds(t, "/w/f", "newer", "the file is as it was");
    },
  },
  {
    id: "delete.if-match.missing",
    title: "a delete with ifMatch of what is not there is a success",
    why: "The wish was that it be gone, and it is; a repeated delete must not fail because the first one worked.",
    tier: "full",
    behaviours: [80, 127],
    guarantees: ["delete.missing"],
    kills: ["N160"],
    needs: conditional,
    run: (t) => t.store.delete("/w-missing", { ifMatch: "no-such-etag" }),
  },
  {
    id: "delete.if-match.directory",
    title: "a delete with ifMatch of a directory is refused, and the directory stays",
    why: "A condition that means nothing for a directory must not turn into none.",
    tier: "full",
    behaviours: [80, 130],
    guarantees: ["delete.ifMatch"],
    kills: ["N161"],
    needs: [...conditional, "mkdir"],
    async run(t) {
      await directory(t, "/w/d");
      await rejects(["is-a-directory", "precondition-failed"], () => t.store.delete("/w/d", { ifMatch: "no-such-etag" }), "delete of a directory with an etag");
      await isDirectoryAt(t, "/w/d", "the directory is still there");
    },
  },
  {
    id: "delete.race.child",
    title: "where emptyOnlyDelete is native, a child that is made while its directory is deleted survives",
    why: "Looked up first and deleted then: the file that somebody put there in between is deleted with the directory, after its writer was told that it is stored.",
    tier: "full",
    behaviours: [130, 140],
    guarantees: ["delete.notEmpty"],
    kills: ["N162"],
    needs: [...rwld, "mkdir"],
    timeoutMs: 60_000,
    async run(t) {
      let survived = 0;
      const rounds = 12;
      for (let round = 0; round < rounds; round += 1) {
        const dir = `/w/d${round}`;
        await directory(t, dir);
        // The write begins together with the delete, and then later and later, so that it falls into whatever gap there is.
        const later = async (): Promise<void> => {
          for (let turn = 0; turn < round % 4; turn += 1) await new Promise((next) => setImmediate(next));
          await t.store.write(`${dir}/child`, "child");
        };
        const [deleted, written] = await Promise.all([outcome(t.store.delete(dir)), outcome(later())]);
        if (deleted.error !== undefined) await rejects(["not-empty", "conflict"], Promise.reject(deleted.error), "a delete that met a child");
        if (written.error !== undefined) await rejects(["not-found", "conflict", "unavailable"], Promise.reject(written.error), "a write that met a delete");
        if (written.error !== undefined) continue;
        const { error } = await outcome(t.settled("read", () => t.store.stat(`${dir}/child`, { fresh: true })));
        if (error === undefined) survived += 1;
        else if (t.capabilities.emptyOnlyDelete === "native")
          await holds(t, `${dir}/child`, "child", `round ${round}: emptyOnlyDelete is native, so a child that was stored is there`);
      }
      t.note(`${survived} of ${rounds} children made during a delete survived`);
    },
  },
  {
    id: "delete.parallel",
    title: "deleting thirty files at once deletes each, and deleting one file ten times at once succeeds each time",
    why: "The second of two deletes finds nothing and fails, and so does the clean-up that runs on two machines.",
    tier: "full",
    behaviours: [127, 140],
    guarantees: ["delete.gone", "delete.missing"],
    kills: ["N17b"],
    needs: rwld,
    async run(t) {
      const all = await many(t, "/w", 30);
      await put(t, "/w/keep", "keep");
      await lists(t, "/w", [...all, "keep"], "the fixture is listed");
      await Promise.all(all.map((name) => t.store.delete(`/w/${name}`)));
      await lists(t, "/w", ["keep"], "all are gone");
      await Promise.all(Array.from({ length: 10 }, () => t.store.delete("/w/keep")));
      await gone(t, "/w/keep", "so is the one that was deleted ten times");
    },
  },
  {
    id: "delete.signal",
    title: "a delete whose signal has fired deletes nothing",
    why: "A delete that has been cancelled is the one call that must not happen all the same.",
    tier: "smoke",
    behaviours: [76],
    guarantees: ["error.signal"],
    kills: ["N340"],
    needs: trees,
    async run(t) {
      await tree(t, "/w", { f: "1", "d/g": "2" });
      const before = await held(t);
      const signal = AbortSignal.abort(new Error("cancelled"));
      for (const [path, options] of [
        ["/w/f", { signal }],
        ["/w/d", { signal, recursive: true }],
      ] as const) {
        const error = await rejects("aborted", () => t.store.delete(path, options), `delete of ${path} with a signal that has fired`);
        equal(error.applied, false, "nothing was done, and the error says so");
      }
      await unchanged(t, before, "nothing was deleted");
    },
  },
  {
    id: "delete.other-connection",
    title: "what one connection deleted is gone for another, and stays gone",
    why: "Replicas bring deleted files back; caches of the other connection never notice.",
    tier: "full",
    behaviours: [133, 138],
    guarantees: ["consistency.declared", "delete.gone"],
    kills: ["N164"],
    needs: rwld,
    async run(t) {
      const other = await t.connect();
      await tree(t, "/w", { a: "1", b: "2" });
      await holds(t, "/w/a", "1", "the other connection has seen the file", other);
      await lists(t, "/w", ["a", "b"], "and its listing", { store: other });
      await t.store.delete("/w/a");
      await gone(t, "/w/a", "the other connection sees that it is gone", other);
      for (let round = 0; round < 5; round += 1) {
        await gone(t, "/w/a", "and it stays gone", round % 2 === 0 ? other : t.store);
        await lists(t, "/w", ["b"], "likewise in the listing", { store: other });
      }
    },
  },
];

const directories: readonly Check[] = [
  {
    id: "mkdir.new",
    title: "mkdir makes a directory that stat, its own listing and that of its parent show",
    why: "Marker objects are written and never read back; folders are made and filed elsewhere.",
    tier: "smoke",
    behaviours: [130, 131],
    guarantees: ["mkdir.makes"],
    rows: ["CF11"],
    kills: ["N165"],
    needs: ["mkdir", "list"],
    async run(t) {
      const entry = await t.store.mkdir("/w-dir");
      wellFormed(entry, "the entry of mkdir");
      equal([entry.path as string, entry.kind], ["/w-dir", "directory"], "path and kind");
      await isDirectoryAt(t, "/w-dir", "stat says directory");
      await lists(t, "/w-dir", [], "it lists as empty");
      await t.settled("list", async () =>
        equal(
          (await listAll(t.store, "/")).map((each) => [each.path as string, each.kind]),
          [["/w-dir", "directory"]],
          "its parent lists it, as a directory",
        ),
      );
    },
  },
  {
    id: "mkdir.parents",
    title: "mkdir makes missing parents",
    why: "WebDAV answers 409 where the parent is missing; only the last level is made, or only the first.",
    tier: "smoke",
    behaviours: [130, 75],
    guarantees: ["mkdir.makes"],
    kills: ["N19"],
    needs: ["mkdir", "list"],
    async run(t) {
      await t.store.mkdir("/w/a/b/c");
      for (const [dir, child] of [
        ["/w", "a"],
        ["/w/a", "b"],
        ["/w/a/b", "c"],
      ] as const) {
        await isDirectoryAt(t, `${dir}/${child}`, `${dir}/${child} is a directory`);
        await lists(t, dir, [child], `${dir} lists it`);
      }
    },
  },
  {
    id: "mkdir.exists",
    title: "mkdir of a directory that exists is already-exists",
    why: "A mkdir that always succeeds cannot be used to find out who was first.",
    tier: "smoke",
    behaviours: [130],
    guarantees: ["mkdir.exists"],
    rows: ["CF11"],
    kills: ["N18"],
    needs: makes,
    async run(t) {
      await directory(t, "/w/d");
      await put(t, "/w/d/f", "file");
      const error = await rejects("already-exists", () => t.store.mkdir("/w/d"), "mkdir of a directory that exists");
      equal(error.applied, false, "nothing was done, and the error says so");
      await put(t, "/w/implied/f", "file");
      await rejects("already-exists", () => t.store.mkdir("/w/implied"), "mkdir of a directory that came into being under a write");
      await holds(t, "/w/d/f", "file", "what is in it is as it was");
    },
  },
  {
    id: "mkdir.exist-ok",
    title: "with existOk a directory that exists is success, and keeps what is in it",
    why: '"Make sure that it is there" that replaces the directory with an empty one.',
    tier: "smoke",
    behaviours: [130],
    guarantees: ["mkdir.exists"],
    kills: ["N166"],
    needs: makes,
    async run(t) {
      const made = await t.store.mkdir("/w/d", { existOk: true });
      equal([made.path as string, made.kind], ["/w/d", "directory"], "where nothing was");
      await put(t, "/w/d/f", "file");
      const again = await t.store.mkdir("/w/d", { existOk: true });
      equal([again.path as string, again.kind], ["/w/d", "directory"], "where it was already");
      await holds(t, "/w/d/f", "file", "what is in it is as it was");
    },
  },
  {
    id: "mkdir.exist-ok.file",
    title: "mkdir where a file is fails, also with existOk, and leaves the file",
    why: '"It exists, fine": and the next write goes below a file.',
    tier: "smoke",
    behaviours: [130, 28],
    guarantees: ["mkdir.exists"],
    kills: ["N05"],
    needs: makes,
    async run(t) {
      await put(t, "/w/f", "file");
      if (t.capabilities.strictHierarchy) {
        await rejects("already-exists", () => t.store.mkdir("/w/f"), "mkdir where a file is");
        await rejects("already-exists", () => t.store.mkdir("/w/f", { existOk: true }), "mkdir with existOk where a file is");
        equal((await t.store.stat("/w/f")).kind, "file", "it is still a file");
      } else {
        await t.store.mkdir("/w/f", { existOk: true });
        await t.settled("list", async () => {
          const kinds = (await listAll(t.store, "/w")).map((entry) => `${entry.kind} ${entry.path}`).sort();
          equal(kinds, ["directory /w/f", "file /w/f"], "without strictHierarchy both stand side by side");
        });
      }
      await holds(t, "/w/f", "file", "the file is as it was");
    },
  },
  {
    id: "mkdir.below-file",
    title: "mkdir below a file is not-a-directory, and leaves the file",
    why: "Flat stores take the marker, and nobody finds it on a walk.",
    tier: "full",
    behaviours: [130, 28],
    guarantees: ["mkdir.makes"],
    kills: ["N56"],
    needs: makes,
    async run(t) {
      await put(t, "/w/f", "file");
      if (!t.capabilities.strictHierarchy) {
        await t.store.mkdir("/w/f/below");
        await isDirectoryAt(t, "/w/f/below", "without strictHierarchy it lies below the file of that name");
        await holds(t, "/w/f", "file", "the file is as it was");
        return;
      }
      await rejects("not-a-directory", () => t.store.mkdir("/w/f/below"), "mkdir below a file");
      await rejects("not-a-directory", () => t.store.mkdir("/w/f/below/deeper", { existOk: true }), "mkdir far below a file");
      await holds(t, "/w/f", "file", "the file is as it was");
      await lists(t, "/w", ["f"], "and alone");
    },
  },
  {
    id: "mkdir.root",
    title: "mkdir of the root is already-exists; with existOk it is success",
    why: "Making all parents of a path begins with the root.",
    tier: "full",
    behaviours: [130, 132],
    guarantees: ["mkdir.exists", "stat.root"],
    kills: ["N167"],
    needs: ["mkdir"],
    async run(t) {
      await rejects("already-exists", () => t.store.mkdir("/"), "mkdir of the root");
      const entry = await t.store.mkdir("/", { existOk: true });
      equal([entry.path as string, entry.kind], ["/", "directory"], "with existOk");
    },
  },
  {
    id: "mkdir.adopts",
    title: "mkdir with existOk makes a directory that came into being under a write stay when it is empty",
    why: 'On a flat store "it exists already" is true only as long as the file is there that implied it.',
    tier: "full",
    behaviours: [131],
    guarantees: ["mkdir.stays"],
    kills: ["N168"],
    needs: [...rwld, "mkdir"],
    async run(t) {
      await put(t, "/w/d/f", "file");
      await t.store.mkdir("/w/d", { existOk: true });
      await t.store.delete("/w/d/f");
      await isDirectoryAt(t, "/w/d", "it stays although it is empty");
      await lists(t, "/w/d", [], "and lists as empty");
    },
  },
  {
    id: "mkdir.race",
    title: "of ten mkdir calls at once exactly one succeeds where exclusiveMkdir is declared; everywhere one directory is made",
    why: "Drives make ten folders of one name, and each writer fills another one; a lock made of a directory has ten owners.",
    tier: "smoke",
    behaviours: [130, 81],
    guarantees: ["mkdir.exclusive"],
    kills: ["N57"],
    needs: ["mkdir", "list"],
    async run(t) {
      for (let round = 0; round < 5; round += 1) {
        const dir = `/w/lock${round}`;
        const stores = [t.store, ...(round === 0 ? [await t.connect()] : [])];
        const results = await Promise.all(Array.from({ length: 10 }, (_, index) => outcome(stores[index % stores.length]!.mkdir(dir))));
        const winners = results.filter((each) => each.error === undefined).length;
        for (const { error } of results) if (error !== undefined) await rejects(["already-exists", "conflict"], Promise.reject(error), "a mkdir that lost");
        ok(winners >= 1, `round ${round}: at least one succeeds`, winners);
        if (t.capabilities.exclusiveMkdir) equal(winners, 1, `round ${round}: exclusiveMkdir is declared, so exactly one succeeds`);
        await t.settled("list", async () =>
          equal(
            paths(await listAll(t.store, "/w")).filter((path) => path === dir),
            [dir],
            `round ${round}: there is one directory`,
          ),
        );
      }
    },
  },
  {
    id: "mkdir.race.parents",
    title: "ten writes at once into a directory that is not there yet all succeed, into one directory",
    why: "Each writer finds the folder missing and makes its own: ten folders of one name with one file each.",
    tier: "smoke",
    behaviours: [134, 130],
    guarantees: ["write.parents", "write.concurrent"],
    rows: ["CF88"],
    kills: ["N169"],
    needs: ["write", "read", "list"],
    async run(t) {
      const all = Array.from({ length: 10 }, (_, index) => `f${index}`);
      await Promise.all(all.map((name) => t.store.write(`/w/new/dir/${name}`, pattern(300, name))));
      await lists(t, "/w", ["new"], "one directory");
      await lists(t, "/w/new", ["dir"], "with one directory in it");
      await lists(t, "/w/new/dir", all, "which has all files");
      for (const name of all) await holds(t, `/w/new/dir/${name}`, pattern(300, name), `${name} has its bytes`);
    },
  },
  {
    id: "mkdir.parallel",
    title: "thirty directories made at once are all there",
    why: "Parents that are looked up, found missing and made at the same time replace each other.",
    tier: "full",
    behaviours: [130, 134],
    guarantees: ["mkdir.makes"],
    kills: ["N170"],
    needs: ["mkdir", "list"],
    async run(t) {
      const all = Array.from({ length: 30 }, (_, index) => `d${String(index).padStart(2, "0")}`);
      await Promise.all(all.map((name) => t.store.mkdir(`/w/${name}/inner`, { existOk: true })));
      await lists(t, "/w", all, "all of them");
      for (const name of all) await lists(t, `/w/${name}`, ["inner"], `${name} has its own`);
    },
  },
  {
    id: "mkdir.signal",
    title: "a mkdir whose signal has fired makes nothing, its parents neither",
    why: "Parents are made first, and the signal is looked at last.",
    tier: "full",
    behaviours: [76],
    guarantees: ["error.signal"],
    kills: ["N350"],
    needs: ["mkdir", "list"],
    async run(t) {
      const error = await rejects(
        "aborted",
        () => t.store.mkdir("/w/a/b", { signal: AbortSignal.abort(new Error("cancelled")) }),
        "mkdir with a signal that has fired",
      );
      equal(error.applied, false, "nothing was done, and the error says so");
      await lists(t, "/", [], "nothing was made");
    },
  },
  {
    id: "mkdir.implied",
    title: "directories that came into being under a write are directories for every verb",
    why: "Only the listing knows them: stat says not-found, read says nothing, and a write over them destroys the tree.",
    tier: "smoke",
    behaviours: [131, 58, 74],
    guarantees: ["write.parents", "stat.directory"],
    kills: ["N76"],
    needs: ["write", "read", "list"],
    async run(t) {
      await put(t, "/w/a/b/f", "file");
      for (const dir of ["/w", "/w/a", "/w/a/b"]) {
        await isDirectoryAt(t, dir, `stat of ${dir}`);
        await t.settled("read", () => rejects("is-a-directory", () => t.store.read(dir), `read of ${dir}`));
        // Where files cannot lie in the root, that is what is wrong with a write to a name in it.
        const over = dir === "/w" && !t.capabilities.filesAtRoot ? "invalid-path" : "is-a-directory";
        if (t.capabilities.strictHierarchy) await rejects(over, () => t.store.write(dir, "over"), `write over ${dir}`);
      }
      await holds(t, "/w/a/b/f", "file", "the file is as it was");
    },
  },
  {
    id: "mkdir.name-beside",
    title: "a directory and files whose names continue its name live side by side",
    why: '"dir", "dir.txt" and "dir-1" sort between "dir" and "dir/x": prefix arithmetic takes one for the other.',
    tier: "full",
    behaviours: [28, 27],
    guarantees: ["path.boundary", "mkdir.makes"],
    kills: ["M02", "M37"],
    needs: [...rwld, "mkdir"],
    async run(t) {
      await directory(t, "/w/dir");
      await tree(t, "/w", { "dir.txt": "1", "dir-1": "2", "dir/in": "3", dir0: "4" });
      await lists(t, "/w", ["dir", "dir-1", "dir.txt", "dir0"].sort(byCodePoint), "all of them");
      await lists(t, "/w/dir", ["in"], "the directory has its own");
      await t.store.delete("/w/dir/in");
      await t.store.delete("/w/dir");
      await lists(t, "/w", ["dir-1", "dir.txt", "dir0"], "without the directory the others stay");
    },
  },
];

export const checks: readonly Check[] = [...deletes, ...directories];
