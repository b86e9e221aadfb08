/** The repository on SQLite. */
import { stateTests } from "./suite-states.ts";

stateTests("sqlite");
