/** CF75, CF113: the suite over the stacks of production on a store whose calls fail, as the seed has it: nothing of that is seen above. */
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import { faultyStacks } from "./faulty.ts";
import { overStacks } from "./run.ts";
import { production } from "./stacks.ts";

overStacks(memorySubject({ name: "memory, faulty" }), [...production, ["limit"], ["prefix"]], { make: faultyStacks });
