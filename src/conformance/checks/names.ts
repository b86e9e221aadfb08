/**
 * Names: each family of names that somebody got wrong travels through every verb (behaviours 1 to 30). The rules that refuse paths are in paths.ts.
 */
import { equal, listAll, ok, pattern } from "../assert.ts";
import { base, below, stats } from "./base.ts";
import { holds, lists, put, rwld } from "./look.ts";
import type { Check } from "../check.ts";
import { allNames, families } from "./torture-names.ts";
import { travels } from "./travels.ts";

const guarantees = ["path.kept", "path.refused", "path.distinct", "read.whole"];

const nested: Check = {
  id: "names.nested",
  title: "a file some directories down is found at its path, and each directory on the way lists the next",
  why: "The first thing everybody does; adapters that build keys by joining strings get the first or the last slash wrong.",
  tier: "smoke",
  behaviours: [1],
  guarantees: ["path.kept", "read.whole", "write.parents", "stat.file"],
  rows: ["CF4"],
  kills: ["A47"],
  needs: rwld,
  async run(t) {
    const d = await base(t);
    const bytes = pattern(1234, "nested");
    await put(t, `${d}/one/two/three/file.txt`, bytes);
    await holds(t, `${d}/one/two/three/file.txt`, bytes, "the file holds what was written");
    await stats(t, `${d}/one/two/three/file.txt`, (entry) => {
      equal(entry.kind, "file", "it is a file");
      equal(entry.size, 1234, "its size is that of its bytes");
      equal(entry.path as string, `${d}/one/two/three/file.txt`, "its path is the one that was asked for");
    });
    await lists(t, `${d}/one`, ["two"], "the first directory lists the second");
    await lists(t, `${d}/one/two`, ["three"], "the second directory lists the third");
    await lists(t, `${d}/one/two/three`, ["file.txt"], "the third directory lists the file");
    const [only] = await listAll(t.store, `${d}/one/two/three`);
    equal(only?.path as string, `${d}/one/two/three/file.txt`, "an entry of a listing has its whole path");
    await t.store.delete(`${d}/one/two/three/file.txt`);
    if (t.capabilities.directories === "real") await lists(t, `${d}/one/two/three`, [], "a deleted file is not listed any more");
    else
      await t.settled("list", async () =>
        ok(
          (await t.store.list(d === "" ? "/" : d).toArray()).every((entry) => entry.kind === "directory"),
          "a deleted file is not listed any more",
        ),
      );
  },
};

const each: readonly Check[] = families.map((family) => ({
  id: `names.${family.id}`,
  title: family.title,
  why: family.why,
  tier: family.tier,
  behaviours: family.behaviours,
  guarantees,
  ...(family.rows === undefined ? {} : { rows: family.rows }),
  kills: family.kills,
  needs: rwld,
  timeoutMs: 60_000,
  run: async (t) => travels(t, family.names),
}));

const together: Check = {
  id: "names.together",
  title: "all awkward names stand side by side in one directory, and each is its own file",
  why: "A name that survives alone may still be another's twin: an escape of one that is the plain form of the other, a fold that nobody declared. Set equality of a full directory is what shows it.",
  tier: "torture",
  behaviours: [30, 18],
  guarantees,
  rows: ["CF95"],
  kills: ["M49"],
  needs: rwld,
  timeoutMs: 300_000,
  run: async (t) => travels(t, allNames),
};

const ascii: Check = {
  id: "names.ascii.every",
  title: "every ASCII character may stand at the left, in the middle, at the right and alone in a name",
  why: "Rules differ by position: leading dots, trailing spaces, a colon in the second place. Nothing short of all of them finds the one a service minds.",
  tier: "torture",
  behaviours: [5],
  guarantees,
  kills: ["M47"],
  needs: rwld,
  timeoutMs: 300_000,
  async run(t) {
    const list: string[] = [];
    for (let code = 1; code < 128; code++) {
      const character = String.fromCharCode(code);
      if (character === "/") continue;
      if (character !== ".") list.push(character);
      list.push(`${character}x`, `x${character}y`, `x${character}`);
    }
    await travels(t, [...new Set(list)]);
  },
};

/** Few characters, so that random names meet each other's escapes, halves and prefixes. */
const alphabets = ["%{}25AaF", "._~ -", "aA\u00e9e\u0301\uff41", "\\%/2Ff:".replace("/", ""), "a\u200b\u{1f600}\ufe0f", "+ %20&?#"];

const random: Check = {
  id: "names.random",
  title: "random names from small alphabets are each their own file",
  why: "An encoder whose escapes can be written by a user is only found by names that look like escapes of escapes; nobody thinks of all of them.",
  tier: "torture",
  behaviours: [29],
  guarantees,
  kills: ["M44"],
  needs: rwld,
  timeoutMs: 300_000,
  async run(t) {
    const list = new Set<string>();
    while (list.size < 240) {
      const alphabet = Array.from(alphabets[below(t, alphabets.length)]!);
      const name = Array.from({ length: 1 + below(t, 8) }, () => alphabet[below(t, alphabet.length)]!).join("");
      if (name !== "." && name !== "..") list.add(name);
    }
    await travels(t, [...list]);
  },
};

export const checks: readonly Check[] = [nested, ...each, together, ascii, random];
