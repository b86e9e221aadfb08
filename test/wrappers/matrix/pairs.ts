/** The suite over ordered pairs of wrappers, doubled ones included. Each file beside this one takes some of the lower ones, so that they run side by side. */
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import type { WrapperName } from "./layers.ts";
import { overStacks } from "./run.ts";
import { pairsOver } from "./stacks.ts";

export function pairsTest(inners: readonly WrapperName[]): void {
  overStacks(memorySubject({ name: `memory, pairs over ${inners.join(", ")}` }), pairsOver(inners));
}
