/**
 * The real layer under random programs (CF38, CF39, CF46; cache.md 1.1): fixed seeds here, a fresh one that is printed with STRATUS_TIER=torture, and
 * hundreds of thousands with `npm run programs -- caching 500000`.
 */
import { expect, test } from "vitest";
import { freshSeed } from "../../../../src/conformance/random.ts";
import { subject } from "./caching-subject.ts";
import { check, crashes, one, oneCrashes, power, shared } from "./family.ts";
import type { Checked } from "./family.ts";
import { frozen } from "./frozen.ts";
import { frozenShared } from "./frozen-shared.ts";
import { runProgram } from "./run.ts";
import { runShared } from "./two-clients.ts";

const torture = process.env["STRATUS_TIER"] === "torture";
const seed = torture ? freshSeed() : 2611;

test.each(frozen.map(({ found, program }) => [found, program] as const))("found once: %s", async (_, program) => {
  await runProgram(subject(), program);
});

test.each(frozenShared.map(({ found, program }) => [found, program] as const))("found once, two clients: %s", async (_, program) => {
  await runShared(subject(), program);
});

test.each(
  [
    { property: crashes as Checked<unknown>, runs: 60 },
    { property: power as Checked<unknown>, runs: 25 },
    { property: shared as Checked<unknown>, runs: 60 },
    { property: one as Checked<unknown>, runs: 60 },
    { property: oneCrashes as Checked<unknown>, runs: 30 },
  ].map(({ property, runs }) => [property.name, property, runs] as const),
)(`random programs, seed ${seed}: %s`, { timeout: 7_200_000 }, async (_, property, runs) => {
  const { failure, runs: ran, figures } = await check(property, subject(), seed, torture ? runs * 200 : runs);
  if (torture) console.log(`${property.name}: ${ran} programs, seed ${seed}, ${JSON.stringify(figures)}`);
  expect(failure === undefined ? "" : `${failure.message}\n${JSON.stringify(failure.program)}`).toBe("");
});
