/** The rules for paths: what is refused on every verb, lengths, case, siblings, and what a file may not be (behaviours 18 to 28). */
import { equal, fail, listAll, names, ok, pattern, rejects, rejectsType, sameTree, snapshot } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { absent, base, directoryOf, stats } from "./base.ts";
import { each } from "./each.ts";
import { holds, lists, put, rwld } from "./look.ts";
import { accepted, spell } from "./spelling.ts";

/** Every call that takes a path, with `path` in each place that takes one. */
function everyVerb(t: CheckContext, path: string): readonly { readonly name: string; readonly call: () => Promise<unknown> }[] {
  const { store } = t;
  return [
    { name: "stat", call: () => store.stat(path) },
    { name: "read", call: () => store.read(path) },
    { name: "write", call: () => store.write(path, "bytes") },
    { name: "list", call: () => store.list(path).toArray() },
    { name: "delete", call: () => store.delete(path) },
    { name: "mkdir", call: () => store.mkdir(path) },
    { name: "copy from", call: () => store.copy(path, "/elsewhere") },
    { name: "copy to", call: () => store.copy("/there", path) },
    { name: "move from", call: () => store.move(path, "/elsewhere") },
    { name: "move to", call: () => store.move("/there", path) },
  ];
}

async function refusedEverywhere(t: CheckContext, paths: readonly string[]): Promise<void> {
  const d = await base(t);
  await put(t, `${d}/there`, pattern(20, "there"));
  await t.settled("read", () => t.store.stat(`${d}/there`));
  const before = await snapshot(t.store);
  const all = paths.flatMap((path) => everyVerb(t, path).map((verb) => ({ ...verb, path })));
  await each(
    t,
    all,
    ({ name, path }) => `${name} ${spell(path)}`,
    async ({ name, call }) => {
      const error = await rejects("invalid-path", call, `${name} of a path that breaks a rule`);
      equal(error.applied, false, "a refused path changed nothing");
    },
  );
  sameTree(await snapshot(t.store), before, "refused paths change nothing");
}

const refusal = { tier: "smoke", guarantees: ["path.checked"], needs: rwld } as const;

export const checks: readonly Check[] = [
  {
    ...refusal,
    id: "paths.empty",
    title: "the empty path is refused as a path, not answered as something missing",
    why: 'An empty key became the bucket itself in more than one adapter: a delete of "" emptied it. "not-found" would hide the mistake in the caller.',
    behaviours: [26],
    rows: ["CF2"],
    kills: ["A09b"],
    run: async (t) => refusedEverywhere(t, [""]),
  },
  {
    ...refusal,
    id: "paths.relative",
    title: "a path that does not begin with a slash is refused on every verb",
    why: 'The seed crashed with an index error on "a/b"; others silently put it below the root, or below whatever was current.',
    behaviours: [21],
    rows: ["CF2"],
    kills: ["A09"],
    run: async (t) => refusedEverywhere(t, ["a", "a/b", "./a", "../a", " /a", "\\a", "C:/a", "http://host/a"]),
  },
  {
    ...refusal,
    id: "paths.slashes",
    title: "double slashes and a slash at the end are refused, never collapsed",
    why: 'Stores disagree: some keep "//" as a key, some collapse it. A path that means two things on two stores is refused on all.',
    behaviours: [21, 22],
    rows: ["CF2"],
    kills: ["M50"],
    run: async (t) => refusedEverywhere(t, ["//", "///", "//a", "/a//b", "/a/", "/a/b/", "/a//"]),
  },
  {
    ...refusal,
    id: "paths.dots",
    title: "dot and dot-dot segments are refused on every verb, wherever they stand",
    why: "They walk out of the store's directory: \"/../../etc/passwd\" on a disk, another bucket's prefix on S3, where URL libraries resolve them in silence.",
    behaviours: [19, 20],
    rows: ["CF89"],
    kills: ["M50"],
    run: async (t) => refusedEverywhere(t, ["/.", "/..", "/./a", "/../a", "/a/.", "/a/..", "/a/./b", "/a/../b", "/a/../../b", "/../../../../../../etc/passwd"]),
  },
  {
    ...refusal,
    id: "paths.nul",
    title: "NUL and lone surrogates are refused on every verb",
    why: 'NUL ends a C string: "/a\\0.txt" is "/a" to the system below. A lone surrogate has no UTF-8 form, so two such names become one replacement character.',
    behaviours: [18],
    kills: ["A10", "A10b"],
    run: async (t) => refusedEverywhere(t, ["/\0", "/a\0", "/a\0b", "/a/b\0/c", "/\ud800", "/a\udc00", "/a\ud83d/b", "/\udc00\ud800"]),
  },
  {
    ...refusal,
    id: "paths.type",
    title: "what is no string is refused with TypeError on every verb",
    why: 'String(undefined) is a legal name: the file "/undefined" exists in many buckets.',
    behaviours: [26],
    kills: ["A11"],
    async run(t) {
      const wrong = [undefined, null, 0, {}, ["/a"], Symbol.iterator] as unknown as readonly string[];
      for (const path of wrong) for (const verb of everyVerb(t, path)) await rejectsType(verb.call, `${verb.name} of a path that is no string`);
      const d = await base(t);
      equal(names(await listAll(t.store, directoryOf(d))), [], "nothing was made");
    },
  },
  {
    id: "paths.siblings",
    title: "a directory and names that merely begin like it have nothing to do with each other",
    why: 'Key stores match prefixes: listing, deleting or moving "foo" without the slash takes "foo.bar" and "foobar" along.',
    tier: "smoke",
    behaviours: [27],
    guarantees: ["path.boundary", "write.replaces"],
    kills: ["M02"],
    needs: [...rwld, "deleteRecursive"],
    async run(t) {
      const d = await base(t);
      const siblings = ["foo-bar", "foo.bar", "foo!", "foobar", "foo bar", "foo0"].filter((name) => accepted(t.capabilities, `${d}/${name}`));
      await put(t, `${d}/foo/inside`, pattern(11, "inside"));
      for (const name of siblings) await put(t, `${d}/${name}/inside`, pattern(12, name));
      await put(t, `${d}/fo`, pattern(13, "fo"));
      await lists(t, `${d}/foo`, ["inside"], "a directory lists what is in it and nothing of its neighbours");
      if (t.capabilities.listRecursive !== false) await lists(t, `${d}/foo`, ["inside"], "a recursive listing stays inside its directory", { recursive: true });
      await t.store.delete(`${d}/foo`, { recursive: true });
      await absent(t, `${d}/foo/inside`, "the deleted directory is gone");
      for (const name of siblings) await holds(t, `${d}/${name}/inside`, pattern(12, name), `${name} stays when foo is deleted`);
      await holds(t, `${d}/fo`, pattern(13, "fo"), "fo stays when foo is deleted");
      await lists(t, directoryOf(d), [...siblings, "fo"], "all the others are listed");
    },
  },
  {
    id: "paths.siblings.files",
    title: "deleting a file leaves the files whose names begin with its name",
    why: 'A prefix delete without a boundary: "/a" takes "/ab" and "/a.bak" along, the back-up first of all.',
    tier: "smoke",
    behaviours: [27, 128],
    guarantees: ["path.boundary"],
    rows: ["CF9"],
    kills: ["M01", "M02", "M04", "M05"],
    needs: rwld,
    async run(t) {
      const d = await base(t);
      const others = ["ab", "a.bak", "a b", "a~", "b"].filter((name) => accepted(t.capabilities, `${d}/x/${name}`));
      await put(t, `${d}/x/a`, pattern(10, "a"));
      for (const name of others) await put(t, `${d}/x/${name}`, pattern(20, name));
      await t.store.delete(`${d}/x/a`);
      await absent(t, `${d}/x/a`, "the deleted file is gone");
      for (const name of others) await holds(t, `${d}/x/${name}`, pattern(20, name), `${name} stays when a is deleted`);
      await lists(t, `${d}/x`, others, "the others are listed");
    },
  },
  {
    id: "paths.hierarchy",
    title: "a name is a file or a directory; where a flat store lets both exist, neither answers for the other",
    why: 'On key stores "a" and "a/b" coexist. An adapter that does not say so lets a file hide a tree, and a delete of one takes the other.',
    tier: "full",
    behaviours: [28, 22],
    guarantees: ["path.hierarchy"],
    kills: ["A34", "M54d"],
    needs: rwld,
    async run(t) {
      const d = await base(t);
      const file = pattern(30, "file");
      await put(t, `${d}/x/a`, file);
      await put(t, `${d}/x/dir/inside`, pattern(31, "inside"));
      await put(t, `${d}/x/dir.txt`, pattern(32, "dir.txt"));
      if (t.capabilities.strictHierarchy) {
        await rejects("not-a-directory", () => t.store.write(`${d}/x/a/b`, "below a file"), "a write below a file");
        await rejects("is-a-directory", () => t.store.write(`${d}/x/dir`, "over a directory"), "a write over a directory");
        if (t.capabilities.mkdir !== false) {
          await rejects("already-exists", () => t.store.mkdir(`${d}/x/a`), "mkdir over a file");
          await rejects("already-exists", () => t.store.mkdir(`${d}/x/a`, { existOk: true }), "mkdir over a file, existing directories allowed");
          await rejects("not-a-directory", () => t.store.mkdir(`${d}/x/a/b`), "mkdir below a file");
        }
        await lists(t, `${d}/x`, ["a", "dir", "dir.txt"], "the refused calls changed nothing");
      } else {
        await put(t, `${d}/x/a/b`, pattern(33, "below"));
        await holds(t, `${d}/x/a/b`, pattern(33, "below"), "a file below a file of a flat store");
        await stats(t, `${d}/x/a`, (entry) => equal(entry.kind, "file", "where both exist stat tells the file"));
        await lists(t, `${d}/x/a`, ["b"], "the directory of that name lists what is below it");
        await t.store.delete(`${d}/x/a`);
        await holds(t, `${d}/x/a/b`, pattern(33, "below"), "deleting the file leaves what lies below its name");
        await put(t, `${d}/x/a`, file);
      }
      await holds(t, `${d}/x/a`, file, "the file is as it was");
      await holds(t, `${d}/x/dir/inside`, pattern(31, "inside"), "what is in the directory is as it was");
      await holds(t, `${d}/x/dir.txt`, pattern(32, "dir.txt"), "the file beside the directory is as it was");
      await rejects("not-found", () => t.store.stat(`${d}/x/dir.txt/none`), "a path below a file is missing");
      await rejects("not-found", () => t.store.read(`${d}/x/dir.txt/none`), "a path below a file cannot be read");
    },
  },
  {
    id: "paths.case",
    title: "names that differ in case are different files, or one file where the service says that it folds",
    why: "Dropbox, Windows and macOS fold. A store that folds and does not say so loses the first of two files; one that says so must find it in any spelling.",
    tier: "smoke",
    behaviours: [24],
    guarantees: ["path.distinct"],
    rows: ["CF12"],
    kills: ["M41"],
    needs: rwld,
    async run(t) {
      const d = await base(t);
      const spellings = ["foo.txt", "Foo.txt", "FOO.TXT"];
      for (const [index, name] of spellings.entries()) await t.store.write(`${d}/x/${name}`, pattern(50 + index, name));
      if (t.capabilities.caseSensitive) {
        await lists(t, `${d}/x`, spellings, "three spellings are three files");
        for (const [index, name] of spellings.entries()) await holds(t, `${d}/x/${name}`, pattern(50 + index, name), `${name} has its own bytes`);
        await rejects("not-found", () => t.store.stat(`${d}/x/fOO.txt`), "a fourth spelling is not there");
        await t.store.delete(`${d}/x/Foo.txt`);
        await lists(t, `${d}/x`, ["foo.txt", "FOO.TXT"], "deleting one spelling leaves the others");
      } else {
        const last = pattern(52, "FOO.TXT");
        for (const name of [...spellings, "fOO.txt"]) {
          await holds(t, `${d}/x/${name}`, last, `${name} finds the file written last`);
          await stats(t, `${d}/x/${name}`, (entry) => equal(entry.path as string, `${d}/x/${name}`, "stat gives the path as it was asked for"));
        }
        const found = await t.settled("list", async () => {
          const listed = names(await listAll(t.store, `${d}/x`));
          equal(listed.length, 1, "one file is listed once");
          return listed;
        });
        equal(found[0]?.toLowerCase(), "foo.txt", "it is listed in one of its spellings");
        await t.store.delete(`${d}/x/foo.TXT`);
        await absent(t, `${d}/x/foo.txt`, "deleted in any spelling");
      }
      if (t.capabilities.mkdir === false) return;
      await t.store.mkdir(`${d}/folder`);
      if (t.capabilities.caseSensitive) await t.store.mkdir(`${d}/FOLDER`);
      else await rejects("already-exists", () => t.store.mkdir(`${d}/FOLDER`), "an upper-case twin of a directory on a service that folds");
    },
  },
  {
    id: "paths.case.rename",
    title: "renaming a file to another spelling of its name never loses it",
    why: 'On a folding service a move to the other spelling replaces the file by itself and then deletes "the source": the file is gone.',
    tier: "full",
    behaviours: [24, 121],
    guarantees: ["path.distinct"],
    rows: ["CF14"],
    kills: ["M41b"],
    needs: [...rwld, "move"],
    async run(t) {
      const d = await base(t);
      const bytes = pattern(77, "rename");
      await put(t, `${d}/x/name.txt`, bytes);
      const outcome = await t.store.move(`${d}/x/name.txt`, `${d}/x/NAME.txt`).then(
        () => "moved",
        (error: unknown) => error,
      );
      if (t.capabilities.caseSensitive) {
        equal(outcome, "moved", "a move to another spelling is an ordinary move");
        await absent(t, `${d}/x/name.txt`, "nothing is at the old spelling");
      } else if (outcome !== "moved") await rejects("unsupported", Promise.reject(outcome), "a service that folds changes the spelling or refuses");
      const there = outcome === "moved" ? "NAME.txt" : "name.txt";
      await holds(t, `${d}/x/${there}`, bytes, "the file is there after the rename");
      await lists(t, `${d}/x`, [there], "and stands there once, in its new spelling where it was moved");
    },
  },
  {
    id: "paths.normalisation",
    title: "composed and decomposed forms of one name are as many files as the capabilities say, in write, read and list alike",
    why: "A store that normalises when it writes but not when it lists shows files that nobody can read, and syncs them back and forth for ever.",
    tier: "full",
    behaviours: [15],
    guarantees: ["path.distinct"],
    kills: ["M42"],
    needs: rwld,
    async run(t) {
      const d = await base(t);
      const forms = [
        { name: "caf\u00e9", bytes: pattern(60, "composed") },
        { name: "cafe\u0301", bytes: pattern(61, "decomposed") },
      ];
      for (const { name, bytes } of forms) await put(t, `${d}/x/${name}`, bytes);
      const kept = t.capabilities.normalisation === "kept";
      const entries = await t.settled("list", async () => {
        const found = await listAll(t.store, `${d}/x`);
        equal(found.length, kept ? 2 : 1, "as many entries as files");
        return found;
      });
      for (const { name, bytes } of forms) await holds(t, `${d}/x/${name}`, kept ? bytes : forms[1]!.bytes, `${spell(name)} is found`);
      for (const entry of entries) {
        const found = await t.settled("read", () => t.store.stat(entry.path));
        equal(found.size, entry.size, "what is listed can be asked for under the listed path");
      }
      if (kept)
        for (const { name } of forms)
          ok(
            entries.some((entry) => entry.path === `${d}/x/${name}`),
            "both forms are listed as they were written",
            names(entries).map(spell),
          );
      else if (t.capabilities.normalisation === "nfkc") {
        await put(t, `${d}/y/\uff21`, pattern(5, "wide"));
        await holds(t, `${d}/y/A`, pattern(5, "wide"), "a service that folds compatibility characters finds the plain name");
      } else if (entries.length !== 1) fail("one file");
    },
  },
];
