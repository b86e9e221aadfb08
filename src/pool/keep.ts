/** Whole, flushed files into the cache; and whether what should be there is. */
import { rm } from "node:fs/promises";
import { StoreError } from "../store/index.ts";
import { cachedNames } from "./cache-names.ts";
import type { Core } from "./core.ts";
import { hashOfFile } from "./disk.ts";
import type { Written } from "./disk.ts";
import type { Reservation } from "./room.ts";
import { finishLeaving, leave } from "./room.ts";
import { locked } from "./rows.ts";
import type { FileRow } from "./rows.ts";

/** Undefined: not cached here. */
export async function cachedName(core: Core, file: number): Promise<string | undefined> {
  return (await core.db.query<{ readonly name: string }>("select name from cached where node = ? and file = ?", core.node, file))[0]?.name;
}

/**
 * Under its name first, then the row: a crash in between leaves a file that the next opening adopts. The caller has the turn of this hash. `queued`: as an upload, which makes the record
 * where there is none, and takes back a removal; otherwise only where the file is still wanted. Gives the file's id, or undefined where it is not wanted any more.
 */
export async function keep(core: Core, path: string, written: Written, name: string, queued: boolean, room: Reservation): Promise<number | undefined> {
  core.checkHold();
  // One at a time, for two hashes may want the same name.
  return await core.turns.take("names", undefined, async () => {
    const { hash, size } = written;
    const there = await core.db.query<{ readonly name: string; readonly hash: string }>(
      "select k.name, f.hash from cached k join file f on f.id = k.file where k.node = ? and f.hash = ?",
      core.node,
      hash,
    );
    const as = there[0]?.name ?? (await freeName(core, hash, name));
    await core.disk.keep(path, as);
    let id: number | undefined;
    let left: { readonly size: number } | undefined;
    try {
      id = await core.db.transaction(async (tx) => {
        const now = core.now();
        if (queued)
          await tx.run(
            "insert into file(hash, name, size, created_ms, queued) values(?, ?, ?, ?, 1) on conflict(hash) do update set queued = 1, marked_ms = null",
            hash,
            name,
            size,
            now,
          );
        const [file] = await tx.query<FileRow>("select * from file where hash = ? {for update}", hash);
        if (file === undefined || file.marked_ms !== null) return undefined;
        // A name that is leaving is ours from here on.
        [left] = await tx.query<{ readonly size: number }>("delete from leaving where node = ? and name = ? returning size", core.node, as);
        await tx.run(
          "insert into cached(node, file, name, used_ms, size) values(?, ?, ?, ?, ?) on conflict(node, file) do update set name = excluded.name, used_ms = excluded.used_ms, size = excluded.size",
          core.node,
          file.id,
          as,
          now,
          file.size,
        );
        return file.id;
      });
    } catch (error) {
      // Where nobody knows whether the row is there, the next opening finds out.
      if (!(StoreError.is(error) && error.applied === "unknown") && there.length === 0) await core.disk.drop(as);
      throw error;
    }
    if (left !== undefined) core.room.add(-left.size);
    if (id === undefined && there.length === 0) await core.disk.drop(as);
    // What replaced a damaged file was counted already.
    else if (there.length === 0) room.settle();
    return id;
  });
}

async function freeName(core: Core, hash: string, name: string): Promise<string> {
  const [usual, sure] = cachedNames(hash, name);
  // Also where the disk folds case, and where one of that name is leaving.
  const taken = (await core.disk.size(usual)) !== null || (await known(core, usual));
  return taken ? sure : usual;
}

async function known(core: Core, name: string): Promise<boolean> {
  const rows = await core.db.query(
    "select 1 as x from cached where node = ? and name = ? union all select 1 as x from leaving where node = ? and name = ?",
    core.node,
    name,
    core.node,
    name,
  );
  return rows.length > 0;
}

/** The name of the cached file, if its bytes are those of the hash. The file is pinned by the caller. */
export async function soundName(core: Core, file: FileRow, signal?: AbortSignal): Promise<{ readonly name: string; readonly sound: boolean } | undefined> {
  const name = await cachedName(core, file.id);
  if (name === undefined) return undefined;
  const found = await hashOfFile(core.disk.file(name), signal);
  return { name, sound: found !== null && found.hash === file.hash && found.size === file.size };
}

/** A cached file that is missing or damaged and can be had again. */
export async function discard(core: Core, id: number): Promise<void> {
  const gone = await core.db.transaction(async (tx) => {
    const file = await locked(tx, id);
    return file === undefined ? undefined : await leave(core, tx, id, file.size);
  });
  if (gone !== undefined) await finishLeaving(core, gone);
}

export function removeQuietly(path: string): Promise<void> {
  return rm(path, { force: true });
}
