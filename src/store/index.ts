/** Everything of the contract, for the rest of this package. Users import `stratus`, authors `stratus/author`. */
export * from "./user.ts";
export * from "./author.ts";
// For our own wrappers.
export { continued } from "./continued.ts";
export { subscribe } from "./subscribe.ts";
// For our own providers.
export { accountDigest } from "./account-digest.ts";
export { packageLoader } from "./load-package.ts";
export { Turns, unlessAborted } from "./turns.ts";
export { makeDirectories, makePrivateDirectory } from "./make-directories.ts";
export { syncDirectory } from "./sync-directory.ts";
export { watchdog } from "./watchdog.ts";
export type { Watchdog } from "./watchdog.ts";
// For the pool, which takes bodies as stores do.
export { toSource } from "./body.ts";
