/** Every ordered pair of wrappers that the matrix leaves out is refused when the stack is made, and no other is (CF75). */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import type { Place } from "../../../src/conformance/index.ts";
import { memory } from "../../../src/providers/memory/index.ts";
import { StoreError, stack, systemClock } from "../../../src/store/index.ts";
import { layersOf, nameOf, wrapperNames } from "./layers.ts";
import { isRefused, pairsOver } from "./stacks.ts";

const place = { id: "x", directory: tmpdir(), scratch: tmpdir(), connection: 0, clock: systemClock, random: Math.random } as unknown as Place;

test("a stack that cannot work is refused with config, all others can be made, whatever their order", () => {
  for (const inner of wrapperNames) {
    for (const outer of wrapperNames) {
      let error: unknown;
      try {
        // Making a stack does no I/O, so no directory is made here.
        stack(memory(), ...layersOf([inner, outer])(place));
      } catch (found) {
        error = found;
      }
      expect(StoreError.is(error) ? error.code : error, nameOf([inner, outer])).toBe(isRefused(inner, outer) ? "config" : undefined);
    }
  }
  expect(pairsOver(wrapperNames).length).toBe(wrapperNames.length ** 2 - 1);
});
