/** The suite over ordered pairs of wrappers, doubled ones included. Each file beside this one takes some of the lower ones, so that they run side by side. */
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import type { WrapperName } from "./layers.ts";
import { uniformNames } from "./layers.ts";
import { overStacks } from "./run.ts";
import { depth, pairsOver } from "./stacks.ts";

const isUniform = (name: WrapperName): boolean => (uniformNames as readonly WrapperName[]).includes(name);

/** Doubled ones, and those of wrappers that see paths and bytes, in every run. Uniform ones share one hook and change nothing that the other sees: `npm run test:torture` has them. */
function now([inner, outer]: readonly WrapperName[]): boolean {
  return depth() !== "smoke" || inner === outer || (!isUniform(inner as WrapperName) && !isUniform(outer as WrapperName));
}

export function pairsTest(inners: readonly WrapperName[]): void {
  overStacks(memorySubject({ name: `memory, pairs over ${inners.join(", ")}` }), pairsOver(inners).filter(now));
}
