/** The suite over ordered pairs of wrappers, doubled ones included. Each file beside this one takes some of the lower ones, so that they run side by side. */
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import type { WrapperName } from "./layers.ts";
import { overStacks } from "./run.ts";
import { pairsOver } from "./stacks.ts";

/** As smoke: there are a hundred and more of them, and `alone` has each wrapper in full. */
export function pairsTest(inners: readonly WrapperName[]): void {
  overStacks(memorySubject({ name: `memory, pairs over ${inners.join(", ")}` }), pairsOver(inners), { tier: "smoke" });
}
