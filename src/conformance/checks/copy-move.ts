/**
 * Copy and move: each cell of the table of rename(2), what is kept, what is refused, and that all bytes are somewhere however it ends (behaviours 116 to 126).
 * Both verbs run through the same cases; what only one of them promises stands at the end.
 */
import { equal, ok, pattern, rejects, sameTree, snapshot } from "../assert.ts";
import type { Snapshot } from "../assert.ts";
import type { Check, CheckContext, SupportKey } from "../check.ts";
import type { Entry } from "../../store/index.ts";
import { failing } from "./copy-move-failing.ts";
import { kept } from "./copy-move-kept.ts";
import { directory, gone, held, holds, isDirectoryAt, lists, many, outcome, put, rwl, tree, unchanged } from "./look.ts";

type Verb = "copy" | "move";

/** What is below a directory, with paths relative to it. */
async function below(t: CheckContext, dir: string): Promise<Snapshot> {
  return new Map([...(await snapshot(t.store, dir))].map(([path, content]) => [path.slice(dir.length), content]));
}

const source = { a: "in a", "sub/b": pattern(3000, "b"), "sub/deep/c": "in c", empty: new Uint8Array(0) };

/** After a successful call: the source is still there (copy) or gone (move). */
async function sourceAfter(t: CheckContext, verb: Verb, from: string, content: Uint8Array | string): Promise<void> {
  if (verb === "copy") await holds(t, from, content, "the source of a copy is as it was");
  else await gone(t, from, "nothing is at the source of a move");
}

function cells(verb: Verb): readonly Check[] {
  const run = (t: CheckContext, from: string, to: string, options?: { readonly ifAbsent?: boolean; readonly signal?: AbortSignal }): Promise<Entry> =>
    t.store[verb](from, to, options);
  const needs: readonly SupportKey[] = [...rwl, verb];
  const trees: readonly SupportKey[] = [...needs, "mkdir", `${verb}Tree`];
  const absent: readonly SupportKey[] = [...needs, `${verb}IfAbsent`];
  const done = verb === "copy" ? "copied" : "moved";
  const target = `${verb}.target`;
  return [
    {
      id: `${verb}.file.to-missing`,
      title: `a file is ${done} to a path where nothing is`,
      why: "The plain case. A copy that is a link, or a move that leaves the source, passes a test that looks at one end only.",
      tier: "smoke",
      behaviours: verb === "copy" ? [116] : [121],
      guarantees: [`${verb}.whole`],
      rows: verb === "copy" ? ["CF13"] : ["CF14"],
      kills: verb === "copy" ? ["N121"] : ["N22"],
      needs,
      async run(t) {
        const content = pattern(4321, "source");
        await put(t, "/w/from", content);
        const entry = await run(t, "/w/from", "/w/to");
        equal([entry.path as string, entry.kind], ["/w/to", "file"], "the entry is that of the target");
        await holds(t, "/w/to", content, "the target has the bytes");
        await sourceAfter(t, verb, "/w/from", content);
        await lists(t, "/w", verb === "copy" ? ["from", "to"] : ["to"], "the directory lists what is there now");
      },
    },
    {
      id: `${verb}.file.to-file`,
      title: `a file ${done} over a file replaces it whole`,
      why: "Services refuse, make a second file of the name, or keep the tail of a longer target.",
      tier: "smoke",
      behaviours: verb === "copy" ? [116] : [121],
      guarantees: [target, `${verb}.whole`],
      rows: verb === "copy" ? ["CF13"] : ["CF14"],
      kills: ["N122"],
      needs,
      async run(t) {
        await put(t, "/w/from", "short");
        await put(t, "/w/to", pattern(5000, "longer"));
        await run(t, "/w/from", "/w/to");
        await holds(t, "/w/to", "short", "the target has the new bytes and nothing of the old");
        await sourceAfter(t, verb, "/w/from", "short");
        await lists(t, "/w", verb === "copy" ? ["from", "to"] : ["to"], "the target is listed once");
      },
    },
    {
      id: `${verb}.file.to-empty-directory`,
      title: `a file ${done} onto an empty directory is refused with is-a-directory`,
      why: "Shell tools put the file into the directory, WebDAV servers with Overwrite replace the directory. A library does what rename(2) does: it refuses.",
      tier: "full",
      behaviours: [116, 126],
      guarantees: [target],
      kills: ["N123"],
      needs: [...needs, "mkdir"],
      async run(t) {
        await put(t, "/w/from", "file");
        await directory(t, "/w/to");
        if (!t.capabilities.strictHierarchy) return await bothNames(t, verb);
        const before = await held(t);
        const error = await rejects("is-a-directory", () => run(t, "/w/from", "/w/to"), `${verb} of a file onto an empty directory`);
        equal(error.to as string | null, "/w/to", "the error names the target");
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.file.to-directory`,
      title: `a file ${done} onto a directory with content is refused with is-a-directory, and neither is touched`,
      why: "Servers that delete the target first lose the whole directory for one file; a move that deletes its source although the copy failed loses the file.",
      tier: "smoke",
      behaviours: [116, 121],
      guarantees: [target, `${verb}.failed`],
      kills: verb === "copy" ? ["N123"] : ["M56", "N123"],
      needs,
      async run(t) {
        await put(t, "/w/from", "file");
        await tree(t, "/w/to", source);
        if (!t.capabilities.strictHierarchy) {
          await bothNames(t, verb);
          await holds(t, "/w/to/a", "in a", "the directory of that name is as it was");
          return;
        }
        const before = await held(t);
        await rejects("is-a-directory", () => run(t, "/w/from", "/w/to"), `${verb} of a file onto a directory`);
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.directory.to-missing`,
      title: `a directory is ${done} with everything below it to a path where nothing is`,
      why: "Flat stores copy key by key: keys of the second page, empty files and directories of directories are what is left behind.",
      tier: "smoke",
      behaviours: verb === "copy" ? [116, 123] : [121, 123],
      guarantees: [`${verb}.whole`],
      rows: verb === "copy" ? ["CF13"] : ["CF14"],
      kills: verb === "copy" ? ["N124"] : ["N23", "N124"],
      needs: trees,
      async run(t) {
        await tree(t, "/w/from", source);
        const before = await below(t, "/w/from");
        const entry = await run(t, "/w/from", "/w/to");
        equal([entry.path as string, entry.kind], ["/w/to", "directory"], "the entry is that of the target");
        await t.settled("list", async () => sameTree(await below(t, "/w/to"), before, "the target has the whole tree"));
        if (verb === "copy") await t.settled("list", async () => sameTree(await below(t, "/w/from"), before, "the source of a copy is as it was"));
        else await gone(t, "/w/from", "nothing is at the source of a move");
        if (verb === "move") for (const path of ["/w/from/a", "/w/from/sub", "/w/from/sub/deep/c"]) await gone(t, path, `nothing is at ${path}`);
      },
    },
    {
      id: `${verb}.directory.to-file`,
      title: `a directory ${done} onto a file is refused with not-a-directory`,
      why: "Servers that delete the target first have lost the file before they find out.",
      tier: "full",
      behaviours: [116, 122],
      guarantees: [target],
      kills: ["N125"],
      needs: trees,
      async run(t) {
        await tree(t, "/w/from", source);
        await put(t, "/w/to", "a file");
        if (!t.capabilities.strictHierarchy) {
          const before = await held(t);
          const content = await below(t, "/w/from");
          const { error } = await outcome(run(t, "/w/from", "/w/to"));
          if (error === undefined)
            await t.settled("list", async () => sameTree(await below(t, "/w/to"), content, "without strictHierarchy the directory stands beside the file"));
          else {
            await rejects("not-a-directory", Promise.reject(error), `${verb} of a directory onto a file`);
            await unchanged(t, before, "refused, so nothing was changed");
          }
          await holds(t, "/w/to", "a file", "the file of that name is as it was");
          return;
        }
        const before = await held(t);
        await rejects("not-a-directory", () => run(t, "/w/from", "/w/to"), `${verb} of a directory onto a file`);
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.directory.to-empty-directory`,
      title: `a directory ${done} onto an empty directory replaces it`,
      why: "Tools that put the tree into the directory make to/from out of it.",
      tier: "smoke",
      behaviours: [116, 126],
      guarantees: [target],
      rows: ["CF13"],
      kills: ["N126"],
      needs: trees,
      async run(t) {
        await tree(t, "/w/from", source);
        await directory(t, "/w/to");
        const before = await below(t, "/w/from");
        await run(t, "/w/from", "/w/to");
        await t.settled("list", async () => sameTree(await below(t, "/w/to"), before, "the target is the tree, not the tree in a directory"));
        if (verb === "move") await gone(t, "/w/from", "nothing is at the source of a move");
      },
    },
    {
      id: `${verb}.directory.to-directory`,
      title: `a directory ${done} onto a directory with content is refused with not-empty: neither replaced nor merged`,
      why: "A merge mixes two trees and cannot be undone; a replacement deletes a tree that nobody named. Both are what services do when they are asked to overwrite.",
      tier: "smoke",
      behaviours: [116, 122, 126],
      guarantees: [target],
      kills: ["N01", "N02"],
      needs: trees,
      async run(t) {
        await tree(t, "/w/from", source);
        await tree(t, "/w/to", { a: "the other a", other: "only here" });
        const before = await held(t);
        await rejects("not-empty", () => run(t, "/w/from", "/w/to"), `${verb} of a directory onto one with content`);
        await unchanged(t, before, "neither was replaced, merged or moved");
      },
    },
    {
      id: `${verb}.directory.to-hidden-content`,
      title: `a directory that holds nothing but a directory is not empty either`,
      why: "Emptiness is looked up by asking for files, and directories are forgotten.",
      tier: "full",
      behaviours: [122],
      guarantees: [target],
      kills: ["N127"],
      needs: trees,
      async run(t) {
        await tree(t, "/w/from", { a: "1" });
        await directory(t, "/w/to/only-a-directory");
        const before = await held(t);
        await rejects("not-empty", () => run(t, "/w/from", "/w/to"), `${verb} onto a directory that holds an empty directory`);
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.directory.empty`,
      title: `an empty directory is ${done}`,
      why: "A tree without files has nothing that a loop over files could copy.",
      tier: "full",
      behaviours: [123, 131],
      guarantees: [`${verb}.whole`],
      kills: ["N128"],
      needs: trees,
      async run(t) {
        await directory(t, "/w/from");
        await directory(t, "/w/tree/inner");
        await run(t, "/w/from", "/w/to");
        await isDirectoryAt(t, "/w/to", "the target is a directory");
        await lists(t, "/w/to", [], "and is empty");
        await run(t, "/w/tree", "/w/tree-too");
        await isDirectoryAt(t, "/w/tree-too/inner", "an empty directory inside a tree is there too");
        if (verb === "move") {
          await gone(t, "/w/from", "nothing is at the source");
          await gone(t, "/w/tree", "nothing is at the source");
        }
      },
    },
    {
      id: `${verb}.file.onto-itself`,
      title: `a file ${done} onto itself stays as it is`,
      why: "Copy, then delete the source: on one path that is delete. Overwriting a file while reading it leaves nothing.",
      tier: "smoke",
      behaviours: verb === "copy" ? [117] : [122],
      guarantees: [`${verb}.itself`],
      kills: verb === "copy" ? ["N129"] : ["M57"],
      needs,
      async run(t) {
        await put(t, "/w/f", pattern(777, "self"));
        const entry = await run(t, "/w/f", "/w/f");
        equal([entry.path as string, entry.size], ["/w/f", 777], "the entry is that of the file");
        await holds(t, "/w/f", pattern(777, "self"), "the bytes are as they were");
        await lists(t, "/w", ["f"], "the file is there, once");
      },
    },
    {
      id: `${verb}.directory.onto-itself`,
      title: `a directory ${done} onto itself stays as it is`,
      why: 'Rename over itself passes, delete-the-target-first does not; "not empty" is the wrong answer as well.',
      tier: "full",
      behaviours: verb === "copy" ? [117] : [122],
      guarantees: [`${verb}.itself`],
      kills: verb === "copy" ? ["N129"] : ["M57"],
      needs: trees,
      async run(t) {
        await tree(t, "/w/d", source);
        const before = await held(t);
        const entry = await run(t, "/w/d", "/w/d");
        equal(entry.kind, "directory", "the entry is that of the directory");
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.missing.onto-itself`,
      title: `what is missing is not-found, also onto itself`,
      why: '"Nothing to do" is decided before anybody looked.',
      tier: "full",
      behaviours: [117, 145],
      guarantees: [`${verb}.itself`, `${verb}.missing`],
      kills: ["N130"],
      needs,
      async run(t) {
        await rejects("not-found", () => run(t, "/w/missing", "/w/missing"), `${verb} of what is missing onto itself`);
      },
    },
    {
      id: `${verb}.into-itself`,
      title: `a directory is not ${done} into its own subtree`,
      why: "SabreDAV nests the copy into itself until the path is too long; a move takes the whole tree out of reach.",
      tier: "smoke",
      behaviours: [122],
      guarantees: [`${verb}.subtree`],
      kills: ["N43"],
      needs: trees,
      async run(t) {
        await tree(t, "/w/d", source);
        const before = await held(t);
        for (const to of ["/w/d/inside", "/w/d/sub", "/w/d/sub/deep/inside", "/w/d/a"]) {
          const error = await rejects("invalid-path", () => run(t, "/w/d", to), `${verb} of /w/d to ${to}`);
          equal(error.applied, false, "nothing was done");
        }
        await unchanged(t, before, "nothing was changed");
        // A sibling whose name begins the same is not inside.
        await run(t, "/w/d", "/w/d-2");
        await holds(t, "/w/d-2/a", "in a", "a name that only begins the same is no subtree");
      },
    },
    {
      id: `${verb}.to-ancestor`,
      title: `what lies in a directory is not ${done} onto that directory`,
      why: "Making room at the target deletes the source with it.",
      tier: "full",
      behaviours: [122],
      guarantees: [target],
      kills: ["N01"],
      needs: trees,
      async run(t) {
        await tree(t, "/w/d", source);
        const before = await held(t);
        await rejects("not-empty", () => run(t, "/w/d/sub", "/w/d"), `${verb} of a directory onto its parent`);
        if (t.capabilities.strictHierarchy) await rejects("is-a-directory", () => run(t, "/w/d/a", "/w/d"), `${verb} of a file onto its directory`);
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.root`,
      title: `the root is not ${done}, and nothing is ${done} onto it`,
      why: 'The root has no name that could change; a prefix of "" is everything.',
      tier: "smoke",
      behaviours: [132],
      guarantees: [`${verb}.subtree`],
      kills: ["N131"],
      needs,
      async run(t) {
        await put(t, "/w/f", "file");
        const before = await held(t);
        await rejects("invalid-path", () => run(t, "/", "/w/to"), `${verb} of the root`);
        await rejects("invalid-path", () => run(t, "/w/f", "/"), `${verb} of a file onto the root`);
        await rejects("invalid-path", () => run(t, "/w", "/"), `${verb} of a directory onto the root`);
        await rejects("invalid-path", () => run(t, "/", "/"), `${verb} of the root onto itself`);
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.missing.keeps-target`,
      title: `a source that is missing is not-found, and what is at the target stays`,
      why: "SabreDAV and rclone delete the target before they look for the source: one mistyped name, and the file it should have replaced is gone.",
      tier: "smoke",
      behaviours: verb === "copy" ? [116, 145] : [121, 145],
      guarantees: [`${verb}.missing`],
      kills: ["N03"],
      needs,
      async run(t) {
        await put(t, "/w/target", pattern(222, "target"));
        await tree(t, "/w/tree", { a: "1" });
        const before = await held(t);
        const error = await rejects("not-found", () => run(t, "/w/missing", "/w/target"), `${verb} of what is missing onto a file`);
        equal([error.path as string | null, error.to as string | null], ["/w/missing", "/w/target"], "the error names both paths");
        equal(error.applied, false, "and says that nothing was done");
        await rejects("not-found", () => run(t, "/w/missing", "/w/tree"), `${verb} of what is missing onto a directory`);
        await rejects("not-found", () => run(t, "/w/missing/below", "/w/new"), `${verb} from a directory that is missing`);
        await rejects("not-found", () => run(t, "/w/target/below", "/w/new"), `${verb} from below a file`);
        await unchanged(t, before, "nothing was changed, nothing was made");
      },
    },
    {
      id: `${verb}.parents`,
      title: `missing parents of the target are made`,
      why: "WebDAV answers 409 where the parent is missing, disks ENOENT; a flat store does not mind.",
      tier: "smoke",
      behaviours: [123, 75],
      guarantees: [`${verb}.parents`],
      kills: ["N132"],
      needs,
      async run(t) {
        await put(t, "/w/from", "file");
        await run(t, "/w/from", "/w/new/er/to");
        await holds(t, "/w/new/er/to", "file", "the target is there");
        await isDirectoryAt(t, "/w/new/er", "its parent is a directory");
        if (t.capabilities[`${verb}Tree`] !== false && t.capabilities.mkdir !== false) {
          await tree(t, "/w/tree", { a: "1", "b/c": "2" });
          await run(t, "/w/tree", "/w/other/new/tree");
          await holds(t, "/w/other/new/tree/b/c", "2", "the tree is there");
        }
      },
    },
    {
      id: `${verb}.below-file`,
      title: `nothing is ${done} to a path below a file`,
      why: "Below a file nothing can lie; flat stores take the key all the same, and then no walk finds it.",
      tier: "full",
      behaviours: [74, 122],
      guarantees: [target],
      kills: ["N133"],
      needs,
      async run(t) {
        await put(t, "/w/from", "file");
        await put(t, "/w/target", "a file");
        if (!t.capabilities.strictHierarchy) {
          await run(t, "/w/from", "/w/target/below");
          await holds(t, "/w/target/below", "file", "without strictHierarchy it lies below the file of that name");
          await holds(t, "/w/target", "a file", "which is as it was");
          return;
        }
        const before = await held(t);
        await rejects("not-a-directory", () => run(t, "/w/from", "/w/target/below"), `${verb} to below a file`);
        await rejects("not-a-directory", () => run(t, "/w/from", "/w/target/below/deeper"), `${verb} to far below a file`);
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.if-absent.free`,
      title: `with ifAbsent a file is ${done} where nothing is`,
      why: "A condition that is always refused is as useless as one that is ignored, and looks safe.",
      tier: "smoke",
      behaviours: [80],
      guarantees: [`${verb}.ifAbsent`],
      kills: ["N134"],
      needs: absent,
      async run(t) {
        await put(t, "/w/from", "file");
        await run(t, "/w/from", "/w/to", { ifAbsent: true });
        await holds(t, "/w/to", "file", "the target is there");
        await sourceAfter(t, verb, "/w/from", "file");
      },
    },
    {
      id: `${verb}.if-absent.taken`,
      title: `with ifAbsent anything at the target is already-exists, and nothing is changed`,
      why: "An overwrite flag of the wrong sense, or one that the service ignores: the file that should have been protected is gone.",
      tier: "smoke",
      behaviours: [80],
      guarantees: [`${verb}.ifAbsent`],
      kills: verb === "copy" ? ["N12"] : ["N47"],
      needs: absent,
      async run(t) {
        await put(t, "/w/from", "new");
        await put(t, "/w/file", "protected");
        await put(t, "/w/directory/in", "1");
        const before = await held(t);
        await rejects("already-exists", () => run(t, "/w/from", "/w/file", { ifAbsent: true }), `${verb} with ifAbsent onto a file`);
        if (t.capabilities.strictHierarchy)
          await rejects("already-exists", () => run(t, "/w/from", "/w/directory", { ifAbsent: true }), `${verb} with ifAbsent onto a directory`);
        await unchanged(t, before, "nothing was changed");
      },
    },
    {
      id: `${verb}.if-absent.tree`,
      title: `with ifAbsent a directory is not ${done} onto anything, not even an empty directory`,
      why: '"An empty directory may be replaced" is the other rule; ifAbsent says that nothing may be.',
      tier: "full",
      behaviours: [80, 122],
      guarantees: [`${verb}.ifAbsent`],
      kills: verb === "copy" ? ["N12"] : ["N47"],
      needs: [...trees, `${verb}IfAbsent`],
      async run(t) {
        await tree(t, "/w/from", source);
        await directory(t, "/w/to");
        const before = await held(t);
        await rejects("already-exists", () => run(t, "/w/from", "/w/to", { ifAbsent: true }), `${verb} with ifAbsent onto an empty directory`);
        await unchanged(t, before, "nothing was changed");
        await run(t, "/w/from", "/w/free", { ifAbsent: true });
        await holds(t, "/w/free/sub/deep/c", "in c", "and where nothing is, the tree is there");
      },
    },
    {
      id: `${verb}.empty-file`,
      title: `an empty file is ${done}`,
      why: "Copy by ranges has no range for nothing; streams without a byte are never opened.",
      tier: "smoke",
      behaviours: [31, 116],
      guarantees: [`${verb}.whole`],
      kills: ["N135"],
      needs,
      async run(t) {
        await put(t, "/w/from", new Uint8Array(0));
        const entry = await run(t, "/w/from", "/w/to");
        equal(entry.size, 0, "the entry says 0 bytes");
        await holds(t, "/w/to", new Uint8Array(0), "the target is an empty file");
        await sourceAfter(t, verb, "/w/from", new Uint8Array(0));
      },
    },
    {
      id: `${verb}.sizes`,
      title: `files of every size at which copies change their way are ${done} whole`,
      why: "Server-side copies beyond a limit go by parts: the last part, or the byte at the seam, is the one that is missing.",
      tier: "full",
      behaviours: [120, 32],
      guarantees: [`${verb}.whole`],
      kills: ["N136"],
      needs,
      timeoutMs: 300_000,
      async run(t) {
        const steps = t.capabilities.sizeSteps.filter((size) => size <= (t.tier === "torture" ? 2 ** 30 : 2 ** 25));
        for (const size of [1, 65_537, ...steps.flatMap((step) => [step - 1, step, step + 1])]) {
          const content = pattern(size, `size ${size}`);
          await put(t, "/w/from", content);
          await run(t, "/w/from", "/w/to");
          await holds(t, "/w/to", content, `${size} bytes`);
        }
      },
    },
    {
      id: `${verb}.sibling-prefix`,
      title: `what only begins with the same name is not ${done} along`,
      why: 'A prefix without the slash at its end takes "ab" along with "a".',
      tier: "smoke",
      behaviours: [27, 123],
      guarantees: [`${verb}.whole`, "path.boundary"],
      kills: ["N137"],
      needs: trees,
      async run(t) {
        await tree(t, "/w", { "a/f": "1", "ab/f": "2", "a.b": "3", "a-": "4" });
        await run(t, "/w/a", "/w/z");
        await lists(t, "/w", verb === "copy" ? ["a", "a-", "a.b", "ab", "z"] : ["a-", "a.b", "ab", "z"], "the siblings stayed");
        await lists(t, "/w/z", ["f"], "and did not come along");
        await holds(t, "/w/ab/f", "2", "what is in the sibling is as it was");
      },
    },
    {
      id: `${verb}.names`,
      title: `files of awkward names are ${done} from and to awkward names`,
      why: "The source of a server-side copy travels in a header, escaped by rules of its own: once too often or not at all, another file is copied, or none.",
      tier: "full",
      behaviours: [124, 8, 11],
      guarantees: [`${verb}.whole`, "path.kept"],
      rows: ["CF95"],
      kills: ["N238"],
      needs,
      timeoutMs: 60_000,
      async run(t) {
        const awkward = [
          "a b",
          "a+b",
          "a%20b",
          "100%",
          "a#b",
          "a?b=c",
          "a&b",
          "a;b",
          "a'b",
          "a=b",
          "\u00e4\u00f6",
          "\u6f22\u5b57",
          "\u{1f600}",
          "a,b",
          "a$b",
          "a!b",
          "a~b",
          "(a)",
          "[a]",
          "a%2Fb",
        ];
        let stored = 0;
        for (const [index, name] of awkward.entries()) {
          const content = pattern(60, `name ${index}`);
          const from = `/w/from ${name}/${name}`;
          const to = `/w/to ${name}/${name} too`;
          const { error } = await outcome(put(t, from, content));
          if (error !== undefined) {
            await rejects("invalid-path", Promise.reject(error), `a name that cannot be stored: ${name}`);
            continue;
          }
          stored += 1;
          await run(t, from, to);
          await holds(t, to, content, `${JSON.stringify(name)} is at its target`);
          await sourceAfter(t, verb, from, content);
        }
        ok(stored >= 8, "most of the names can be stored", stored);
      },
    },
    {
      id: `${verb}.many`,
      title: `a tree of 1,050 files is ${done} whole`,
      why: "One page of a listing is what an emulated copy copies; a move then deletes everything.",
      tier: "full",
      behaviours: [90, 123],
      guarantees: [`${verb}.whole`],
      rows: verb === "copy" ? ["CF13"] : ["CF14"],
      kills: ["N138"],
      needs: trees,
      timeoutMs: 300_000,
      async run(t) {
        const first = await many(t, "/w/from/a", 1_030);
        const second = await many(t, "/w/from/b", 20);
        await lists(t, "/w/from/a", first, "the fixture is listed");
        await run(t, "/w/from", "/w/to");
        await lists(t, "/w/to/a", first, "every file of the first directory");
        await lists(t, "/w/to/b", second, "every file of the second");
        await holds(t, "/w/to/a/f1029", pattern(24, "f1029"), "the last file has its own bytes");
        if (verb === "move") await gone(t, "/w/from", "nothing is at the source");
        else await lists(t, "/w/from/a", first, "the source is as it was");
      },
    },
  ];
}

/** Without strictHierarchy a file and a directory of one name may stand side by side; refusing that by the rules of rename(2), and then changing nothing, is as right. */
async function bothNames(t: CheckContext, verb: Verb): Promise<void> {
  const before = await held(t);
  const { error } = await outcome(t.store[verb]("/w/from", "/w/to"));
  if (error !== undefined) {
    await rejects("is-a-directory", Promise.reject(error), `${verb} of a file onto a directory`);
    await unchanged(t, before, "refused, so nothing was changed");
    return;
  }
  await holds(t, "/w/to", "file", "without strictHierarchy the file stands beside the directory of that name");
  await t.settled("list", async () =>
    ok(
      (await t.store.list("/w").toArray()).some((entry) => entry.path === "/w/to" && entry.kind === "directory"),
      "and the directory is still listed",
    ),
  );
  await sourceAfter(t, verb, "/w/from", "file");
}

export const checks: readonly Check[] = [...cells("copy"), ...cells("move"), ...kept, ...failing];
