/** Files into the pool: into the cache at once, to the hosts by `sync`. */
import { basename } from "node:path";
import { fromFile, toSource } from "../store/index.ts";
import type { Body } from "../store/index.ts";
import { cleanName } from "./cache-names.ts";
import type { Core } from "./core.ts";
import { hashOfBytes } from "./disk.ts";
import { keep, removeQuietly, soundName } from "./keep.ts";
import { livingHosts, locked } from "./rows.ts";
import type { FileRow } from "./rows.ts";

export interface UploadOptions {
  /** What the file is called: its last part is kept. Default: of `uploadFile` the name of the file, else the first ten digits of the hash. The first upload of a content names it. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export async function uploadFile(core: Core, path: string, options: UploadOptions): Promise<string> {
  return await upload(core, await fromFile(path), { ...options, name: options.name ?? basename(path) });
}

export async function upload(core: Core, body: Body, { name, signal }: UploadOptions): Promise<string> {
  const source = toSource(body, { signal });
  const path = core.disk.incoming();
  try {
    if (source.replayable && source.size !== null && (await sizeIsKnown(core, source.size))) {
      // Perhaps known content: then it costs reading, and nothing else.
      await using first = source.open();
      const { hash } = await hashOfBytes(first, signal, () => {});
      if (await core.turns.take(hash, signal, () => known(core, hash))) return hash;
    }
    // Of a known size all room at once; else as the bytes come.
    using room = await core.room.reserve(source.size ?? 0);
    await using stream = source.open();
    const written = await core.disk.write(path, stream, signal, source.size === null ? (bytes) => room.grow(bytes) : () => {});
    await core.turns.take(written.hash, signal, async () => {
      if (!(await known(core, written.hash))) await keep(core, path, written, cleanName(name, written.hash), true, room);
    });
    return written.hash;
  } finally {
    await source.discard();
    await removeQuietly(path);
  }
}

async function sizeIsKnown(core: Core, size: number): Promise<boolean> {
  return (await core.db.query("select 1 as x from file where size = ? limit 1", size)).length > 0;
}

/**
 * Whether there is nothing to do: the file is here, or on as many hosts as are wanted. Takes back a removal. The row is locked while that is decided, so that no collection can
 * take what this relies on. The caller has the turn of this hash.
 */
async function known(core: Core, hash: string): Promise<boolean> {
  const [found] = await core.db.query<FileRow>("select * from file where hash = ?", hash);
  if (found === undefined) return false;
  using _pin = await core.pin(found.id);
  // The bytes in hand may be better than those on the disk.
  const here = await soundName(core, found);
  return await core.db.transaction(async (tx) => {
    const file = await locked(tx, found.id);
    if (file === undefined) return false;
    const complete = (await livingHosts(tx, file.id)).length >= core.settings.copies;
    if (!complete && here?.sound !== true) return false;
    if (here !== undefined && !here.sound) return false;
    await tx.run("update file set marked_ms = null, queued = ? where id = ?", complete ? file.queued : 1, file.id);
    return true;
  });
}
