/**
 * Files on a WebDAV server: Apache, lighttpd, nginx, SabreDAV, Nextcloud, rclone and the like.
 *
 *   const store = webdav({ url: "https://dav.example.org/files", username: "ann", password, server: "apache" });
 *   await store.write("/notes/today.txt", "hello");
 *
 * `server` names the profile that decides what is claimed; `detectWebdav` finds it. docs/providers/webdav.md has the capabilities of each.
 */
import { createStore } from "../../store/index.ts";
import type { Control, Layered, Store } from "../../store/index.ts";
import { settingsOf } from "./options.ts";
import type { WebdavOptions } from "./options.ts";
import { Webdav } from "./provider.ts";

export { detectWebdav } from "./detect.ts";
export type { DetectedWebdav } from "./detect.ts";
export type { WebdavOptions } from "./options.ts";
export { profiles as webdavProfiles } from "./profiles.ts";
export type { WebdavProfile, WebdavServer } from "./profiles.ts";

/** @throws StoreError `config` for wrong options. Nothing is asked of the server before the first call, or `open`. */
export function webdav(options: WebdavOptions): Store & Layered<"webdav", Control> {
  return createStore(new Webdav(settingsOf(options)), { name: options.name });
}
