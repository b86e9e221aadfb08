/** The repository on SQLite. */
import { backupTests } from "./suite-backup.ts";
import { careTests } from "./suite-care.ts";
import { drillTests } from "./suite-drills.ts";
import { progressTests } from "./suite-progress.ts";
import { stateTests } from "./suite-states.ts";
import { workTests } from "./suite-work.ts";

stateTests("sqlite");
workTests("sqlite");
careTests("sqlite");
backupTests("sqlite");
progressTests("sqlite");
drillTests("sqlite");
