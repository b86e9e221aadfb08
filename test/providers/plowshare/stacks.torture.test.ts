/** CF75, CF112: all stacks of production over plowshare. */
import { overStacks } from "../../wrappers/matrix/run.ts";
import { production } from "../../wrappers/matrix/stacks.ts";
import { inProcessSubject } from "./in-process-subject.ts";

overStacks(inProcessSubject(), production);
