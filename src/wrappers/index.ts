/** All wrappers: `import { archive, limit, prefix, readOnly, retry } from "stratus/wrappers"`. */
export { Archive, archive } from "./archive/index.ts";
export type { ArchiveControl, ArchiveEvent, ArchiveOptions, ArchiveSettings, Problem, Repacked, WriterReport } from "./archive/index.ts";
export { Limit, limit } from "./limit.ts";
export type { LimitControl, LimitSettings } from "./limit.ts";
export { Prefix, prefix } from "./prefix.ts";
export { ReadOnly, readOnly } from "./read-only.ts";
export { Retry, retry } from "./retry.ts";
export type { RetryControl, RetryOptions, RetrySettings } from "./retry.ts";
