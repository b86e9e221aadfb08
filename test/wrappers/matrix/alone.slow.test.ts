/** CF75: the suite over each uniform wrapper, prefix and readOnly alone, in full, on memory. The others, with the settings they need, beside their own tests. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import { uniformNames } from "./layers.ts";
import { stacksOf } from "./stacks.ts";

conformance({ describe, test }, memorySubject({ name: "memory, alone", stacks: stacksOf([["prefix"], ["readOnly"], ...uniformNames.map((name) => [name])]) }));
