/**
 * A content-addressed pool: files by their SHA-256, each on several hosts (any stores), with a cache of bounded size on this disk.
 *
 *   await using pool = await Pool.open({
 *     catalogue: sqliteCatalogue({ file: "/var/lib/pool.db" }), directory: "/var/lib/pool", capacityBytes: 10e9,
 *     hosts: { a: s3({...}), b: webdav({...}), c: local({...}) }, copies: 2,
 *   });
 *   const hash = await pool.uploadFile("talk.mp4");      // on this disk
 *   await pool.sync();                                   // on two hosts
 *   await pool.download(hash, "again.mp4");
 */
export { BackupError, backupCatalogue, listBackups, postgresCatalogue, restoreCatalogue, sqliteCatalogue } from "../catalogue/index.ts";
export type {
  BackupComponent,
  BackupErrorCode,
  BackupInfo,
  BackupOptions,
  BackupPlace,
  BackupReport,
  BackupTable,
  RestoreOptions,
  RestoreReport,
  OnProgress,
  WithProgress,
  WorkProgress,
} from "../catalogue/index.ts";
export { poolTables } from "./backup-tables.ts";
export type { Catalogue, Hold, Migration, PostgresCatalogueOptions, Queryable, SqliteCatalogueOptions, Transaction, Value } from "../catalogue/index.ts";
export type { RepairReport, VerifyReport } from "./care.ts";
export type { DumpVersion } from "./dump-format.ts";
export { PoolError } from "./errors.ts";
export type { PoolErrorCode, SourceFailure } from "./errors.ts";
export type { LoadReport } from "./exchange.ts";
export type { HostState } from "./hosts.ts";
export type { ImportReport } from "./import-cloud-manager.ts";
export type { OpenReport } from "./open.ts";
export type { LinkReader, PoolOptions } from "./options.ts";
export { Pool } from "./pool.ts";
export type { DumpOptions, PoolCallOptions, PoolWorkOptions } from "./pool.ts";
export type { CollectReport } from "./removal.ts";
export type { FileInfo, HostInfo, Meter, Meters, QueueInfo, Queues, SyncStatus, UploadInfo } from "./status.ts";
export type { SyncReport } from "./sync.ts";
export type { UploadOptions } from "./upload.ts";
