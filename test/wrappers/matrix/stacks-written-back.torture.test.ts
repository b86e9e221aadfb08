/** CF75: the suite over stacks with a write-back cache, used by several callers of one process, on a local disk. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { localSubject } from "../../providers/local/subject.ts";
import { layersOf, nameOf } from "./layers.ts";
import { shared } from "./shared.ts";
import { depth } from "../../conformance/tier.ts";
import { writtenBack } from "./stacks.ts";

for (const names of writtenBack) conformance({ describe, test }, shared(localSubject(), nameOf(names), layersOf(names), { tier: depth() }));
