/** The pool on SQLite. */
import { backupTests } from "./suite-backup.ts";
import { careTests } from "./suite-care.ts";
import { exchangeTests } from "./suite-exchange.ts";
import { progressTests } from "./suite-progress.ts";
import { fileTests } from "./suite-files.ts";

fileTests("sqlite");
careTests("sqlite");
exchangeTests("sqlite");
backupTests("sqlite");
progressTests("sqlite");
