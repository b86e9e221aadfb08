/** The repository on SQLite. */
import { careTests } from "./suite-care.ts";
import { stateTests } from "./suite-states.ts";
import { workTests } from "./suite-work.ts";

stateTests("sqlite");
workTests("sqlite");
careTests("sqlite");
