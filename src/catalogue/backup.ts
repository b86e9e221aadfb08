/**
 * A catalogue as one compressed, self-describing file in a store, and back, between SQLite and PostgreSQL in both directions.
 *
 *   await backupCatalogue({ catalogue, components: [poolTables], store, keep: 7 });
 *   await restoreCatalogue({ catalogue: postgresCatalogue({...}), components: [poolTables], store });
 */
import { StoreError, systemClock } from "../store/index.ts";
import type { Clock } from "../store/index.ts";
import type { BackupComponent } from "./backup-component.ts";
import { BackupError } from "./backup-error.ts";
import { checkComponents, fill } from "./backup-fill.ts";
import type { BackupHeader } from "./backup-format.ts";
import { backupsAt, newName, placeOf } from "./backup-names.ts";
import type { BackupInfo, BackupPlace, Place } from "./backup-names.ts";
import { readBackup } from "./backup-read.ts";
import { weigh, withSpool } from "./backup-spool.ts";
import type { Spool, Weight } from "./backup-spool.ts";
import { tablesOf } from "./backup-tables.ts";
import { backupBytes, describe } from "./backup-write.ts";
import type { Catalogue } from "./types.ts";
import { Tally } from "./work-progress.ts";
import type { WithProgress } from "./work-progress.ts";

interface Common extends BackupPlace, WithProgress {
  /** Stays open. */
  readonly catalogue: Catalogue;
  readonly components: readonly BackupComponent[];
  /** Local directory with room for one backup while this runs. Default: the system's for temporary files. */
  readonly temporaryDirectory?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
}
export interface BackupOptions extends Common {
  /** How many stay, this one included; older ones of the same label go once this one was read back whole. 1 or more. Default: all. */
  readonly keep?: number | undefined;
  /** Called with its name before any row is read, while no other backup of this catalogue runs. What it throws ends the backup. */
  readonly onBegin?: ((name: string) => Promise<void>) | undefined;
}
export interface RestoreOptions extends Common {
  /** Default: the newest. */
  readonly name?: string | undefined;
}
export interface BackupReport {
  readonly name: string;
  readonly path: string;
  readonly madeMs: number;
  /** Bytes, compressed, and their SHA-256. */
  readonly size: number;
  readonly sha256: string;
  /** Rows by table. */
  readonly tables: Readonly<Record<string, number>>;
  /** Names of older backups that went. */
  readonly removed: readonly string[];
  /** Older ones that were to go and could not; the next backup tries again. */
  readonly failures: readonly { readonly name: string; readonly error: StoreError }[];
}
export interface RestoreReport {
  readonly name: string;
  readonly madeMs: number;
  readonly tables: Readonly<Record<string, number>>;
}

/** Newest first. @throws StoreError */
export function listBackups(place: BackupPlace & { readonly signal?: AbortSignal | undefined }): Promise<BackupInfo[]> {
  return backupsAt(placeOf(place), place.signal);
}

/**
 * One state of all tables, whoever writes meanwhile. Memory is the same for any size. On SQLite other calls to the catalogue wait until it is on this disk: seconds for a million rows.
 * Nothing older goes before the new one was read back and found right. @throws StoreError `conflict` while another backup of this catalogue runs, `integrity` where the store gave back
 * other bytes, those of store, disk and catalogue
 */
export async function backupCatalogue(options: BackupOptions): Promise<BackupReport> {
  const { catalogue, components, keep = Infinity, temporaryDirectory, clock = systemClock, signal } = options;
  if (!(keep === Infinity || Number.isSafeInteger(keep)) || keep < 1)
    throw new StoreError("config", "keep is a number of backups, 1 or more", { applied: false });
  const tally = new Tally(options.onProgress);
  const place = placeOf(options);
  await using hold = await catalogue.hold("backup");
  if (hold === null) throw new StoreError("conflict", "another backup of this catalogue is running", { applied: false });
  const there = await backupsAt(place, signal);
  const { name, madeMs } = newName(place, clock.now(), there);
  const path = `${place.directory}/${name}`;
  await options.onBegin?.(name);
  return await withSpool(temporaryDirectory, async (spool) => {
    const { header, spooled } = await catalogue.transaction(async (tx) => {
      const tables = tablesOf(catalogue.kind, tx);
      await tables.freeze();
      const header = await describe(tx, tables, components, madeMs);
      return { header, spooled: await spool.fill(backupBytes(tables, header, tally), signal) };
    });
    await send(place, path, spool, spooled, tally, signal);
    return { name, path, madeMs, ...spooled, tables: countsOf(header), ...(await rotate(place, there, keep, signal)) };
  });
}

/** Sent, and read back: a backup counts when it was seen to be one. */
async function send(place: Place, path: string, spool: Spool, { size, sha256 }: Weight, tally: Tally, signal: AbortSignal | undefined): Promise<void> {
  const sent = tally.begin(size);
  tally.expect(0, size);
  await place.store.write(path, spool.body, { size, expect: { sha256 }, signal, onProgress: ({ bytes }) => sent.moved(bytes) });
  const back = await weigh(await place.store.read(path, { signal, fresh: true }));
  if (back.size === size && back.sha256 === sha256) return;
  const wrong = "the store gave back other bytes than those of the backup";
  try {
    await place.store.delete(path, { signal });
  } catch (cause) {
    throw new StoreError("integrity", `${wrong}, and could not delete them`, { cause, applied: true });
  }
  throw new StoreError("integrity", wrong, { applied: false });
}

async function rotate(
  place: Place,
  there: readonly BackupInfo[],
  keep: number,
  signal: AbortSignal | undefined,
): Promise<Pick<BackupReport, "removed" | "failures">> {
  const removed: string[] = [];
  const failures: BackupReport["failures"][number][] = [];
  for (const { name, path } of there.slice(keep - 1)) {
    try {
      await place.store.delete(path, { signal });
      removed.push(name);
    } catch (error) {
      if (!StoreError.is(error)) throw error;
      failures.push({ name, error });
    }
  }
  return { removed, failures };
}

/**
 * All or nothing, in one transaction, into a catalogue without rows; one that is older is brought up to this release. The backup is whole on this disk and checked to its end before the
 * catalogue is touched. @throws BackupError; StoreError of store, disk and catalogue. Then nothing was changed
 */
export async function restoreCatalogue(options: RestoreOptions): Promise<RestoreReport> {
  const { catalogue, components, name, temporaryDirectory, clock = systemClock, signal } = options;
  const tally = new Tally(options.onProgress);
  const place = placeOf(options);
  const there = await backupsAt(place, signal);
  const found = name === undefined ? there[0] : there.find((backup) => backup.name === name);
  if (found === undefined) throw new BackupError("no-backup", name === undefined ? "there is no backup" : "there is no backup of this name");
  return await withSpool(temporaryDirectory, async (spool) => {
    await spool.fill(await place.store.read(found.path, { signal, fresh: true }), signal);
    const header = await readBackup(spool.read(), { header: async (header) => checkComponents(header, components), rows: async () => {} }, signal);
    await fill(catalogue, components, spool, clock.now(), tally, signal);
    return { name: found.name, madeMs: header.madeMs, tables: countsOf(header) };
  });
}

function countsOf({ tables }: BackupHeader): Record<string, number> {
  return Object.fromEntries(tables.map(({ name, rows }) => [name, rows]));
}
