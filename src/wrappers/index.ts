/** All wrappers: `import { limit, prefix, readOnly, retry } from "stratus/wrappers"`. */
export { Caching, caching } from "./caching/index.ts";
export type {
  CacheControl,
  CacheEvent,
  CacheEventName,
  CacheSettings,
  CachingOptions,
  Conflict,
  FileState,
  FileStateName,
  PendingFile,
} from "./caching/index.ts";
export { Limit, limit } from "./limit.ts";
export type { LimitControl, LimitSettings } from "./limit.ts";
export { Prefix, prefix } from "./prefix.ts";
export { ReadOnly, readOnly } from "./read-only.ts";
export { Retry, retry } from "./retry.ts";
export type { RetryControl, RetryOptions, RetrySettings } from "./retry.ts";
