/** The judge of one-bug layers can be wrong in neither direction, and every list of them is found. The gate itself is scripts/kill-ratio.ts. */
import assert from "node:assert/strict";
import { expect, test } from "vitest";
import { brokenLayers } from "../../scripts/kill-ratio/layers.ts";
import { brokenStores } from "../../src/conformance/broken/index.ts";
import { StoreError } from "../../src/store/index.ts";
import { brokenLayer } from "../broken-layers/registry.ts";
import type { BrokenLayerParts, Proof } from "../broken-layers/registry.ts";
import { mutant } from "../broken-layers/support/mutant.ts";

const isOne: () => Proof<number> = () => ({ name: "it is one", run: (value) => assert.equal(value, 1) });
const judged = (more: Partial<BrokenLayerParts<number>>): ReturnType<ReturnType<typeof brokenLayer>["kill"]> =>
  brokenLayer<number>({ id: "X01", bug: "two", proofs: [isOne()], right: () => 1, wrong: () => 2, ...more }).kill();

test("a kill is a proof that holds for the right layer and fails for the wrong one by what it asserts", async () => {
  expect((await judged({})).killed).toEqual(["it is one"]);
  expect(await judged({ wrong: () => 1 })).toMatchObject({ killed: [], missed: [{ check: "it is one", instead: "it holds" }] });
  await expect(judged({ right: () => 3 })).rejects.toThrow('"it is one" fails on the right layer');
});

test("a mistake in a proof is no kill; a refused call and an assertion that fast-check wrapped are", async () => {
  const throwing = (error: Error): Proof<number> => ({ name: "throws", run: (value) => (value === 1 ? undefined : Promise.reject(error)) });
  expect((await judged({ proofs: [throwing(new TypeError("a mistake"))] })).missed).toEqual([{ check: "throws", instead: "TypeError: a mistake" }]);
  expect((await judged({ proofs: [throwing(new StoreError("unavailable", "refused"))] })).killed).toEqual(["throws"]);
  const wrapped = new Error("property failed", { cause: new assert.AssertionError({ message: "inside" }) });
  expect((await judged({ proofs: [throwing(wrapped)] })).killed).toEqual(["throws"]);
});

test("one that never ends is a kill only where the bug is said to hang", async () => {
  const hangs: () => Proof<number> = () => ({ name: "ends", timeoutMs: 20, run: (value) => (value === 1 ? undefined : new Promise(() => {})) });
  expect((await judged({ proofs: [hangs()] })).killed).toEqual([]);
  expect((await judged({ proofs: [hangs()], hangs: true })).killed).toEqual(["ends"]);
});

test("a mutation whose place is not there, or there twice, is an error", async () => {
  await expect(mutant("src/wrappers/limit.ts", "no such text", "")()).rejects.toThrow("stands 0 times");
  await expect(mutant("src/wrappers/limit.ts", "const", "let")()).rejects.toThrow("out of date");
  await expect(mutant("src/store/layer.ts", "kindOf", "")()).rejects.toThrow("not in src/wrappers");
});

test("every list is found, and no id is there twice", async () => {
  const layers = await brokenLayers();
  expect(layers.length).toBeGreaterThan(0);
  const ids = [...layers, ...brokenStores].map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});
