/** A cache directory as a killed process leaves it, with work that the remote has not got, and what every later process must see of it. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory } from "../../../../src/providers/memory/index.ts";
import { StoreError } from "../../../../src/store/index.ts";
import type { Layered, Store } from "../../../../src/store/index.ts";
import { cachingWith } from "../../../../src/wrappers/caching/index.ts";
import type { CacheControl, CachingOptions } from "../../../../src/wrappers/caching/index.ts";
import { rules } from "../../../../src/wrappers/caching/rules.ts";

export type Cache = Store & Layered<"caching", CacheControl>;
/** Every size once, so that the bytes of one file are never right for another. Those above 4,096 are files. */
export const files: Readonly<Record<string, Buffer>> = Object.fromEntries(
  ["/a", "/b", "/d/a", "/d/e/b", "/d/e/c", "/f", "/g", "/moved/h"].map((path, index) => [
    path,
    bytesOf(index, [11, 300, 4000, 5000, 9000, 700, 40_000, 20][index] as number),
  ]),
);

function bytesOf(index: number, size: number): Buffer {
  const mark = `file ${index} of eight.`;
  return Buffer.from(mark.repeat(Math.ceil(size / mark.length)).slice(0, size));
}

export function temporary(): string {
  return mkdtempSync(join(tmpdir(), "stratus-cache-"));
}

/** Nothing is sent: the remote is empty, and stays so. */
export function open(directory: string, options: Partial<CachingOptions> = {}, killed?: AbortSignal): Promise<Cache> {
  const settings = { directory, inlineBytes: 4096, minFreeBytes: 0, uploadDelayMs: 3_600_000, maxDelayMs: 3_600_000, verifyReads: true, ...options };
  const store: Cache = cachingWith(rules, settings, { killed })(memory());
  return store.open();
}

/** Opened, changed, and as a kill at that moment leaves it: with its log. `closed`: all in the database. */
export async function leave(directory: string, closed = false): Promise<void> {
  const killed = new AbortController();
  const lived = temporary();
  const store = await open(lived, {}, killed.signal);
  await store.layers.caching.pause();
  for (const [path, bytes] of Object.entries(files)) await store.write(path === "/moved/h" ? "/h" : path, path === "/f" ? "an older version" : bytes);
  await store.write("/f", files["/f"] as Buffer);
  await store.move("/h", "/moved/h");
  await store.write("/gone", "deleted again");
  await store.delete("/gone");
  await store.mkdir("/empty");
  // SQLite, unlike a dead process, folds its log into the database when it is closed.
  if (closed) killed.abort();
  cpSync(lived, directory, { recursive: true });
  killed.abort();
  remove(lived);
}

export function copyOf(directory: string): string {
  const copy = temporary();
  cpSync(directory, copy, { recursive: true, filter: (path) => !path.endsWith("/reserve") });
  return copy;
}

export function remove(...directories: readonly string[]): void {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
}

/** Per path: "ok", the code of a typed error, or what may never be: wrong bytes, an error of another kind. */
export type Seen = Readonly<Record<string, string>>;

export async function lookAt(directory: string, options: Partial<CachingOptions> = {}): Promise<Seen | string> {
  let store: Cache;
  try {
    store = await open(directory, options);
  } catch (error) {
    return StoreError.is(error) ? error.code : `NOT TYPED: ${String(error)}`;
  }
  try {
    const seen: Record<string, string> = {};
    for (const [path, bytes] of Object.entries(files)) seen[path] = await one(store, path, bytes);
    seen["/gone"] = await one(store, "/gone", undefined);
    return seen;
  } finally {
    await store.close({ signal: AbortSignal.abort() }).catch((error: unknown) => {
      if (!StoreError.is(error)) throw error;
    });
  }
}

async function one(store: Cache, path: string, wanted: Buffer | undefined): Promise<string> {
  try {
    const bytes = await (await store.read(path)).bytes();
    return wanted !== undefined && Buffer.compare(bytes, wanted) === 0 ? "ok" : `WRONG BYTES: ${bytes.length} of them`;
  } catch (error) {
    return StoreError.is(error) ? error.code : `NOT TYPED: ${String(error)}`;
  }
}

export const allWell: Seen = { ...Object.fromEntries(Object.keys(files).map((path) => [path, "ok"])), "/gone": "not-found" };
