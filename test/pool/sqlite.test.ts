/** The pool on SQLite. */
import { backupTests } from "./suite-backup.ts";
import { careTests } from "./suite-care.ts";
import { exchangeTests } from "./suite-exchange.ts";
import { fileTests } from "./suite-files.ts";

fileTests("sqlite");
careTests("sqlite");
exchangeTests("sqlite");
backupTests("sqlite");
