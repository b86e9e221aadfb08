/**
 * Files of a Dropbox account, by API v2.
 *
 *   const store = dropbox({ refreshToken, clientId, root: "/Backup" });
 *   await store.write("/notes/today.txt", "hello");
 *
 * docs/providers/dropbox.md has what is kept, at how many requests, and how to get the tokens.
 */
import { createStore } from "../../store/index.ts";
import type { Control, Layered, Store } from "../../store/index.ts";
import { settingsOf } from "./options.ts";
import type { DropboxOptions } from "./options.ts";
import { DropboxProvider } from "./provider.ts";

export type { DropboxOptions, DropboxToken } from "./options.ts";

/** @throws StoreError `config` for wrong options. Nothing is asked of the service before the first call. */
export function dropbox(options: DropboxOptions): Store & Layered<"dropbox", Control> {
  return createStore(new DropboxProvider(settingsOf(options)), { name: options.name });
}
