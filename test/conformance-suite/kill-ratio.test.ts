/** The judge of the suite can be wrong in neither direction; every row of the list of one-bug stores is there. The gate itself is scripts/kill-ratio.ts. */
import { expect, test } from "vitest";
import { bugged } from "../../src/conformance/broken/broken.ts";
import { brokenStores } from "../../src/conformance/broken/index.ts";
import { claimsOf, judgeBroken, judgeLegal, unconfirmed } from "../../src/conformance/broken/judge.ts";
import { legalStores } from "../../src/conformance/broken/legal.ts";
import { fail, ok } from "../../src/conformance/assert.ts";
import type { Check } from "../../src/conformance/check.ts";

const check = (id: string, run: Check["run"], kills: readonly string[] = [], more: Partial<Check> = {}): Check => ({
  id,
  title: id,
  why: "",
  tier: "smoke",
  behaviours: [],
  guarantees: [],
  kills,
  run,
  ...more,
});
const deaf = bugged({ id: "X01", bug: "delete does nothing", killedBy: ["x.delete"], below: () => () => ({ delete: async () => {} }) });
const seesDelete = check(
  "x.delete",
  async ({ store }) => {
    await store.write("/d/a", "1");
    await store.delete("/d/a");
    ok((await store.list("/d").toArray()).length === 0, "it is gone");
  },
  ["X01"],
);

test("a kill is a check that fails by what it asserts; passing, crashing and never ending are none", async () => {
  const asserts = await judgeBroken(deaf, ["x.delete"], [seesDelete]);
  expect([asserts.killed, asserts.missed]).toEqual([["x.delete"], []]);
  const passes = await judgeBroken(deaf, ["x.pass"], [check("x.pass", async () => {})]);
  expect([passes.killed, passes.missed]).toEqual([[], [{ check: "x.pass", instead: "pass" }]]);
  const crashes = await judgeBroken(deaf, ["x.crash"], [check("x.crash", async () => Promise.reject(new RangeError("a mistake in the check")))]);
  expect([crashes.killed, crashes.missed.length]).toEqual([[], 1]);
  const hangs = check("x.hang", () => new Promise(() => {}), [], { timeoutMs: 50 });
  expect((await judgeBroken(deaf, ["x.hang"], [hangs])).killed).toEqual([]);
  expect((await judgeBroken({ ...deaf, hangs: true }, ["x.hang"], [hangs])).killed).toEqual(["x.hang"]);
  // A call that the store refuses where it must succeed is seen as well.
  const refused = bugged({ id: "X02", bug: "list fails", killedBy: [], below: () => () => ({ list: async () => fail("never") }) });
  expect((await judgeBroken(refused, [], [seesDelete])).killed).toEqual(["x.delete"]);
  const missing = await judgeBroken(deaf, ["x.none"], []);
  expect(missing.missed).toEqual([{ check: "x.none", instead: "there is no such check" }]);
  const offered = await judgeBroken(deaf, ["x.wire"], [check("x.wire", async () => fail("runs"), [], { offers: ["wire"] })]);
  expect([offered.killed, offered.missed.length]).toEqual([[], 1]);
});

test("claims: of stores that do not exist, of kills that nobody makes, and laws", async () => {
  const boastful = check("x.boast", async () => {}, ["X01", "X99"]);
  const marked = { "x.law": "so it is", "x.delete": "it was one", "x.gone": "it was here" };
  expect(claimsOf([deaf], [seesDelete, boastful, check("x.law", async () => {}), check("x.idle", async () => {})], marked)).toMatchObject({
    unknown: ["x.boast claims to kill X99, and there is no such store"],
    laws: ["x.law"],
    unmarked: [
      "x.idle kills nothing, and is not marked as a law",
      "x.delete is marked as a law, and claims kills",
      "x.gone is marked as a law, and does not exist",
    ],
  });
  const verdict = await judgeBroken(deaf, ["x.delete"], [seesDelete, boastful]);
  expect(unconfirmed([verdict], [seesDelete, boastful])).toEqual(["x.boast claims to kill X01, and does not", "x.boast claims to kill X99, and does not"]);
  // A variant confirms the claim on its row.
  expect(unconfirmed([{ ...verdict, id: "X01b" }], [seesDelete])).toEqual([]);
});

test("a legal store that fails a check is named with it", async () => {
  const [first] = legalStores;
  if (first === undefined) return expect.unreachable();
  const { passed, failed } = await judgeLegal(first, [seesDelete, check("x.fail", async () => fail("this does not hold"))]);
  expect([passed, failed.map(({ check: id }) => id)]).toEqual([1, ["x.fail"]]);
});

test("every row M01 to M68 of the list of one-bug stores is there", () => {
  const rows = new Set(brokenStores.map(({ id }) => id.replace(/(?<=\d)[a-z]$/, "")));
  const missing = Array.from({ length: 68 }, (_, i) => `M${String(i + 1).padStart(2, "0")}`).filter((id) => !rows.has(id));
  expect(missing).toEqual([]);
  expect(new Set(brokenStores.map(({ id }) => id)).size).toBe(brokenStores.length);
  for (const { id, killedBy } of brokenStores) expect(killedBy.length, id).toBeGreaterThan(0);
});
