/** The suite over ordered pairs of wrappers, doubled ones included. Each file beside this one takes some of the lower ones, so that they run side by side. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import type { WrapperName } from "./layers.ts";
import { depth, pairsOver, stacksOf } from "./stacks.ts";

export function pairsTest(inners: readonly WrapperName[]): void {
  conformance({ describe, test }, memorySubject({ name: `memory, over ${inners.join(", ")}`, tier: depth(), stacks: stacksOf(pairsOver(inners)) }));
}
