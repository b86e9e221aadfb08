/**
 * Random programs over the metadata cache. `npm test` runs fixed seeds; with STRATUS_TIER=torture a fresh one, printed, for as many programs as STRATUS_PROGRAMS says
 * (20,000). STRATUS_SEED repeats a run.
 */
import { describe, test } from "vitest";
import { run } from "./programs.ts";
import { hunt } from "./random-programs.ts";
import { regressions } from "./regressions.ts";
import { right } from "./world.ts";

describe("programs that once failed", () => {
  for (const [i, { setting, why, program }] of regressions.entries()) test(`${i + 1}: ${why}`, () => run(right, setting, program));
});

const torture = process.env["STRATUS_TIER"] === "torture";
const given = process.env["STRATUS_SEED"];
const seeds = given !== undefined ? [Number(given)] : torture ? [(Math.random() * 2 ** 31) | 0] : [1, 2];
const programs = Number(process.env["STRATUS_PROGRAMS"] ?? (torture ? 20_000 : 60));

describe("CF47 CF57–CF62 every answer is what the path was at some moment that the cache may tell, and at rest what is remembered is so", () => {
  for (const seed of seeds)
    test(`${programs} programs, seed ${seed}`, { timeout: torture ? 3_600_000 : 60_000 }, async () => {
      if (torture) console.log(`metadata cache: ${programs} programs with STRATUS_SEED=${seed}`);
      await hunt(right, { programs, seed });
    });
});
