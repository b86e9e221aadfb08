/** The gate: every one-bug store is killed by the checks that claim it, and every strange but legal one passes. `npm run kill-ratio` prints the same. */
import { expect, test } from "vitest";
import { brokenLayers } from "../../scripts/kill-ratio/layers.ts";
import { killRatio } from "../../scripts/kill-ratio/run.ts";
import { brokenStores } from "../../src/conformance/broken/index.ts";
import { legalStores } from "../../src/conformance/broken/legal.ts";
import { checks } from "../../src/conformance/checks/index.ts";

test("the kill ratio is 100 %, and every legal store passes", { timeout: 900_000 }, async () => {
  const layers = await brokenLayers();
  const { problems, summary } = await killRatio();
  expect(problems).toEqual([]);
  expect(summary).toBe(
    `killed ${brokenStores.length} of ${brokenStores.length} stores, ${layers.length} of ${layers.length} layers, ${legalStores.length} of ${legalStores.length} legal stores pass`,
  );
  expect(checks.length).toBeGreaterThan(150);
});
