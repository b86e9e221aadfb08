/**
 * The caching store is killed: at every instrumented step and at random moments (CF37: what was acknowledged survives). `npm test` runs a sample, with
 * STRATUS_TIER=torture all steps and 1,000 random kills run, on a fresh seed that is printed.
 */
import { expect, test } from "vitest";
import { crashRuns } from "../../../../src/conformance/crash/index.ts";
import { freshSeed } from "../../../../src/conformance/random.ts";
import { overLocal } from "./over-local.ts";
import { memoryBase } from "../../../scratch.ts";

const torture = process.env["STRATUS_TIER"] === "torture";
const module = new URL("over-local.ts", import.meta.url).pathname;
const seed = torture ? freshSeed() : 1;
/** Steps that only a full disk, a conflict or an old directory comes to: their own tests have them. */
const elsewhere: ReadonlySet<string> = new Set(["conflict.copied", "conflict.based", "reserve.given", "vacuum.step", "checkpoint"]);
/** Processes die there, but nothing can be pending: the journal is new, or everything has been flushed. */
const idle: ReadonlySet<string> = new Set(["open.journal", "close.flushed", "close.clean"]);

test(`killed at instrumented steps, nothing acknowledged is missing and nothing deleted returns (seed ${seed})`, { timeout: 1_800_000 }, async () => {
  const all = overLocal.steps.filter((step) => !elsewhere.has(step));
  const steps = torture ? all : all.filter((_, index) => index % 5 === 0);
  const figures = await crashRuns({ module, base: memoryBase, kills: 0, steps, seed });
  console.log(JSON.stringify(figures));
  expect(figures.faults).toEqual([]);
  expect(figures.notReached).toEqual([]);
  expect(figures.idle.filter((step) => !idle.has(step))).toEqual([]);
});

test(`killed at random moments (CF40, seed ${seed})`, { timeout: 7_200_000 }, async () => {
  const kills = torture ? 1000 : 6;
  const figures = await crashRuns({ module, base: memoryBase, kills, seed });
  console.log(JSON.stringify(figures));
  expect(figures.faults).toEqual([]);
  expect(figures.kills).toBe(kills);
});
