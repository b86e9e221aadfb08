/** The catalogue into the backup store, and back. */
import { backupCatalogue, listBackups, restoreCatalogue } from "../catalogue/index.ts";
import type { BackupInfo, BackupReport, OnProgress } from "../catalogue/index.ts";
import { StoreError } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { poolTables } from "./backup-tables.ts";
import type { Settings } from "./options.ts";

/** Of the names of its backups. */
const LABEL = "pool";

function storeOf({ backupStore }: Settings): Store {
  if (backupStore === undefined) throw new StoreError("config", "this pool was given no backupStore", { applied: false });
  return backupStore;
}

export async function backup(settings: Settings, keep: number | undefined, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<BackupReport> {
  const { catalogue, clock } = settings;
  return await backupCatalogue({ catalogue, components: [poolTables], store: storeOf(settings), label: LABEL, keep, clock, signal, onProgress });
}

export async function backups(settings: Settings, signal: AbortSignal | undefined): Promise<readonly BackupInfo[]> {
  return await listBackups({ store: storeOf(settings), label: LABEL, signal });
}

/** Before the pool is opened. */
export async function restore(settings: Settings, name: string | undefined, signal: AbortSignal | undefined, onProgress?: OnProgress): Promise<void> {
  const { catalogue, clock } = settings;
  await restoreCatalogue({ catalogue, components: [poolTables], store: storeOf(settings), label: LABEL, name, clock, signal, onProgress });
}
