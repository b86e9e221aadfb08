/** The bytes of unpublished files, on the host that added them. */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { StoreError, toSource } from "../store/index.ts";
import type { Body } from "../store/index.ts";
import { latestBackup } from "./backups.ts";
import { addCopy, finishLeaving } from "./copies.ts";
import type { Core } from "./core.ts";
import type { Sum } from "./disk.ts";
import { RepositoryError } from "./errors.ts";
import { afterCommit } from "./failures.ts";
import { soundCopy } from "./fetch.ts";
import { isCompressed, localName } from "./names.ts";
import { fullRow, letGoOfObject, stateOf } from "./rows.ts";
import type { FileRow, FullRow } from "./rows.ts";

export interface ContentOptions {
  readonly signal?: AbortSignal | undefined;
}

/** @throws RepositoryError `read-only`, `illegal-transition` of a purged file, `not-origin` */
function checkWritable(core: Core, row: FileRow): void {
  const state = stateOf(row);
  if (state === "purged") throw new RepositoryError("illegal-transition", "it was purged", { file: row.id });
  if (state !== "unpublished") throw new RepositoryError("read-only", `a file that is ${state} keeps its bytes: add another version`, { file: row.id });
  if (row.origin !== core.host) throw new RepositoryError("not-origin", "only the host that added it can write to it", { file: row.id });
}

/** Replaces, or with `append` adds to, the bytes: whole and flushed when it resolves, as before when it fails or the process dies. */
export async function writeContent(core: Core, id: number, body: Body, append: boolean, { signal }: ContentOptions, pending: string | null): Promise<void> {
  const source = toSource(body, { signal });
  const incoming = core.disk.incoming();
  try {
    await core.turn(id, signal, async () => {
      const row = await fullRow(core.db, core.host, id);
      checkWritable(core, row);
      const before = append && row.content > 0 ? await localBytes(core, row) : undefined;
      await using stream = source.open();
      const added = isCompressed(row.path_text) ? compressed(stream) : stream;
      const sum = await core.disk.write(incoming, before === undefined ? added : joined(before, added), signal);
      await keepContent(core, id, incoming, sum, pending);
    });
  } finally {
    await source.discard();
    await rm(incoming, { force: true });
  }
}

/** The caller has the turn of this file. The file first, then its row: a crash in between leaves a file that nobody was promised. `next`: to whom the row belongs from then on. */
export async function keepContent(core: Core, id: number, incoming: string, sum: Sum, pending: string | null, next: string | null = pending): Promise<void> {
  const { guid, path_text: path } = await fullRow(core.db, core.host, id);
  const name = localName(guid, path);
  core.checkHold();
  await core.disk.keep(incoming, name);
  try {
    await core.localBytes.change(async () => {
      await core.db.transaction(async (tx) => {
        const row = await core.locked(tx, id, pending);
        checkWritable(core, row);
        await addCopy(core, tx, id, name, sum);
        // What was sent of it before are other bytes.
        if (row.uploaded_ms !== null) await letGoOfObject(tx, id, core.now(), await latestBackup(tx));
        await tx.run(
          "update repo_file set content = content + 1, md5 = ?, sha256 = ?, size = ?, changed_ms = ?, uploaded_ms = null, marked_ms = null, pending = ? where id = ?",
          sum.md5,
          sum.sha256,
          sum.size,
          core.now(),
          next,
          id,
        );
      });
      return [undefined, sum.size];
    });
  } catch (error) {
    // Where nobody knows whether the row is there, the next opening finds out.
    if (!(StoreError.is(error) && error.applied === "unknown")) await core.disk.drop(name);
    throw error;
  }
  await afterCommit(() => finishLeaving(core, id));
}

async function localBytes(core: Core, row: FullRow): Promise<AsyncIterable<Uint8Array>> {
  const here = await soundCopy(core, row);
  if (here === undefined) throw new RepositoryError("not-local", "its bytes are not on this host", { file: row.id });
  if (!here.sound) throw new RepositoryError("damaged", "the local bytes are not those that were written; they are left as they are", { file: row.id });
  return createReadStream(here.path, { highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>;
}

/** One member of a gzip file; several in a row are a gzip file too. */
async function* compressed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = Readable.from(chunks, { objectMode: false });
  const output = createGzip();
  input.on("error", (error) => output.destroy(error));
  input.pipe(output);
  try {
    for await (const chunk of output as AsyncIterable<Buffer>) yield chunk;
  } finally {
    input.destroy();
    output.destroy();
  }
}

async function* joined(...parts: readonly AsyncIterable<Uint8Array>[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield* part;
}
