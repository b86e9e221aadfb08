/** CF75, CF112, CF87: the other stacks of production over SugarSync. */
import { overStacks } from "../../wrappers/matrix/run.ts";
import { others } from "../../wrappers/matrix/stacks.ts";
import { sugarsyncSubject } from "./subject.ts";

overStacks(await sugarsyncSubject(), others, { looksFirst: true });
