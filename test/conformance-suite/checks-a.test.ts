/** The checks of names, sizes, bodies, reads, writes and conditions as data, and their helpers: what they decide by capabilities, what they report. */
import { describe, expect, test } from "vitest";
import { CheckFailure } from "../../src/conformance/assert.ts";
import { bent } from "../../src/conformance/broken/broken.ts";
import { diskProvider } from "../../src/conformance/broken/disk.ts";
import { brokenStores } from "../../src/conformance/broken/index.ts";
import { checks } from "../../src/conformance/checks/index.ts";
import { each } from "../../src/conformance/checks/each.ts";
import { heldBytes } from "../../src/conformance/checks/memory.ts";
import { accepted, folded, spell } from "../../src/conformance/checks/spelling.ts";
import { allNames, families } from "../../src/conformance/checks/torture-names.ts";
import type { CheckContext } from "../../src/conformance/check.ts";
import { everything } from "../../src/conformance/model/reference.ts";
import { notApplicable } from "../../src/conformance/not-applicable.ts";
import { runCheck } from "../../src/conformance/run.ts";
import { parsePath } from "../../src/store/index.ts";

const groups = ["names", "paths", "lengths", "sizes", "bodies", "sources", "reads", "ranges", "writes", "aborts", "conditions"];
const mine = checks.filter(({ id }) => groups.includes(id.split(".")[0]!));

describe("the checks as data", () => {
  test("each row of the first half of the table is proved, or named with the reason why not, never both", () => {
    const proved = new Set(checks.flatMap(({ behaviours }) => behaviours));
    const excused = new Set(notApplicable.map(({ behaviour }) => behaviour));
    const rows = Array.from({ length: 84 }, (_, index) => index + 1);
    expect(rows.filter((row) => !proved.has(row) && !excused.has(row))).toEqual([]);
    expect([...excused].filter((row) => proved.has(row))).toEqual([]);
  });

  test("each names what it proves and a one-bug store that it kills, and that store names it", () => {
    expect(mine.length).toBeGreaterThan(100);
    const byId = new Map(brokenStores.map((store) => [store.id, store]));
    for (const check of mine) {
      expect(check.behaviours.length, check.id).toBeGreaterThan(0);
      expect(check.guarantees.length, check.id).toBeGreaterThan(0);
      expect(check.kills.length, check.id).toBeGreaterThan(0);
      for (const id of check.kills) expect(byId.get(id)?.killedBy, `${check.id} kills ${id}`).toContain(check.id);
    }
    for (const store of brokenStores) {
      for (const id of store.killedBy.filter((one) => groups.includes(one.split(".")[0]!))) {
        expect(mine.find((check) => check.id === id)?.kills, `${store.id} is killed by ${id}`).toContain(store.id);
      }
    }
  });

  test("no two one-bug stores have one id", () => {
    const ids = brokenStores.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });
});

describe("torture names", () => {
  test("all of them are legal segments, and each family has no name twice", () => {
    for (const name of allNames) expect(() => parsePath(`/${name}`), spell(name)).not.toThrow();
    for (const { id, names } of families) expect(new Set(names).size, id).toBe(names.length);
    expect(allNames.length).toBeGreaterThan(250);
  });

  test("a name is accepted unless its characters or lengths are declared away", () => {
    const capabilities = { ...everything, forbidden: ":?", maxNameBytes: 6, maxPathBytes: 20 };
    expect(accepted(capabilities, "/a/b")).toBe(true);
    expect(accepted(capabilities, "/a:b")).toBe(false);
    expect(accepted(capabilities, "/a?/b")).toBe(false);
    expect(accepted(capabilities, "/éèê")).toBe(true);
    expect(accepted(capabilities, "/éèêx")).toBe(false);
    expect(accepted(capabilities, "/aaaaa/bbbbb/ccccc/d")).toBe(true);
    expect(accepted(capabilities, "/aaaaa/bbbbb/ccccc/dd")).toBe(false);
  });

  test("names are one file exactly where the service folds them", () => {
    expect(folded(everything, "É")).toBe("É");
    expect(folded({ ...everything, caseSensitive: false }, "É")).toBe("é");
    expect(folded({ ...everything, normalisation: "nfc" }, "e\u0301")).toBe("\u00e9");
    expect(folded({ ...everything, normalisation: "nfkc" }, "\uff21")).toBe("A");
    expect(folded({ ...everything, normalisation: "nfc", caseSensitive: false }, "E\u0301")).toBe("\u00e9");
  });

  test("what cannot be seen is spelled out", () => {
    expect(spell("a\u200b b")).toBe('"a\\u{200b}\\u{20}b"');
  });
});

describe("each", () => {
  const context = { capabilities: everything, signal: new AbortController().signal } as CheckContext;

  test("runs all items and names every one that failed", async () => {
    const seen: number[] = [];
    const run = each(
      context,
      [1, 2, 3, 4],
      (item) => `item ${item}`,
      async (item) => {
        seen.push(item);
        if (item % 2 === 0) throw new CheckFailure(`wrong ${item}`);
      },
    );
    await expect(run).rejects.toThrow(/holds for 2 of 4; not for:\n {2}item 2: wrong 2\n {2}item 4: wrong 4/);
    expect(seen.toSorted((left, right) => left - right)).toEqual([1, 2, 3, 4]);
  });

  test("ends when the time of the check is over", async () => {
    const signal = AbortSignal.abort(new Error("over"));
    await expect(each({ ...context, signal }, [1], String, async () => {})).rejects.toThrow("over");
  });
});

test("held bytes are seen, and seen to go", () => {
  const before = heldBytes();
  let held: Uint8Array | undefined = new Uint8Array(50_000_000).fill(1);
  expect(heldBytes() - before).toBeGreaterThan(45_000_000);
  expect(held.length).toBe(50_000_000);
  held = undefined;
  expect(heldBytes() - before).toBeLessThan(5_000_000);
});

describe("what the bugs stand on is correct", () => {
  /** One check of each kind; the whole suite over these is part of the kill ratio's control group. */
  const some = [
    "names.spaces",
    "writes.overwrite",
    "ranges.suffix",
    "ranges.past-end",
    "sources.fails",
    "conditions.create",
    "conditions.counter",
    "reads.foreign",
    "sizes.zero",
    "aborts.midway",
  ];
  const plain = bent({ id: "none", bug: "none", killedBy: [], raw: true });
  const disk = bent({
    id: "none",
    bug: "none",
    killedBy: [],
    subject: { reopens: true },
    provider: (place, _state, options) => diskProvider(place.directory, options),
  });

  for (const id of some) {
    test(`${id} over the reference`, async () => {
      expect(
        (
          await runCheck(
            checks.find((check) => check.id === id)!,
            plain,
          )
        ).failures,
      ).toEqual([]);
    });
  }
  for (const id of [...some.filter((one) => one !== "reads.foreign"), "reads.memory", "bodies.memory", "reads.early-close"]) {
    test(`${id} over bytes on disk`, { timeout: 60_000 }, async () => {
      expect(
        (
          await runCheck(
            checks.find((check) => check.id === id)!,
            disk,
          )
        ).failures,
      ).toEqual([]);
    });
  }
});
