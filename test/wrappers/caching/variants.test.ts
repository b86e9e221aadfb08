/** Every rule of the caching store has a variant that is killed, and every row of cache.md 1.8 is among them. The kills themselves: `npm run kill-ratio`. */
import { expect, test } from "vitest";
import { rules } from "../../../src/wrappers/caching/rules.ts";
import { layers, variants } from "../../broken-layers/caching.ts";

test("no rule is without a variant", () => {
  const turned = new Set(variants.flatMap(({ bug }) => Object.keys(bug)));
  expect(Object.keys(rules).filter((rule) => !turned.has(rule))).toEqual([]);
});

test("each row of cache.md 1.8 is named", () => {
  const named = layers.flatMap((layer) => layer.rows ?? []).filter((row) => row.startsWith("cache.md 1.8"));
  expect(new Set(named).size).toBeGreaterThanOrEqual(37);
});
