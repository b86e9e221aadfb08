/** CF75, CF112: the stacks of production over plowshare. */
import { overStacks } from "../../wrappers/matrix/run.ts";
import { inProcessSubject } from "./in-process-subject.ts";

overStacks(inProcessSubject(), [["metadataCache"], ["caching"], ["archive", "caching", "metadataCache", "stats"]]);
