/** Names of backups in a store: whose, when, and something that no other has. Their order is that of time. */
import { randomBytes } from "node:crypto";
import { StoreError, hasCode } from "../store/index.ts";
import type { Store } from "../store/index.ts";

export interface BackupInfo {
  /** What `restore` is given: the last part of the path. */
  readonly name: string;
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly madeMs: number;
  /** Bytes; null where the service does not say. */
  readonly size: number | null;
}
export interface BackupPlace {
  readonly store: Store;
  /** Directory in the store. Default "/catalogue-backups". */
  readonly directory?: string | undefined;
  /** What the names begin with: lower-case letters, digits and "-", at most 60. Catalogues that share a directory need one each. Default "catalogue". */
  readonly label?: string | undefined;
}

const DIRECTORY = "/catalogue-backups";
/** Of every backup, whatever its label. */
export const BACKUP_NAME: RegExp = /^([a-z0-9][a-z0-9-]{0,59})\.(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.[0-9a-f]{8}\.jsonl\.gz$/;

export interface Place {
  readonly store: Store;
  readonly directory: string;
  readonly label: string;
}
export function placeOf({ store, directory = DIRECTORY, label = "catalogue" }: BackupPlace): Place {
  if (!/^[a-z0-9][a-z0-9-]{0,59}$/.test(label))
    throw new StoreError("config", "the label of backups is made of lower-case letters, digits and -, at most 60", { applied: false });
  return { store, directory: directory.replace(/\/+$/, ""), label };
}

/** Behind all that are there, also where a clock was set back. */
export function newName({ label }: Place, nowMs: number, there: readonly BackupInfo[]): { readonly name: string; readonly madeMs: number } {
  const madeMs = Math.max(nowMs, ...there.slice(0, 1).map((newest) => newest.madeMs + 1));
  const stamp = new Date(madeMs).toISOString().replace(/[-:.]/g, "");
  return { name: `${label}.${stamp}.${randomBytes(4).toString("hex")}.jsonl.gz`, madeMs };
}

/** Newest first. What has another name is another's. */
export async function backupsAt(place: Place, signal: AbortSignal | undefined): Promise<BackupInfo[]> {
  const found: BackupInfo[] = [];
  try {
    for await (const entry of place.store.list(place.directory === "" ? "/" : place.directory, { signal, fresh: true })) {
      const name = entry.path.slice(entry.path.lastIndexOf("/") + 1);
      const parts = BACKUP_NAME.exec(name);
      if (entry.kind !== "file" || parts === null || parts[1] !== place.label) continue;
      const [year, month, day, hour, minute, second, ms] = parts.slice(2).map(Number) as [number, number, number, number, number, number, number];
      found.push({ name, path: entry.path, madeMs: Date.UTC(year, month - 1, day, hour, minute, second, ms), size: entry.size });
    }
  } catch (error) {
    if (!hasCode(error, "not-found")) throw error;
  }
  return found.sort((a, b) => (a.name < b.name ? 1 : -1));
}
