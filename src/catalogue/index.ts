/**
 * The catalogue under pool and repository: tables in SQLite for one machine, in PostgreSQL for many.
 *
 *   const catalogue = sqliteCatalogue({ file: "/var/lib/pool/catalogue.db" });
 *   const shared = postgresCatalogue({ connectionString: "postgres://pool@db.example/pool" });
 */
export { VERSION_TABLE } from "./migrate.ts";
export { postgresCatalogue } from "./postgres.ts";
export type { PostgresCatalogueOptions } from "./postgres.ts";
export { sqliteCatalogue } from "./sqlite.ts";
export type { SqliteCatalogueOptions } from "./sqlite.ts";
export type { Catalogue, Hold, Migration, Queryable, Transaction, Value } from "./types.ts";
export { readForeignSqlite } from "./foreign.ts";
export type { ForeignTables } from "./foreign.ts";
export { backupCatalogue, listBackups, restoreCatalogue } from "./backup.ts";
export type { BackupOptions, BackupReport, RestoreOptions, RestoreReport } from "./backup.ts";
export type { BackupComponent, BackupTable } from "./backup-component.ts";
export { Tally } from "./work-progress.ts";
export type { OnProgress, WithProgress, WorkProgress } from "./work-progress.ts";
export { BackupError } from "./backup-error.ts";
export type { BackupErrorCode } from "./backup-error.ts";
export { BACKUP_NAME } from "./backup-names.ts";
export type { BackupInfo, BackupPlace } from "./backup-names.ts";
