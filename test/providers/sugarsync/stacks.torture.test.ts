/** CF75, CF112, CF87: the other stacks of production over SugarSync. */
import { overStacks } from "../../wrappers/matrix/run.ts";
import { others } from "../../wrappers/matrix/stacks.ts";
import { sugarsyncSubject } from "./subject.ts";

// A write looks for the folder first: what fails there was not sent, and the archive gives the error to its callers.
overStacks(await sugarsyncSubject(), others, { holds: ["wire.down.ends"] });
