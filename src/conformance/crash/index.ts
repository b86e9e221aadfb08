/** Crash runs for whatever keeps something on disk: a layer, or a whole stack. See run.ts. */
export { crashRuns } from "./run.ts";
export type { CrashFigures, CrashOptions } from "./run.ts";
export type { CrashPlace, CrashSubject } from "./subject.ts";
