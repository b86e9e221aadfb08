/** What users of stores import as `stratus`. */
export type { Body, ByteRange, Reopenable } from "./body.ts";
export type { Capabilities, Support, SupportKey } from "./capabilities.ts";
export type { Clock, Injected } from "./clock.ts";
export { manualClock, systemClock } from "./clock.ts";
export type { Control } from "./control.ts";
export { download, exists, isDirectory, modifiedOf, readBytes, readText, sizeOf, upload } from "./convenience.ts";
export { copyBetween } from "./copy-between.ts";
export type { CopyBetweenOptions } from "./copy-between.ts";
export type { Entry, HashName, Hashes, Metadata } from "./entry.ts";
export { StoreError, hasCode, toErrno, toHttpStatus } from "./errors.ts";
export type { ErrorCode, ErrorContext, ErrorDetails } from "./errors.ts";
export { fromFile } from "./file-body.ts";
export { borrow, find, stack } from "./layer.ts";
export type { Kind, Layer, Layered, Stacked } from "./layer.ts";
export type * from "./options.ts";
export type { Operation } from "./operations.ts";
export type { StorePath } from "./path.ts";
export type { Store } from "./store.ts";
