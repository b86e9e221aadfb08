/** Objects in the buckets that no row names: what was added after the backup that was put back, or what somebody else put there. */
import { BACKUP_NAME } from "../catalogue/index.ts";
import { StoreError, hasCode, nameOf } from "../store/index.ts";
import type { Entry } from "../store/index.ts";
import type { Core } from "./core.ts";
import { RepositoryError } from "./errors.ts";
import { places } from "./rows.ts";

export interface UnknownObject {
  readonly bucket: string;
  readonly path: string;
  /** Bytes; null where the store does not say. */
  readonly size: number | null;
  readonly modifiedMs: number | null;
}
export interface RemoveUnknownReport {
  readonly removed: number;
  /** Of those that were given: named by a row, now or all the time. They stay. */
  readonly known: number;
  readonly failures: readonly { readonly bucket: string; readonly path: string; readonly error: StoreError }[];
}

const PAGE = 500;

export async function unknownObjects(core: Core, signal: AbortSignal | undefined): Promise<UnknownObject[]> {
  online(core);
  const found: UnknownObject[] = [];
  for (const [bucket, store] of core.settings.buckets) {
    let page: Entry[] = [];
    // The rows are asked after the listing: every object had its row before it was there.
    const settle = async (): Promise<void> => {
      const known = await knownAmong(
        core,
        bucket,
        page.map(({ path }) => path),
      );
      for (const { path, size, modifiedMs } of page) if (!known.has(path)) found.push({ bucket, path, size, modifiedMs });
      page = [];
    };
    for await (const entry of store.list("/", { recursive: true, fresh: true, signal })) {
      // A bucket may be the backup store too.
      if (entry.kind !== "file" || BACKUP_NAME.test(nameOf(entry.path))) continue;
      page.push(entry);
      if (page.length === PAGE) await settle();
    }
    await settle();
  }
  return found.sort((a, b) => (`${a.bucket} ${a.path}` < `${b.bucket} ${b.path}` ? -1 : 1));
}

export async function removeUnknownObjects(
  core: Core,
  objects: readonly Pick<UnknownObject, "bucket" | "path">[],
  signal: AbortSignal | undefined,
): Promise<RemoveUnknownReport> {
  online(core);
  const failures: RemoveUnknownReport["failures"][number][] = [];
  let [removed, known] = [0, 0];
  for (const { bucket, path } of objects) {
    signal?.throwIfAborted();
    const store = core.storeOf(bucket);
    if (BACKUP_NAME.test(nameOf(path as Entry["path"])) || (await knownAmong(core, bucket, [path])).size > 0) {
      known += 1;
      continue;
    }
    try {
      await store.delete(path, { signal });
      removed += 1;
    } catch (error) {
      if (!StoreError.is(error) || hasCode(error, "aborted", "closed")) throw error;
      failures.push({ bucket, path, error });
    }
  }
  return { removed, known, failures };
}

function online(core: Core): void {
  if (core.settings.offline) throw new RepositoryError("offline", "no store may be asked");
}

async function knownAmong(core: Core, bucket: string, paths: readonly string[]): Promise<ReadonlySet<string>> {
  if (paths.length === 0) return new Set();
  const rows = await core.db.query<{ readonly path: string }>(`select path from repo_object where bucket = ? and path in (${places(paths)})`, bucket, ...paths);
  return new Set(rows.map(({ path }) => path));
}
