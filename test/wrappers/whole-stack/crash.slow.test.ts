/** The whole stack is killed, at the steps of each layer and at random moments (CF40). A sample here, all of it with STRATUS_TIER=torture. */
import { expect, test } from "vitest";
import { crashRuns } from "../../../src/conformance/crash/index.ts";
import { freshSeed } from "../../../src/conformance/random.ts";
import subject from "./over-local.ts";
import { memoryBase } from "../../scratch.ts";

const torture = process.env["STRATUS_TIER"] === "torture";
const seed = torture ? freshSeed() : 1;
const module = new URL("over-local.ts", import.meta.url).pathname;
/** Steps that only a full disk, a conflict or an old directory comes to: their own tests have them. */
const elsewhere: ReadonlySet<string> = new Set(["conflict.copied", "conflict.based", "reserve.given", "vacuum.step", "checkpoint"]);
const steps = subject.steps.filter((step) => !elsewhere.has(step));

test(`killed at instrumented steps it loses nothing and brings nothing back (seed ${seed})`, { timeout: 3_600_000 }, async () => {
  const wanted = torture ? steps : steps.filter((_, index) => index % 14 === 0);
  const figures = await crashRuns({ module, base: memoryBase, kills: 0, steps: wanted, seed });
  console.log(JSON.stringify(figures));
  expect(figures.faults).toEqual([]);
  expect(figures.acknowledged).toBeGreaterThan(0);
  // Which archive steps a run comes to depends on what the cache sends: each has its own run in the archive's test.
  expect(Object.keys(figures.at).length).toBeGreaterThanOrEqual(Math.floor(wanted.length * 0.7));
});

test(`killed at random moments it loses nothing and brings nothing back (seed ${seed})`, { timeout: 14_400_000 }, async () => {
  const kills = torture ? 1000 : 4;
  const figures = await crashRuns({ module, base: memoryBase, kills, seed });
  console.log(JSON.stringify(figures));
  expect(figures.faults).toEqual([]);
  expect(figures.kills).toBe(kills);
});
