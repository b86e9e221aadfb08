/** How long names and paths may be (behaviour 25). */
import { equal, listAll, names, ok, pattern, readAll, rejects, sameBytes } from "../assert.ts";
import type { Check, CheckContext } from "../check.ts";
import { base } from "./base.ts";
import { each } from "./each.ts";
import { holds, lists, rwld } from "./look.ts";
import { accepted, bytesOf, spell } from "./spelling.ts";
import { refused } from "./travels.ts";

/** Names longer than this are not tried where no limit is declared. */
const longestTried = 4_000;

/** One character of each UTF-8 width that no service has a rule for. */
const widths = ["a", "\u00e9", "\u6f22", "\u{1f600}"] as const;

/** Exactly `bytes` long in UTF-8, ending in `end` (ASCII), filled with `character` and, where that does not fit, with "a" in front. */
function nameOf(bytes: number, character: string, end: string): string {
  const room = bytes - end.length;
  const count = Math.floor(room / bytesOf(character));
  return "a".repeat(room - count * bytesOf(character)) + character.repeat(count) + end;
}

/** Two names of this length that differ in their last character only are two files. */
async function pair(t: CheckContext, dir: string, length: number, character: string): Promise<void> {
  const twins = ["1", "2"].map((end) => nameOf(length, character, end));
  for (const [index, name] of twins.entries()) await t.store.write(`${dir}/${name}`, pattern(20 + index, `${index}`));
  for (const [index, name] of twins.entries()) {
    await t.settled("read", async () =>
      sameBytes(await readAll(t.store, `${dir}/${name}`), pattern(20 + index, `${index}`), `each of two names of ${length} bytes has its own bytes`),
    );
  }
  await t.settled("list", async () => {
    const found = names(await listAll(t.store, dir));
    for (const name of twins) ok(found.includes(name), `a name of ${length} bytes is listed whole`, found.map(spell));
  });
  for (const name of twins) await t.store.delete(`${dir}/${name}`);
}

/** The longest name that fits both limits in `dir`. */
function longest(t: CheckContext, dir: string): number {
  return Math.min(t.capabilities.maxNameBytes, t.capabilities.maxPathBytes - bytesOf(dir) - 1);
}

export const checks: readonly Check[] = [
  {
    id: "lengths.name.distinct",
    title: "long names that differ only at their end are different files, in every width of UTF-8",
    why: "A name cut at 255 bytes, or at 255 UTF-16 units, or in the middle of a character, is another name: the second file replaces the first.",
    tier: "full",
    behaviours: [25],
    guarantees: ["path.kept", "path.distinct"],
    kills: ["M48"],
    needs: rwld,
    timeoutMs: 60_000,
    async run(t) {
      const d = `${await base(t)}/x`;
      const limit = Math.min(longest(t, d), longestTried);
      const lengths = [100, 127, 128, 200, 255, 256, 257, 1000, 1024, limit - 1, limit].filter((length) => length <= limit && length > 8);
      t.note(`names of up to ${limit} bytes tried, declared ${t.capabilities.maxNameBytes}`);
      const tries = widths.flatMap((character) => [...new Set(lengths)].map((length) => ({ character, length })));
      await each(
        t,
        tries,
        ({ character, length }) => `${length} bytes of ${spell(character)}`,
        async ({ character, length }) => pair(t, d, length, character),
      );
    },
  },
  {
    id: "lengths.name.over",
    title: "a name one byte over the declared length is refused by a clear error and stores nothing",
    why: "SabreDAV answers 201 to a name of 256 bytes and stores nothing; others cut it. The error must come before the bytes go.",
    tier: "full",
    behaviours: [25],
    guarantees: ["path.refused"],
    kills: ["M48c"],
    needs: rwld,
    async run(t) {
      const d = `${await base(t)}/x`;
      await t.store.write(`${d}/short`, pattern(5, "short"));
      const limit = t.capabilities.maxNameBytes;
      if (limit > 65_000) {
        // No limit declared: then the longest path that the contract has must do.
        const name = "a".repeat(Math.min(longestTried, longest(t, d)));
        await t.store.write(`${d}/${name}`, pattern(6, "long"));
        await holds(t, `${d}/${name}`, pattern(6, "long"), "a long name where no limit is declared");
        await lists(t, d, ["short", name], "both are listed");
        return;
      }
      const over = widths.map((character) => nameOf(limit + 1, character, "x"));
      await each(t, [...over, "a".repeat(limit * 2)], spell, async (name) => {
        ok(!accepted(t.capabilities, `${d}/${name}`), "the capabilities refuse this name");
        await refused(t, `${d}/${name}`);
      });
      await lists(t, d, ["short"], "nothing was stored under a name that was cut");
    },
  },
  {
    id: "lengths.path",
    title: "a path of exactly the declared length works, one more is refused",
    why: "The S3 limit is for the whole key, the prefix of the store included; an adapter that forgets its prefix fails in the middle of an upload.",
    tier: "full",
    behaviours: [25],
    guarantees: ["path.kept", "path.refused"],
    kills: ["M48b"],
    needs: rwld,
    timeoutMs: 60_000,
    async run(t) {
      const d = await base(t);
      const limit = Math.min(t.capabilities.maxPathBytes, longestTried);
      const segment = Math.min(t.capabilities.maxNameBytes, 200);
      let path = d;
      // At least two bytes are left for the last name.
      while (limit - bytesOf(path) > segment + 3) path += `/${"p".repeat(segment)}`;
      const last = limit - bytesOf(path) - 1;
      const twins = ["1", "2"].map((end) => (last > segment ? `${path}/p/${nameOf(last - 2, "a", end)}` : `${path}/${nameOf(last, "a", end)}`));
      for (const [index, twin] of twins.entries()) {
        equal(bytesOf(twin), limit, "the path has the length meant");
        await rejects("not-found", () => t.store.stat(twin), "nothing is there yet");
        await t.store.write(twin, pattern(30 + index, `${index}`));
      }
      for (const [index, twin] of twins.entries()) await holds(t, twin, pattern(30 + index, `${index}`), `a path of ${limit} bytes holds its own bytes`);
      if (t.capabilities.maxPathBytes === limit) {
        // One byte more, in a segment that is not too long itself.
        await refused(t, `${path}/q${twins[0]!.slice(path.length + 1)}`);
      } else {
        t.note(`paths of ${limit} bytes tried, declared ${t.capabilities.maxPathBytes}`);
        await rejects("invalid-path", () => t.store.stat(`/${"a/".repeat(33_000)}a`), "a path beyond 65,536 bytes, which no store takes");
      }
    },
  },
];
