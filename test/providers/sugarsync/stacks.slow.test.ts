/** CF75, CF112, CF87: the stacks of production over SugarSync, all layers that keep something together; the others are in stacks.torture.test.ts. */
import { overStacks } from "../../wrappers/matrix/run.ts";
import { everything } from "../../wrappers/matrix/stacks.ts";
import { sugarsyncSubject } from "./subject.ts";

// A write looks for the folder first: what fails there was not sent, and the archive gives the error to its callers.
overStacks(await sugarsyncSubject(), everything, { holds: ["wire.down.ends"] });
