/** All wrappers: `import { limit, prefix, readOnly, retry } from "stratus/wrappers"`. */
export { Limit, limit } from "./limit.ts";
export type { LimitControl, LimitSettings } from "./limit.ts";
export { MetadataCache, metadataCache } from "./metadata-cache/index.ts";
export type { MetadataCacheControl, MetadataCacheOptions, MetadataCacheReport, MetadataCacheSettings } from "./metadata-cache/index.ts";
export { Prefix, prefix } from "./prefix.ts";
export { ReadOnly, readOnly } from "./read-only.ts";
export { Retry, retry } from "./retry.ts";
export type { RetryControl, RetryOptions, RetrySettings } from "./retry.ts";
