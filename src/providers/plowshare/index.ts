/**
 * Files at hosts that only know links, through the plowshare command line, as a store with real directories, moves and copies.
 *
 *   const store = plowshare({ directory: "/var/lib/links", createRoot: true, hosts: ["onehost", "otherhost"], copies: 2 });
 *   await store.write("/photos/2019.tar", stream);
 *   await store.layers.plowshare.verify();      // which links are dead?
 *   await store.layers.plowshare.repair();      // and made again from a living copy
 *
 * The paths are in an index on this machine, and nowhere else. docs/providers/plowshare.md has what is kept and what is not.
 */
import type { Layered, Store } from "../../store/index.ts";
import { plowshareBy } from "./by.ts";
import type { PlowshareControl } from "./control.ts";
import type { PlowshareOptions } from "./options.ts";
import { run } from "./process.ts";

export type { PlowshareCommandOptions, PlowshareOptions, Served } from "./options.ts";
export type { RepairReport, VerifyReport } from "./care.ts";
export type { HostStatus, PlowshareControl, PlowshareStatus } from "./control.ts";
export { plowshareTools } from "./tools.ts";
export type { DownloadOptions, DownloadedFile, PlowshareTools, UploadOptions, UploadedFile } from "./tools.ts";
export type { Listed, Probed } from "./output.ts";
export type { HostRecord } from "./hosts.ts";

/** @throws StoreError `config` for wrong options. No command is started and nothing is read before the first call, or `open`. */
export function plowshare(options: PlowshareOptions): Store & Layered<"plowshare", PlowshareControl> {
  return plowshareBy(run, options);
}
