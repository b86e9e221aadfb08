/** The programs of the archive's protocol as `npm run programs -- archive` runs them. */
import fc from "fast-check";
import type { Family, Property } from "../../../../scripts/programs/family.ts";
import { programs } from "./commands.ts";
import type { Drawn } from "./commands.ts";
import { runProgram } from "./world.ts";

function protocol(installations: number, drawn: Drawn): Property {
  return {
    name: `protocol, ${installations} installations, ${drawn.kind}, ${drawn.length} steps`,
    async check(seed, runs) {
      let steps = 0;
      const property = fc.property(programs(drawn), (program) => {
        steps += program.length;
        runProgram(program, installations);
      });
      const result = fc.check(property, { numRuns: runs, seed });
      if (!result.failed) return { runs: result.numRuns, figures: { steps } };
      return { runs: result.numRuns, figures: { steps }, failure: { program: result.counterexample?.[0], message: String(result.errorInstance) } };
    },
  };
}

export const family: Family = {
  name: "archive",
  properties: [
    protocol(2, { length: 60, kind: "flat" }),
    protocol(3, { length: 60, kind: "flat" }),
    protocol(2, { length: 60, kind: "tree" }),
    protocol(3, { length: 60, kind: "tree" }),
    protocol(3, { length: 120, kind: "flat", loss: 3 }),
  ],
};
