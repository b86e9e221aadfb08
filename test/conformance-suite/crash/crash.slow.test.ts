/** The crash harness proves nothing before it is proved: the simplest right store passes, those with one bug are found. */
import { expect, test } from "vitest";
import { crashRuns } from "../../../src/conformance/crash/index.ts";
import { wholeFile } from "./whole-file.ts";

const module = (name: string): string => new URL(`./${name}.ts`, import.meta.url).pathname;

test("the simplest right store loses nothing, at any step and at any moment", { timeout: 120_000 }, async () => {
  const steps = await crashRuns({ module: module("right"), kills: 0, steps: wholeFile().steps, seed: 1 });
  expect(steps.faults).toEqual([]);
  expect([Object.keys(steps.at).sort(), steps.notReached]).toEqual([[...wholeFile().steps].sort(), []]);
  const random = await crashRuns({ module: module("right"), kills: 6, seed: 2 });
  expect(random.faults).toEqual([]);
  expect(random.kills).toBe(6);
  expect(random.acknowledged).toBeGreaterThan(0);
  expect(random.flushes).toBeGreaterThan(0);
});

test.each(["answers-before-it-is-saved", "saves-in-place", "saves-the-change-before-last", "brings-back-what-was-deleted"])(
  "one that %s is found",
  { timeout: 120_000 },
  async (name) => {
    const { faults } = await crashRuns({ module: module(name), kills: 0, steps: ["half", "changed", "half", "saved", "half", "changed"], seed: 3 });
    expect(faults).not.toEqual([]);
  },
);
