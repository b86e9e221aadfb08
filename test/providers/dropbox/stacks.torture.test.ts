/** CF75, CF112, CF76: the other stacks of production over Dropbox. */
import { overStacks } from "../../wrappers/matrix/run.ts";
import { others } from "../../wrappers/matrix/stacks.ts";
import { dropboxSubject } from "./subject.ts";

overStacks(await dropboxSubject(), others);
