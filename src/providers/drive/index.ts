/**
 * Files in Google Drive, My Drive or a shared drive, as a tree of paths.
 *
 *   const store = drive({ auth: { clientId, clientSecret, refreshToken }, folder: "/backups", createRoot: true });
 *   await store.write("/notes/today.txt", "hello");
 *
 * Needs the package @googleapis/drive. docs/providers/drive.md has what each verb costs, what Drive does differently, and what to set.
 */
import { createStore } from "../../store/index.ts";
import type { Layered, Store } from "../../store/index.ts";
import { controlOf } from "./control.ts";
import type { DriveControl } from "./control.ts";
import { settingsOf } from "./options.ts";
import type { DriveOptions } from "./options.ts";
import { Drive } from "./provider.ts";

export type { DriveControl } from "./control.ts";
export type { DriveAuth, DriveOptions, RefreshAuth, ServiceAccountAuth, TokenAuth } from "./options.ts";

/** @throws StoreError `config` for wrong options. Nothing is asked of the service before the first call, or `open`. */
export function drive(options: DriveOptions): Store & Layered<"drive", DriveControl> {
  const provider = new Drive(settingsOf(options));
  return createStore(provider, { name: options.name, control: controlOf(provider) });
}
