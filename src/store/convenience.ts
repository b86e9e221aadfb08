/** Conveniences over any Store: what programs ask for again and again, in terms of the ten operations. */
import { randomBytes } from "node:crypto";
import { open as openFile, rename, rm } from "node:fs/promises";
import { fromFile } from "./file-body.ts";
import type { Reopenable } from "./body.ts";
import type { Entry } from "./entry.ts";
import { StoreError, hasCode } from "./errors.ts";
import type { CallOptions, ReadOptions, StatOptions, WriteOptions } from "./options.ts";
import type { StorePath } from "./path.ts";
import type { Store } from "./store.ts";

/** The entry, or null where nothing is; any other failure rejects. Kind, size, time and etag are enough. */
async function look(store: Store, path: string, options: CallOptions | undefined): Promise<Entry | null> {
  try {
    return await store.stat(path, { ...options, detail: "basic" } satisfies StatOptions);
  } catch (error) {
    if (hasCode(error, "not-found")) return null;
    throw error;
  }
}

/** False only for `not-found`; anything else that goes wrong rejects. */
export async function exists(store: Store, path: string, options?: CallOptions): Promise<boolean> {
  return (await look(store, path, options)) !== null;
}

/** False for a file and where nothing is; anything else that goes wrong rejects. */
export async function isDirectory(store: Store, path: string, options?: CallOptions): Promise<boolean> {
  return (await look(store, path, options))?.kind === "directory";
}

/** Bytes; null where the service has no size for it. Rejects with `not-found`. */
export async function sizeOf(store: Store, path: string, options?: CallOptions): Promise<number | null> {
  return (await store.stat(path, { ...options, detail: "basic" })).size;
}

/** Null where the service keeps no time for it. Rejects with `not-found`. */
export async function modifiedOf(store: Store, path: string, options?: CallOptions): Promise<Date | null> {
  const { modifiedMs } = await store.stat(path, { ...options, detail: "basic" });
  return modifiedMs === null ? null : new Date(modifiedMs);
}

export async function readBytes(store: Store, path: string, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
  return (await store.read(path, options)).bytes();
}

/** UTF-8; a byte order mark is kept. */
export async function readText(store: Store, path: string, options?: ReadOptions): Promise<string> {
  return (await store.read(path, options)).text();
}

/** A local file into the store, as `write(path, fromFile(localPath))`. */
export async function upload(store: Store, localPath: string, path: string, options?: WriteOptions): Promise<Entry> {
  let body: Reopenable;
  try {
    body = await fromFile(localPath);
  } catch (error) {
    throw StoreError.is(error) ? error.with({ store: store.name, operation: "write", path: path as StorePath, cause: error.cause }) : error;
  }
  return store.write(path, body, options);
}

/** Into a temporary file next to the target, flushed, then renamed: never a half file at the target. What goes wrong with the local file is told by Node's own error. */
export async function download(store: Store, path: string, localPath: string, options?: ReadOptions): Promise<Entry> {
  await using result = await store.read(path, options);
  const temporary = `${localPath}.stratus-${randomBytes(8).toString("hex")}.tmp`;
  const file = await openFile(temporary, "wx");
  try {
    try {
      for await (const chunk of result) await file.appendFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, localPath);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return result.entry;
}
