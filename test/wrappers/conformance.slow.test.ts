/** The suite over wrappers on memory: those that change what is seen alone in full, and ordered pairs of all as smoke. The uniform ones alone: uniform.slow.test.ts. */
import { describe, expect, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import type { Subject } from "../../src/conformance/index.ts";
import { memorySubject } from "../conformance-suite/memory-subject.ts";
import { chains, layerOf, wrappers } from "./every.ts";

type Stacks = NonNullable<Subject["stacks"]>;
const alone: Stacks = Object.fromEntries(["prefix", "readOnly", "retry", "limit"].map((name) => [name, () => [layerOf(name)]]));
// One that refuses every change would leave nothing to be proved about its neighbours: it has pairs of its own.
const others = Object.keys(wrappers).filter((name) => name !== "readOnly");
const stacksOf = chains(others, 10);
const chained: Stacks = Object.fromEntries(
  stacksOf.map((names) => [names.toReversed().join(" over "), () => names.map((name, i) => layerOf(name).as(`${name} ${i}`))]),
);
const refusing: Stacks = {
  "readOnly over all": () => [...others.map((name) => layerOf(name)), layerOf("readOnly")],
  "all over readOnly": () => [layerOf("readOnly"), ...others.map((name) => layerOf(name))],
};

test("the stacks hold every ordered pair of wrappers, each with itself too, exactly once", () => {
  const pairs = stacksOf.flatMap((names) => names.slice(1).map((outer, i) => `${outer} over ${names[i]}`));
  expect(new Set(pairs).size).toBe(others.length ** 2);
  expect(pairs.length).toBe(others.length ** 2);
});

conformance({ describe, test }, memorySubject({ stacks: alone }));
conformance({ describe, test }, memorySubject({ name: "memory, pairs", stacks: { ...chained, ...refusing }, tier: "smoke" }));
