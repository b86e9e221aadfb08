/** CF75, CF112, CF87: the stacks of production over SugarSync, all layers that keep something together; the others are in stacks.torture.test.ts. */
import { overStacks } from "../../wrappers/matrix/run.ts";
import { everything } from "../../wrappers/matrix/stacks.ts";
import { sugarsyncSubject } from "./subject.ts";

overStacks(await sugarsyncSubject(), everything, { looksFirst: true });
