/** The catalogue into the backup store, and back. */
import { backupCatalogue, listBackups, restoreCatalogue } from "../catalogue/index.ts";
import type { BackupInfo, BackupReport, Catalogue, OnProgress, RestoreReport, WithProgress } from "../catalogue/index.ts";
import { StoreError } from "../store/index.ts";
import type { Clock, Store } from "../store/index.ts";
import { beginBackup, finishBackup } from "./backups.ts";
import { repositoryTables } from "./backup-tables.ts";
import type { Core } from "./core.ts";
import { RepositoryError } from "./errors.ts";

/** Of the names of its backups. */
const LABEL = "repository";

function storeOf(core: Core): Store {
  const { backupStore, offline } = core.settings;
  if (backupStore === undefined) throw new StoreError("config", "this repository was given no backupStore", { applied: false });
  if (offline) throw new RepositoryError("offline", "no store may be asked");
  return backupStore;
}

export async function backup(core: Core, keep: number | undefined, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<BackupReport> {
  const { db, settings } = core;
  let id: number | undefined;
  const report = await backupCatalogue({
    catalogue: db,
    components: [repositoryTables],
    store: storeOf(core),
    label: LABEL,
    keep,
    clock: settings.clock,
    signal,
    onProgress,
    // Before the rows are read: what expires from here on is not in this one.
    onBegin: async (name) => void (id = await beginBackup(db, name, core.now())),
  });
  const rows = Object.values(report.tables).reduce((sum, count) => sum + count, 0);
  if (id !== undefined) await finishBackup(db, id, core.now(), report.size, rows);
  return report;
}

export async function backups(core: Core, signal: AbortSignal | undefined): Promise<readonly BackupInfo[]> {
  return await listBackups({ store: storeOf(core), label: LABEL, signal });
}

export interface RestoreRepositoryOptions extends WithProgress {
  /** Without a repository. Stays open. */
  readonly catalogue: Catalogue;
  /** Stays open. */
  readonly backupStore: Store;
  /** As `backups` names it. Default: the newest. */
  readonly name?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Before `Repository.open`. All or nothing. Objects that the backup does not know stay where they are: `unknownObjects` lists them; `verify` says which ones it knows are gone.
 * @throws BackupError `no-backup`, `not-empty`, `bad-backup`, `unknown-version`; StoreErrors of store and catalogue. Then nothing was changed
 */
export function restoreRepository({ catalogue, backupStore, name, clock, signal, onProgress }: RestoreRepositoryOptions): Promise<RestoreReport> {
  return restoreCatalogue({ catalogue, components: [repositoryTables], store: backupStore, label: LABEL, name, clock, signal, onProgress });
}
