/** The real layer: one proof for each of its rules, and random programs over several installations. The rules left out: test/broken-layers/archive.ts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layerPrograms } from "./layer/commands.ts";
import { layerProofs } from "./layer/proofs.ts";
import { layerWith } from "./layer/subject.ts";
import { runLayer } from "./layer/world.ts";

const torture = process.env["STRATUS_TIER"] === "torture";
const seed = torture ? Math.floor(Math.random() * 2 ** 31) : 1;
if (torture) console.log(`archive layer: seed ${seed}`);

describe("rules", () => {
  test.each(layerProofs)("$name", async ({ run }) => run((more, proof) => layerWith({}, more, proof)));
});

describe("random programs", () => {
  test.each([1, 2, 3])("hold with %i installations", { timeout: torture ? 3_600_000 : 60_000 }, async (installations) => {
    let calls = 0;
    await fc.assert(
      fc.asyncProperty(layerPrograms(40), async (program) => {
        calls += (await runLayer(program, { installations })).calls;
      }),
      { numRuns: torture ? 2000 : 6, seed },
    );
    expect(calls).toBeGreaterThan(10);
  });
});
