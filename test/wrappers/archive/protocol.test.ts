/** The protocol of the archive layer, as a model: its rules under random programs, and each rule left out once. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelBugs } from "./model/bugs.ts";
import { programs } from "./model/commands.ts";
import { frozen } from "./model/frozen.ts";
import { runProgram } from "./model/world.ts";

/** Printed in a failure, so that the run can be had again. Fixed here, drawn anew in the torture tier. */
const torture = process.env["STRATUS_TIER"] === "torture";
const seed = torture ? Math.floor(Math.random() * 2 ** 31) : 1;
if (torture) console.log(`archive protocol: seed ${seed}`);

describe.each(["flat", "tree"] as const)("%s programs", (kind) => {
  test.each([2, 3])("hold with %i installations", { timeout: 600_000 }, (installations) => {
    fc.assert(
      fc.property(programs({ length: 60, kind }), (program) => runProgram(program, installations)),
      { numRuns: torture ? 50_000 : 500, seed },
    );
  });
});

describe("one rule left out", () => {
  test.each(frozen)("$bug", ({ bug, besides = [], says, installations, program }) => {
    runProgram(program, installations);
    if (besides.length > 0) runProgram(program, installations, new Set([bug]));
    expect(() => runProgram(program, installations, new Set([bug, ...besides]))).toThrow(says);
  });

  test("every bug of the model has a program that finds it", () => {
    expect(new Set(frozen.map(({ bug }) => bug))).toEqual(new Set(Object.keys(modelBugs)));
  });
});
