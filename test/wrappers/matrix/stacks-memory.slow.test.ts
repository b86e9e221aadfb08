/** CF75: the suite over the stacks of production, on memory. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import { depth, production, stacksOf } from "./stacks.ts";

conformance({ describe, test }, memorySubject({ name: "memory, stacks", tier: depth(), stacks: stacksOf(production) }));
