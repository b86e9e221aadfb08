/**
 * Files in a SugarSync account, by its Platform API.
 *
 *   const store = sugarsync({ accessKeyId, privateAccessKey, refreshToken });
 *   await store.write("/My Documents/notes.txt", "hello");
 *
 * The root holds the account's sync folders and no files. `stratus auth sugarsync` makes the refresh token. docs/providers/sugarsync.md has the rest.
 */
import { createStore } from "../../store/index.ts";
import type { Control, Layered, Store } from "../../store/index.ts";
import { settingsOf } from "./options.ts";
import type { SugarSyncOptions } from "./options.ts";
import { SugarSync } from "./provider.ts";

export type { SugarSyncOptions } from "./options.ts";

/** @throws StoreError `config` for wrong options. Nothing is asked of the service before the first call. */
export function sugarsync(options: SugarSyncOptions): Store & Layered<"sugarsync", Control> {
  return createStore(new SugarSync(settingsOf(options)), { name: options.name });
}
