/** CF75: the suite over the stacks of production, on memory. */
import { memorySubject } from "../../conformance-suite/memory-subject.ts";
import { overStacks } from "./run.ts";
import { production } from "./stacks.ts";

overStacks(memorySubject(), production);
