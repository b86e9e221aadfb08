/** Files into their store: once, under a path of its own, with both hashes. */
import { StoreError, fromFile, hasCode } from "../store/index.ts";
import type { Core } from "./core.ts";
import { RepositoryError } from "./errors.ts";
import { soundCopy } from "./fetch.ts";
import { objectPath } from "./names.ts";
import { fullRow, letGoOfObject } from "./rows.ts";
import type { FileRow, FullRow } from "./rows.ts";
import { REMOVING, SENDING, STORED } from "./schema.ts";
import { AFTERLIFE_MS } from "./sweep.ts";

/** Does nothing where the store has it. The caller has not got the turn of this file. @throws RepositoryError `no-content`, `not-local`, `damaged`, `offline`; StoreErrors of the store */
export async function upload(core: Core, id: number, signal: AbortSignal | undefined, pending: string | null = null): Promise<void> {
  await core.turn(id, signal, async () => {
    const row = await fullRow(core.db, core.host, id);
    if (row.purged_ms !== null) throw new RepositoryError("illegal-transition", "it was purged", { file: id });
    if (row.uploaded_ms === null) await send(core, row, pending, signal);
  });
}

/** A new object, also where there was one before: that one is deleted later. The caller has the turn. */
export async function send(
  core: Core,
  row: FullRow,
  pending: string | null,
  signal: AbortSignal | undefined,
  tell: (bytes: number) => void = () => {},
): Promise<void> {
  const { id, md5, sha256, size } = row;
  if (row.content === 0 || md5 === null || sha256 === null || size === null)
    throw new RepositoryError("no-content", "nothing was written to it yet", { file: id });
  if (core.settings.offline) throw new RepositoryError("offline", "no store may be asked", { file: id });
  const store = core.storeOf(row.bucket, id);
  const here = await soundCopy(core, row, signal);
  if (here === undefined) throw new RepositoryError("not-local", "its bytes are on another host", { file: id });
  const damaged = (): RepositoryError =>
    new RepositoryError("damaged", "the local bytes are not those that were written; they are left as they are", { file: id });
  if (!here.sound) throw damaged();
  const path = objectPath(row.key);
  const object = await begin(core, row, pending, path);
  try {
    const entry = await store.write(path, await fromFile(here.path), { size, expect: { md5, sha256 }, signal, onProgress: ({ bytes }) => tell(bytes) });
    const wrong = (entry.size ?? size) !== size || (entry.hashes.md5 ?? md5) !== md5 || (entry.hashes.sha256 ?? sha256) !== sha256;
    if (wrong) throw new StoreError("integrity", "the store has other bytes than those that were sent", { applied: true, store: store.name });
  } catch (error) {
    await abandon(core, object, !StoreError.is(error) || error.applied !== false);
    // Ours or the store's? The disk says.
    if (hasCode(error, "integrity", "bad-body") && (await soundCopy(core, row))?.sound !== true) throw damaged();
    throw error;
  }
  await settle(core, row, pending, object);
}

/** Everything that may lie in a store has a row first. */
async function begin(core: Core, row: FullRow, pending: string | null, path: string): Promise<number> {
  return await core.db.transaction(async (tx) => {
    const now = await core.locked(tx, row.id, pending);
    if (now.purged_ms !== null) throw new RepositoryError("illegal-transition", "it was purged", { file: row.id });
    const [made] = await tx.query<{ readonly id: number }>(
      "insert into repo_object(bucket, path, file, content, state, host, made_ms, due_ms, tries) values(?, ?, ?, ?, ?, ?, ?, ?, 0) returning id",
      row.bucket,
      path,
      row.id,
      row.content,
      SENDING,
      core.host,
      core.now(),
      core.now(),
    );
    return (made as { readonly id: number }).id;
  });
}

/** What was sent and is not wanted, or of which nobody knows. */
async function abandon(core: Core, object: number, perhapsThere: boolean): Promise<void> {
  if (perhapsThere)
    await core.db.run(
      "update repo_object set state = ?, file = null, due_ms = ? where id = ? and state = ?",
      REMOVING,
      core.now() + AFTERLIFE_MS,
      object,
      SENDING,
    );
  else await core.db.run("delete from repo_object where id = ? and state = ?", object, SENDING);
}

async function settle(core: Core, row: FullRow, pending: string | null, object: number): Promise<void> {
  const outcome = await core.db.transaction(async (tx) => {
    core.checkHold();
    const [now] = await tx.query<FileRow>("select * from repo_file where id = ? {for update}", row.id);
    const wanted = now !== undefined && now.purged_ms === null && now.content === row.content && now.pending === pending;
    if (!wanted) {
      await tx.run("update repo_object set state = ?, file = null, due_ms = ? where id = ? and state = ?", REMOVING, core.now(), object, SENDING);
      return "gone";
    }
    // Of a repair: the one that is missing or wrong.
    await letGoOfObject(tx, row.id, core.now(), null);
    const stored = await tx.run(
      "update repo_object set state = ?, host = null, checked_ms = ?, bad = null where id = ? and state = ?",
      STORED,
      core.now(),
      object,
      SENDING,
    );
    // Somebody took this process for dead meanwhile, and the object is on its way out.
    if (stored === 0) throw new StoreError("conflict", "another host took this one for dead while it sent", { applied: false });
    await tx.run("update repo_file set uploaded_ms = ? where id = ?", core.now(), row.id);
    return "stored";
  });
  if (outcome === "gone") throw new RepositoryError("unknown-file", "it was removed while it was sent", { file: row.id });
}
