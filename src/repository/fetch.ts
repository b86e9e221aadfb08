/** The bytes of files: from this disk, else from the store; hashed before they are given. */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { pipeline } from "node:stream";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { copyOut } from "../local-files/index.ts";
import { StoreError, hasCode } from "../store/index.ts";
import { addCopy, finishLeaving, leave, touch } from "./copies.ts";
import type { Core } from "./core.ts";
import { sumOfFile } from "./disk.ts";
import { RepositoryError } from "./errors.ts";
import { afterCommit } from "./failures.ts";
import { isCompressed, localName } from "./names.ts";
import { copyOf, fullRow, objectOf, unknown } from "./rows.ts";
import type { FileRow, FullRow, ObjectRow } from "./rows.ts";
import { STORED } from "./schema.ts";

export interface Cached extends Disposable {
  readonly row: FullRow;
  /** On this disk. Stays there until this is disposed; afterwards until room is needed. */
  readonly path: string;
}

/** How often a store is asked for bytes that turn out wrong. */
const TRIES = 2;

/** @throws RepositoryError `unknown-file`, `no-content`, `not-local`, `offline`, `object-missing`, `object-wrong`, `damaged`; StoreErrors of the store */
export async function cache(core: Core, id: number, signal: AbortSignal | undefined): Promise<Cached> {
  return await core.turn(id, signal, async () => {
    const row = await fullRow(core.db, core.host, id);
    if (row.purged_ms !== null) throw new RepositoryError("unknown-file", "it was purged", { file: id });
    if (row.content === 0) throw new RepositoryError("no-content", "nothing was written to it yet", { file: id });
    const pin = core.pin(id);
    try {
      const path = (await fromDisk(core, row, signal)) ?? (await fromStore(core, row, signal));
      await touch(core, id);
      return { row, path, [Symbol.dispose]: () => pin[Symbol.dispose]() };
    } catch (error) {
      pin[Symbol.dispose]();
      throw error;
    }
  });
}

/** The local copy, and whether it has the right bytes; a missing file has none. */
export async function soundCopy(core: Core, row: FileRow, signal?: AbortSignal): Promise<{ readonly path: string; readonly sound: boolean } | undefined> {
  const copy = await copyOf(core.db, core.host, row.id);
  if (copy === undefined) return undefined;
  const path = core.disk.file(copy.name);
  const sum = await sumOfFile(path, signal);
  return { path, sound: sum !== null && sum.sha256 === row.sha256 && sum.size === row.size };
}

async function fromDisk(core: Core, row: FullRow, signal: AbortSignal | undefined): Promise<string | undefined> {
  const here = await soundCopy(core, row, signal);
  if (here === undefined || here.sound) return here?.path;
  core.report("bad-copy", row.id, row.path_text);
  // Without another one it stays: somebody may still save something of it.
  if ((await objectOf(core.db, row.id)) === undefined)
    throw new RepositoryError("damaged", "the local bytes are not those that were written, and no store has others", { file: row.id });
  if (core.settings.offline) throw new RepositoryError("offline", "the local copy is damaged, and no store may be asked", { file: row.id });
  await core.db.transaction((tx) => leave(core, tx, row.id));
  await finishLeaving(core, row.id);
  return undefined;
}

async function fromStore(core: Core, row: FullRow, signal: AbortSignal | undefined): Promise<string> {
  const object = await objectOf(core.db, row.id);
  if (object === undefined) throw new RepositoryError("not-local", "its bytes are on another host, and no store has them yet", { file: row.id });
  if (core.settings.offline) throw new RepositoryError("offline", "it is not on this host, and no store may be asked", { file: row.id });
  for (let attempt = 1; ; attempt++) {
    const incoming = core.disk.incoming();
    try {
      if (await receive(core, row, object, incoming, signal)) return await keep(core, row, incoming);
      core.report("bad-download", row.id, row.path_text);
      if (attempt === TRIES) {
        await markBad(core, object, "wrong");
        core.report("object-wrong", row.id, row.path_text);
        throw new RepositoryError("object-wrong", "the store gives other bytes than those that were stored", { file: row.id });
      }
    } finally {
      await rm(incoming, { force: true });
    }
  }
}

/** False: other bytes than those of this file; nothing is left then. */
async function receive(core: Core, row: FullRow, object: ObjectRow, incoming: string, signal: AbortSignal | undefined): Promise<boolean> {
  const store = core.storeOf(object.bucket, row.id);
  let got = 0;
  try {
    const sum = await core.disk.write(incoming, await store.read(object.path, { signal }), signal, (bytes) => {
      got += bytes;
      if (got > (row.size ?? 0)) throw new StoreError("integrity", "the store gives more bytes than the file has", { store: store.name });
    });
    return sum.sha256 === row.sha256 && sum.md5 === row.md5;
  } catch (error) {
    if (hasCode(error, "integrity") && error.store !== null) return false;
    if (!hasCode(error, "not-found", "is-a-directory", "not-a-directory")) throw error;
    // It may have been collected meanwhile.
    const now = await fullRow(core.db, core.host, row.id);
    if (now.purged_ms !== null) throw new RepositoryError("unknown-file", "it was purged", { file: row.id });
    await markBad(core, object, "missing");
    core.report("object-missing", row.id, row.path_text);
    throw new RepositoryError("object-missing", "the store has not got its object any more", { file: row.id, cause: error });
  }
}

async function markBad(core: Core, object: ObjectRow, how: "missing" | "wrong"): Promise<void> {
  await core.db.run("update repo_object set bad = ?, checked_ms = ? where id = ? and state = ?", how, core.now(), object.id, STORED);
}

async function keep(core: Core, row: FullRow, incoming: string): Promise<string> {
  const name = localName(row.guid, row.path_text);
  core.checkHold();
  await core.disk.keep(incoming, name);
  try {
    await core.localBytes.change(async () => {
      await core.db.transaction(async (tx) => {
        const [now] = await tx.query<FileRow>("select * from repo_file where id = ? {for update}", row.id);
        if (now === undefined || now.purged_ms !== null || now.content !== row.content) throw unknown(row.id);
        const { md5, sha256, size } = row;
        await addCopy(core, tx, row.id, name, { md5: md5 ?? "", sha256: sha256 ?? "", size: size ?? 0 });
        // Somebody wants it.
        await tx.run("update repo_file set marked_ms = null where id = ?", row.id);
      });
      return [undefined, row.size ?? 0];
    });
  } catch (error) {
    if (!(StoreError.is(error) && error.applied === "unknown")) await core.disk.drop(name);
    throw error;
  }
  await afterCommit(() => finishLeaving(core, row.id));
  return core.disk.file(name);
}

/** The bytes as a reader wants them: decompressed where the name ends in .gz, unless `raw`. Ends the pin when it ends. */
export function reading(cached: Cached, raw: boolean): Readable {
  const file = createReadStream(cached.path, { highWaterMark: 256 << 10 });
  const end = (): void => cached[Symbol.dispose]();
  if (raw || !isCompressed(cached.row.path_text)) {
    file.once("close", end);
    return file;
  }
  // What goes wrong with one of the two ends the other, and the reader is told by the last one.
  return pipeline(file, createGunzip(), end) as Readable;
}

/** A copy of the stored bytes at `target`: whole, flushed and of the right hash, or nothing new there. What goes wrong with the target is told by Node's own error. */
export async function downloadTo(core: Core, id: number, target: string, signal: AbortSignal | undefined): Promise<void> {
  using cached = await cache(core, id, signal);
  const damaged = (): RepositoryError => new RepositoryError("damaged", "the local bytes changed while they were read", { file: id });
  await copyOut(cached.path, target, cached.row.sha256, damaged, signal);
}
