/** What a copy or a move keeps: content type, metadata, independence of the two files, and the directories around them (behaviours 118, 119, 123, 24). */
import { byCodePoint, equal, ok, pattern, rejects } from "../assert.ts";
import type { Check, CheckContext, SupportKey } from "../check.ts";
import { hasCode } from "../../store/index.ts";
import { directory, gone, holds, isDirectoryAt, lists, outcome, put, rwl, rwld, tree } from "./look.ts";

type Verb = "copy" | "move";

async function properties(t: CheckContext, path: string): Promise<{ contentType: string | null; metadata: [string, string][] | null }> {
  const { contentType, metadata } = await t.store.stat(path, { fresh: true });
  return { contentType, metadata: metadata === null ? null : Object.entries(metadata).sort(([left], [right]) => byCodePoint(left, right)) };
}

function bothVerbs(verb: Verb): readonly Check[] {
  const typed: readonly SupportKey[] = [...rwl, verb, "writeContentType"];
  const annotated: readonly SupportKey[] = [...rwl, verb, "writeMetadata"];
  return [
    {
      id: `${verb}.keeps.type`,
      title: `a ${verb} keeps the content type, also of a file over one of another type`,
      why: "Server-side copies set the type anew from the name of the target, or keep that of the file they replace.",
      tier: "smoke",
      behaviours: [119, 108],
      guarantees: [`${verb}.whole`],
      kills: ["M58"],
      needs: typed,
      async run(t) {
        await put(t, "/w/from.txt", "typed", { contentType: "text/x-kept" });
        await put(t, "/w/to.bin", "other", { contentType: "application/x-other" });
        await t.store[verb]("/w/from.txt", "/w/to.bin");
        await t.settled("read", async () => equal((await properties(t, "/w/to.bin")).contentType, "text/x-kept", "over a file of another type"));
        await put(t, "/w/from.txt", "typed", { contentType: "text/x-kept" });
        await t.store[verb]("/w/from.txt", "/w/new.html");
        await t.settled("read", async () => equal((await properties(t, "/w/new.html")).contentType, "text/x-kept", "to a new name with another ending"));
      },
    },
    {
      id: `${verb}.keeps.metadata`,
      title: `a ${verb} keeps the metadata and nothing of that of the file it replaces`,
      why: "The directive of S3 is COPY or REPLACE, and adapters send the wrong one; copies by parts lose metadata altogether.",
      tier: "smoke",
      behaviours: [119],
      guarantees: [`${verb}.whole`],
      kills: ["M58"],
      needs: annotated,
      async run(t) {
        await put(t, "/w/from", "annotated", { metadata: { colour: "green", one: "1" } });
        await put(t, "/w/to", "other", { metadata: { colour: "red", two: "2" } });
        await t.store[verb]("/w/from", "/w/to");
        await t.settled("read", async () =>
          equal(
            (await properties(t, "/w/to")).metadata,
            [
              ["colour", "green"],
              ["one", "1"],
            ],
            "the metadata of the source alone",
          ),
        );
        await put(t, "/w/plain", "plain");
        await t.store[verb]("/w/plain", "/w/to");
        await t.settled("read", async () => equal((await properties(t, "/w/to")).metadata, [], "a source without metadata leaves none at the target"));
      },
    },
    {
      id: `${verb}.keeps.tree`,
      title: `a ${verb} of a tree keeps the properties of each file in it`,
      why: "Trees are walked with listings, and listings do not tell content type and metadata.",
      tier: "full",
      behaviours: [119, 123],
      guarantees: [`${verb}.whole`],
      kills: ["M58"],
      needs: [...annotated, "writeContentType", "mkdir", `${verb}Tree`],
      async run(t) {
        await put(t, "/w/from/a", "1", { contentType: "text/x-a", metadata: { name: "a" } });
        await put(t, "/w/from/sub/b", "2", { contentType: "text/x-b", metadata: { name: "b" } });
        await t.store[verb]("/w/from", "/w/to");
        await t.settled("read", async () => {
          equal(await properties(t, "/w/to/a"), { contentType: "text/x-a", metadata: [["name", "a"]] }, "the first file");
          equal(await properties(t, "/w/to/sub/b"), { contentType: "text/x-b", metadata: [["name", "b"]] }, "the second file");
        });
      },
    },
    {
      id: `${verb}.after-overwrite`,
      title: `a ${verb} takes the bytes that were written last`,
      why: "A copy from a cache or a replica takes the version before.",
      tier: "smoke",
      behaviours: [116, 137],
      guarantees: [`${verb}.whole`],
      kills: ["N139"],
      needs: [...rwl, verb],
      async run(t) {
        for (const version of ["first", "second one", "3"]) {
          await put(t, "/w/from", version);
          await t.store[verb]("/w/from", "/w/to");
          await holds(t, "/w/to", version, `the target has "${version}"`);
        }
      },
    },
    {
      id: `${verb}.parallel`,
      title: `twenty calls of ${verb} at once each arrive whole under their own name`,
      why: "Identifiers of a running server-side copy are kept in the client, once.",
      tier: "full",
      behaviours: [134, 116],
      guarantees: [`${verb}.whole`],
      kills: ["N140"],
      needs: [...rwl, verb],
      async run(t) {
        const all = Array.from({ length: 20 }, (_, index) => String(index).padStart(2, "0"));
        for (const name of all) await put(t, `/w/from/${name}`, pattern(2000 + Number(name), `par ${name}`));
        await Promise.all(all.map((name) => t.store[verb](`/w/from/${name}`, `/w/to/${name}`)));
        for (const name of all) await holds(t, `/w/to/${name}`, pattern(2000 + Number(name), `par ${name}`), `file ${name}`);
        await lists(t, "/w/to", all, "all of them");
        if (verb === "copy") await lists(t, "/w/from", all, "all sources are there");
        else for (const name of all) await gone(t, `/w/from/${name}`, "no source is left");
      },
    },
    {
      id: `${verb}.case-only`,
      title: `a ${verb} to a name that differs by case alone never loses the file`,
      why: "On a service that folds case the target is the source: copy, then delete the source, deletes the only one there is.",
      tier: "smoke",
      behaviours: [24, 121],
      guarantees: [`${verb}.whole`, "path.distinct"],
      rows: ["CF12"],
      kills: ["M41"],
      needs: [...rwl, verb],
      async run(t) {
        const content = pattern(600, "case");
        await put(t, "/w/name", content);
        const { error } = await outcome(t.store[verb]("/w/name", "/w/NAME"));
        if (t.capabilities.caseSensitive) {
          equal(error, undefined, "two names are two files");
          await holds(t, "/w/NAME", content, "the target is there");
          await lists(t, "/w", verb === "copy" ? ["NAME", "name"] : ["NAME"], "under its own name");
          return;
        }
        if (error !== undefined) await rejects("unsupported", Promise.reject(error), "a store that folds case changes the spelling, or refuses");
        await holds(t, "/w/name", content, "the file is still there, under the one spelling");
        await holds(t, "/w/NAME", content, "and under the other");
        await t.settled("list", async () => equal((await t.store.list("/w").toArray()).length, 1, "and there is one"));
      },
    },
  ];
}

const copies: readonly Check[] = [
  {
    id: "copy.independent.source",
    title: "overwriting or deleting the source of a copy does not change the copy",
    why: "A copy that shares storage with its source is a link: the backup changes with the original.",
    tier: "smoke",
    behaviours: [118],
    guarantees: ["copy.whole"],
    kills: ["M55"],
    needs: [...rwld, "copy"],
    async run(t) {
      await put(t, "/w/from", pattern(900, "original"));
      await t.store.copy("/w/from", "/w/copy");
      await put(t, "/w/from", pattern(900, "changed"));
      await holds(t, "/w/copy", pattern(900, "original"), "after the source was overwritten");
      await t.store.delete("/w/from");
      await gone(t, "/w/from", "the source is gone");
      await holds(t, "/w/copy", pattern(900, "original"), "after the source was deleted");
    },
  },
  {
    id: "copy.independent.target",
    title: "overwriting or deleting a copy does not change its source",
    why: "The same link, seen from the other end.",
    tier: "smoke",
    behaviours: [118],
    guarantees: ["copy.whole"],
    kills: ["M55"],
    needs: [...rwld, "copy"],
    async run(t) {
      await put(t, "/w/from", pattern(900, "original"));
      await t.store.copy("/w/from", "/w/copy");
      await put(t, "/w/copy", pattern(900, "changed"));
      await holds(t, "/w/from", pattern(900, "original"), "after the copy was overwritten");
      await t.store.delete("/w/copy");
      await gone(t, "/w/copy", "the copy is gone");
      await holds(t, "/w/from", pattern(900, "original"), "after the copy was deleted");
    },
  },
  {
    id: "copy.independent.tree",
    title: "changing one tree does not change the copy of it",
    why: "A directory that is copied by reference shows the files that are added to the original later.",
    tier: "full",
    behaviours: [118, 123],
    guarantees: ["copy.whole"],
    rows: ["CF13"],
    kills: ["N141"],
    needs: [...rwld, "copy", "copyTree", "mkdir", "deleteRecursive"],
    async run(t) {
      await tree(t, "/w/from", { a: "1", "sub/b": "2" });
      await t.store.copy("/w/from", "/w/copy");
      await put(t, "/w/from/added", "later");
      await put(t, "/w/from/a", "changed");
      await t.store.delete("/w/from/sub", { recursive: true });
      await lists(t, "/w/copy", ["a", "sub"], "the copy has what it was made of");
      await holds(t, "/w/copy/a", "1", "with the bytes of then");
      await holds(t, "/w/copy/sub/b", "2", "also below");
      await put(t, "/w/copy/only-here", "x");
      await lists(t, "/w/from", ["a", "added"], "and the source does not see what is added to the copy");
    },
  },
  {
    id: "copy.chain",
    title: "a copy of a copy has the bytes, whatever became of those before it",
    why: "Copies by reference refer to references, and the first delete breaks the chain.",
    tier: "full",
    behaviours: [118],
    guarantees: ["copy.whole"],
    kills: ["N236"],
    needs: [...rwld, "copy"],
    async run(t) {
      const content = pattern(1500, "chain");
      await put(t, "/w/c0", content);
      for (let index = 0; index < 5; index += 1) {
        await t.store.copy(`/w/c${index}`, `/w/c${index + 1}`);
        await holds(t, `/w/c${index + 1}`, content, `copy ${index + 1}`);
        await t.store.delete(`/w/c${index}`);
        await gone(t, `/w/c${index}`, `copy ${index} was deleted`);
      }
      await holds(t, "/w/c5", content, "the last copy");
    },
  },
];

const moves: readonly Check[] = [
  {
    id: "move.parent",
    title: "the directory that a move leaves empty stays where directories are real, and goes where they are implied",
    why: "A folder that vanishes with its last file is where somebody else was about to write; one that stays on a flat store is a marker nobody asked for.",
    tier: "full",
    behaviours: [123, 131],
    guarantees: ["move.whole", "mkdir.stays"],
    kills: ["N142"],
    needs: [...rwl, "move"],
    async run(t) {
      await put(t, "/w/old/parent/f", "file");
      await t.store.move("/w/old/parent/f", "/w/new/parent/f");
      await holds(t, "/w/new/parent/f", "file", "the file is at its new place");
      await gone(t, "/w/old/parent/f", "and not at the old one");
      if (t.capabilities.directories === "real") {
        await lists(t, "/w/old/parent", [], "directories are real: the old parent is there, empty");
      } else {
        await gone(t, "/w/old/parent", "directories are implied: with nothing below it the old parent is gone");
        await lists(t, "/w", ["new"], "and so is that above it");
      }
    },
  },
  {
    id: "move.made-parent",
    title: "a directory that was made by mkdir stays when its last file is moved away",
    why: "Flat stores delete the marker with the last key, and the folder that somebody made is gone.",
    tier: "full",
    behaviours: [123, 131],
    guarantees: ["mkdir.stays"],
    kills: ["N142"],
    needs: [...rwl, "move", "mkdir"],
    async run(t) {
      await directory(t, "/w/made");
      await put(t, "/w/made/f", "file");
      await t.store.move("/w/made/f", "/w/elsewhere/f");
      await holds(t, "/w/elsewhere/f", "file", "the file is at its new place");
      await isDirectoryAt(t, "/w/made", "the directory that was made is still there");
      await lists(t, "/w/made", [], "and is empty");
    },
  },
  {
    id: "move.back",
    title: "a file that is moved away and back, and two files that change places, end as they should",
    why: "Indexes from paths to ids keep the old pair: after a swap each name gives the other's bytes.",
    tier: "full",
    behaviours: [121],
    guarantees: ["move.whole"],
    kills: ["N143"],
    needs: [...rwl, "move"],
    async run(t) {
      await put(t, "/w/a", "content a");
      await put(t, "/w/b", "content of b");
      await t.store.move("/w/a", "/w/elsewhere");
      await t.store.move("/w/elsewhere", "/w/a");
      await holds(t, "/w/a", "content a", "there and back");
      await t.store.move("/w/a", "/w/t");
      await t.store.move("/w/b", "/w/a");
      await t.store.move("/w/t", "/w/b");
      await holds(t, "/w/a", "content of b", "the first name has the second file");
      await holds(t, "/w/b", "content a", "the second name has the first file");
      await lists(t, "/w", ["a", "b"], "and there is nothing else");
    },
  },
  {
    id: "move.replaced-place",
    title: "a new file at the old place of a moved one is a file of its own",
    why: "Providers that address by id write through the old path into the moved file.",
    tier: "smoke",
    behaviours: [121, 118],
    guarantees: ["move.whole"],
    kills: ["N144"],
    needs: [...rwl, "move"],
    async run(t) {
      await put(t, "/w/from", "moved");
      await t.store.move("/w/from", "/w/to");
      await put(t, "/w/from", "new at the old place");
      await holds(t, "/w/to", "moved", "the moved file is as it was");
      await holds(t, "/w/from", "new at the old place", "the new file has its own bytes");
    },
  },
  {
    id: "move.replaced-directory",
    title: "what is written to the old paths of a moved directory makes a new directory there",
    why: "Indexes that keep the children of a moved directory answer for files which are elsewhere.",
    tier: "full",
    behaviours: [123],
    guarantees: ["move.whole"],
    kills: ["N144"],
    needs: [...rwl, "move", "moveTree", "mkdir"],
    async run(t) {
      await tree(t, "/w/from", { a: "1", "sub/b": "2" });
      await t.store.move("/w/from", "/w/to");
      await put(t, "/w/from/sub/new", "3");
      await lists(t, "/w/from", ["sub"], "the new directory has what was written");
      await lists(t, "/w/from/sub", ["new"], "and nothing of the old");
      await lists(t, "/w/to/sub", ["b"], "the moved one has what it had");
      await rejects("not-found", () => t.store.read("/w/from/a"), "a file that moved away is not at its old path");
    },
  },
  {
    id: "move.race.one-source",
    title: "of two moves of one file at once, the bytes end where a move says they are, and nowhere twice by mistake",
    why: "Emulated moves copy and then delete: the slower one copies half, or deletes what the faster one made.",
    tier: "full",
    behaviours: [121, 140],
    guarantees: ["move.whole", "move.failed"],
    kills: ["N145"],
    needs: [...rwl, "move"],
    async run(t) {
      for (let round = 0; round < 6; round += 1) {
        const content = pattern(3000, `round ${round}`);
        const dir = `/w/${round}`;
        await put(t, `${dir}/from`, content);
        const results = await Promise.all(["one", "two"].map((name) => outcome(t.store.move(`${dir}/from`, `${dir}/${name}`))));
        const winners = ["one", "two"].filter((_, index) => results[index]!.error === undefined);
        ok(
          winners.length >= 1,
          "at least one of the two moves succeeds",
          results.map((each) => String(each.error)),
        );
        for (const [index, result] of results.entries()) {
          if (result.error !== undefined)
            ok(
              hasCode(result.error, "not-found", "conflict", "precondition-failed"),
              `move ${index} fails because the other one was there first`,
              result.error,
            );
        }
        for (const name of winners) await holds(t, `${dir}/${name}`, content, `a move that succeeded has the bytes at its target (${name})`);
        await gone(t, `${dir}/from`, "nothing is at the source");
      }
    },
  },
];

export const kept: readonly Check[] = [...bothVerbs("copy"), ...bothVerbs("move"), ...copies, ...moves];
