/** The programs of the archive as `npm run programs -- archive` runs them: of the protocol's model, and of the real layer. */
import fc from "fast-check";
import type { Family, Found, Property } from "../../../../scripts/programs/family.ts";
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
      return found(fc.check(property, { numRuns: runs, seed }), { protocolSteps: steps });
    },
  };
}

/** A tenth as many: each opens databases. */
function layer(installations: number, length: number): Property {
  return {
    name: `layer, ${installations} installations, ${length} steps`,
    async check(seed, runs) {
      const { runLayer } = await import("../layer/world.ts");
      const { layerPrograms } = await import("../layer/commands.ts");
      const figures = { layerPrograms: 0, layerCalls: 0, layerArchives: 0 };
      const property = fc.asyncProperty(layerPrograms(length), async (program) => {
        const world = await runLayer(program, { installations });
        figures.layerPrograms++;
        figures.layerCalls += world.calls;
        figures.layerArchives += world.watch.landed.length;
      });
      return found(await fc.check(property, { numRuns: Math.ceil(runs / 10), seed }), figures);
    },
  };
}

interface Checked {
  readonly failed: boolean;
  readonly numRuns: number;
  readonly counterexample: readonly unknown[] | null;
  readonly errorInstance?: unknown;
}

function found(result: Checked, figures: Readonly<Record<string, number>>): Found {
  if (!result.failed) return { runs: result.numRuns, figures };
  const error = result.errorInstance;
  return {
    runs: result.numRuns,
    figures,
    failure: { program: result.counterexample?.[0], message: error instanceof Error ? String(error.stack) : String(error) },
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
    layer(2, 40),
    layer(3, 40),
    layer(1, 60),
  ],
};
