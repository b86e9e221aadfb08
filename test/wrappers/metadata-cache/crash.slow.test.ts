/** The persistent metadata cache is killed at random moments: no answer of its file outlives a change. 6 kills here, 1,000 with STRATUS_TIER=torture. */
import { expect, test } from "vitest";
import { crashRuns } from "../../../src/conformance/crash/index.ts";
import { freshSeed } from "../../../src/conformance/random.ts";
import { memoryBase } from "../../scratch.ts";

const module = new URL("crash/over-local.ts", import.meta.url).pathname;
const torture = process.env["STRATUS_TIER"] === "torture";
const seed = torture ? freshSeed() : 1;

test(`killed at random moments it remembers nothing that is not so any more (seed ${seed})`, { timeout: 7_200_000 }, async () => {
  const kills = torture ? 1000 : 6;
  const figures = await crashRuns({ module, base: memoryBase, kills, seed });
  console.log(JSON.stringify(figures));
  expect(figures.faults).toEqual([]);
  expect(figures.kills).toBe(kills);
});
