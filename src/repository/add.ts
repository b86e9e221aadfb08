/** New files: a row, and perhaps bytes on this disk. No store is asked. */
import { randomBytes } from "node:crypto";
import { lstat, rm } from "node:fs/promises";
import type { Transaction } from "../catalogue/index.ts";
import { StoreError, fromFile, hasCode, parsePath } from "../store/index.ts";
import { keepContent } from "./content.ts";
import type { Core } from "./core.ts";
import type { Sum } from "./disk.ts";
import { sumOfFile } from "./disk.ts";
import { RepositoryError } from "./errors.ts";
import { checkPath, newKey } from "./names.ts";
import { MAIN } from "./options.ts";

export interface AddOptions {
  /** Default "main". */
  readonly bucket?: string | undefined;
  /** Unique in its bucket; a path ("/…"). Default: the path, "." and sixteen random digits. */
  readonly key?: string | undefined;
}
export interface AddLocalOptions extends AddOptions {
  /** The source is gone afterwards. Default false: it stays. */
  readonly move?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws RepositoryError `file-exists`, `unknown-bucket`, `bad-query` */
export async function addFile(core: Core, path: string, { bucket = MAIN, key }: AddOptions, pending: string | null): Promise<number> {
  core.checkHold();
  core.storeOf(bucket);
  const logical = checkPath(path);
  const as = key === undefined ? newKey(logical) : checkPath(key);
  try {
    return await core.db.transaction(async (tx) => {
      const { id: place } = await pathRow(tx, logical);
      const now = core.now();
      const [row] = await tx.query<{ readonly id: number }>(
        `insert into repo_file(guid, bucket, key, path, origin, pending, content, created_ms, changed_ms, published) values(?, ?, ?, ?, ?, ?, 0, ?, ?, 0) returning id`,
        randomBytes(16).toString("hex"),
        bucket,
        parsePath(as),
        place,
        core.host,
        pending,
        now,
        now,
      );
      return (row as { readonly id: number }).id;
    });
  } catch (error) {
    if (hasCode(error, "already-exists")) throw new RepositoryError("file-exists", `bucket ${bucket} has a file with this key`, { cause: error });
    throw error;
  }
}

/** The row of a path, made where there is none. */
export async function pathRow(tx: Transaction, path: string): Promise<{ readonly id: number }> {
  await tx.run("insert into repo_path(path, versions) values(?, 0) on conflict(path) do nothing", path);
  return (await tx.query<{ readonly id: number }>("select id from repo_path where path = ?", path))[0] as { readonly id: number };
}

/** The bytes of a local file as they are. `done` is given the removal of a moved source, for after the commit. @throws also RepositoryError `bad-source` */
export async function addLocalFile(
  core: Core,
  path: string,
  source: string,
  options: AddLocalOptions,
  pending: string | null,
  done: (removeSource: () => Promise<void>) => Promise<void> | void = (remove) => remove(),
): Promise<number> {
  const { move = false, signal, ...rest } = options;
  checkPath(path);
  const incoming = core.disk.incoming();
  try {
    const sum = await taken(core, source, incoming, move, signal);
    const id = await addFile(core, path, rest, pending);
    try {
      await core.turn(id, signal, () => keepContent(core, id, incoming, sum, pending));
    } catch (error) {
      // Without its bytes it is nothing that anybody asked for. Where nobody knows whether they are there, the row stays, unpublished.
      if (!(StoreError.is(error) && error.applied === "unknown")) await core.db.run("delete from repo_file where id = ? and content = 0", id);
      throw error;
    }
    if (move) await done(() => rm(source, { force: true }));
    return id;
  } finally {
    await rm(incoming, { force: true });
  }
}

/** What is moved gets a second name first, so that a kill in between leaves the source. */
async function taken(core: Core, source: string, incoming: string, move: boolean, signal: AbortSignal | undefined): Promise<Sum> {
  const bad = (cause: unknown): RepositoryError => new RepositoryError("bad-source", "the local file is no regular file, or cannot be read", { cause });
  const found = await lstat(source).catch((error: unknown) => Promise.reject(bad(error)));
  if (!found.isFile()) throw bad(undefined);
  if (move && (await core.disk.adopt(source, incoming))) {
    const sum = await sumOfFile(incoming, signal);
    if (sum === null) throw bad(undefined);
    return sum;
  }
  try {
    return await core.disk.write(incoming, (await fromFile(source)).open() as AsyncIterable<Uint8Array>, signal);
  } catch (error) {
    throw hasCode(error, "bad-body") ? bad(error) : error;
  }
}
