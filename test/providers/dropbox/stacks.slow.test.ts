/** CF75, CF112, CF76: the stacks of production over Dropbox, all layers that keep something together; the others are in stacks.torture.test.ts. */
import { overStacks } from "../../wrappers/matrix/run.ts";
import { everything } from "../../wrappers/matrix/stacks.ts";
import { dropboxSubject } from "./subject.ts";

overStacks(await dropboxSubject(), everything);
