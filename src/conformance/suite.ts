/** What reports say about the suite itself. */
import { readFileSync } from "node:fs";

/** The schema of conformance.json. A reader refuses a number that it does not know. */
export const schemaVersion = 1;

/** The version of the package this suite came with. */
export const suiteVersion: string = (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string }).version;
