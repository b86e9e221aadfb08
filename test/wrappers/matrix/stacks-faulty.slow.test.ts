/** CF75, CF113: the suite over the stacks of production on a store whose calls fail, as the seed has it: nothing of that is seen above. */
import { describe, test } from "vitest";
import { conformance } from "../../../src/conformance/index.ts";
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import { faultyStacks } from "./faulty.ts";
import { depth, production } from "./stacks.ts";

conformance({ describe, test }, memorySubject({ name: "memory, faulty", tier: depth(), stacks: faultyStacks([...production, ["limit"], ["prefix"]]) }));
