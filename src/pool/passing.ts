/** Files that are larger than the cache may be, from host to host: by way of this disk, and of no cache. */
import { statfs } from "node:fs/promises";
import type { Core } from "./core.ts";
import { onDisk } from "./disk.ts";
import { PoolError } from "./errors.ts";
import { fromSources, readableSources } from "./fetch.ts";
import { cachedName } from "./keep.ts";
import type { FileRow } from "./rows.ts";

/** Of the disk, for everybody else. */
const SPARE_BYTES = 64 << 20;

export async function mustPass(core: Core, file: FileRow): Promise<boolean> {
  return file.size > core.room.limit && (await cachedName(core, file.id)) === undefined;
}

/**
 * One at a time: `work` has the file, its hash checked, in a temporary place, which an opening sweeps where the process dies. @throws PoolError `no-room` where the disk has not enough,
 * `not-uploaded`, `sources-failed`
 */
export async function passing<T>(core: Core, file: FileRow, signal: AbortSignal | undefined, work: (path: string) => Promise<T>): Promise<T> {
  return await core.turns.take("passing", signal, async () => {
    const sources = await readableSources(core, file);
    const { bavail, bsize } = await onDisk(() => statfs(core.disk.directory));
    if (bavail * bsize < file.size + SPARE_BYTES)
      throw new PoolError("no-room", "the file is larger than the cache, and the disk has no room for it to pass", { hash: file.hash });
    return await fromSources(core, file, sources, signal, work);
  });
}
