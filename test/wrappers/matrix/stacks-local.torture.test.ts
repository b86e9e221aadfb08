/** CF75: the suite over the stacks of production, on a local disk, where a store is opened again and finds what it left. */
import { localSubject } from "../../providers/local/subject.ts";
import { overStacks } from "./run.ts";
import { production } from "./stacks.ts";

overStacks(localSubject(), production);
