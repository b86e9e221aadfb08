/** The harness of the programs proves nothing before it is proved: right subjects pass, and each with one bug is found. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { plainSetup, programs } from "./program.ts";
import type { Luck } from "./program.ts";
import { runProgram } from "./run.ts";
import type { Subject } from "./subject.ts";
import { mirror, mirrorBugs, plain } from "./trivial.ts";
import { Violation } from "./violation.ts";

const check = (subject: Subject, luck: Luck, numRuns: number, seed: number, plainly: boolean) =>
  fc.check(
    fc.asyncProperty(programs(luck, plainly ? { setup: fc.constant(plainSetup) } : {}), async (program) => void (await runProgram(subject, program))),
    { numRuns, seed, endOnFailure: true },
  );

test("a store that hands everything through is what the model says, over every kind of remote", async () => {
  const result = await check(plain, "none", 150, 1, false);
  expect(result.errorInstance).toBe(null);
});

test.each<Luck>(["none", "faults", "crashes"])("so is the simplest write-back, with luck: %s", async (luck) => {
  const result = await check(mirror(), luck, 150, 2, true);
  expect(result.errorInstance).toBe(null);
});

test.each(mirrorBugs)("one that %s is found", async (bug) => {
  const result = await check(mirror(bug), "crashes", 400, 3, true);
  expect(result.errorInstance).toBeInstanceOf(Violation);
});
