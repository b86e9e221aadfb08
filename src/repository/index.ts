/**
 * Files with states, versions and tags in an SQL catalogue, their bytes in any store.
 *
 *   await using repo = await Repository.open({
 *     catalogue: postgresCatalogue({ connectionString: "postgres://repo@db.example/repo" }),
 *     store: s3({...}), backupStore: webdav({...}), directory: "/var/lib/repo", cacheLimitBytes: 50e9,
 *   });
 *   const id = await repo.addLocalFile("/logs/web.log.gz", "web.log.gz", { move: true });
 *   await repo.tagDate(id, Date.now(), "day");
 *   await repo.publish(id);                                 // in the store, checked by both hashes
 *   for (const file of await repo.findTagged({ all: ["day=2026-01-15"] })) console.log(file.path, await repo.text(file));
 */
export { BackupError, postgresCatalogue, sqliteCatalogue } from "../catalogue/index.ts";
export type { BackupErrorCode, BackupInfo, BackupReport, OnProgress, RestoreReport, WithProgress, WorkProgress } from "../catalogue/index.ts";
export { restoreRepository } from "./backup.ts";
export type { RestoreRepositoryOptions } from "./backup.ts";
export { repositoryTables } from "./backup-tables.ts";
export type { RemoveUnknownReport, UnknownObject } from "./unknown.ts";
export type { Catalogue, Hold, Migration, PostgresCatalogueOptions, Queryable, SqliteCatalogueOptions, Transaction, Value } from "../catalogue/index.ts";
export type { AddLocalOptions, AddOptions } from "./add.ts";
export type { CollectReport, DatabaseReport } from "./collect.ts";
export { repositoryConfiguration } from "./configuration.ts";
export type { ConfigurationLookup, ConfiguredOptions, RepositoryConfiguration } from "./configuration.ts";
export { destroyRepository } from "./create.ts";
export type { DeleteReport } from "./delete.ts";
export { RepositoryError } from "./errors.ts";
export type { RepositoryErrorCode } from "./errors.ts";
export type { FileFailure } from "./failures.ts";
export type { FindQuery, TagQuery } from "./find.ts";
export type { HostInfo } from "./hosts.ts";
export type { FileLock, LockMode } from "./locks.ts";
export type { HostReport } from "./maintain.ts";
export type { OpenReport } from "./open.ts";
export type { RepositoryOptions, RepositoryProblem } from "./options.ts";
export { Repository } from "./repository.ts";
export type { FileRef, RepositoryCallOptions, RepositoryWorkOptions } from "./repository.ts";
export type { FileInfo, FileState } from "./rows.ts";
export type { PurgeReport } from "./states.ts";
export type { RepositoryStatus } from "./status.ts";
export { dateTags } from "./tags.ts";
export type { DateGranularity } from "./tags.ts";
export type { RepositoryTransaction } from "./transaction.ts";
export type { Finding, RepairReport, VerifyReport } from "./verify.ts";
