/**
 * What lies at a path: a file, a directory of any maker, or nothing. stat, and the first step of most other verbs.
 *
 *   const found = await look(context, path, signal);     // { kind: "file", facts } | { kind: "directory" } | undefined
 *
 * Where a file and a directory have one name, the file is found. A failed HEAD says nothing but its status, so the reason is asked for.
 */
import { entry, root, StoreError, type Entry, type Hashes, type StorePath } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { isFailure, S3Failure } from "./failure.ts";
import { keyPage } from "./pages.ts";
import type { ObjectFacts } from "./wire.ts";

export type Found = { readonly kind: "file"; readonly facts: ObjectFacts } | { readonly kind: "directory" };

/** Content types under which tools store an empty object for a directory. */
const DIRECTORY_TYPES: ReadonlySet<string> = new Set(["application/x-directory", "application/x-directory; charset=utf-8", "httpd/unix-directory"]);

export async function look(context: Context, path: StorePath, signal: AbortSignal | undefined): Promise<Found | undefined> {
  if (path === root) {
    await bucketIsThere(context, signal);
    return { kind: "directory" };
  }
  const file = await lookFile(context, path, signal);
  if (file !== undefined) return file;
  return (await isDirectory(context, path, signal)) ? { kind: "directory" } : undefined;
}

/** One request where something is there. Undefined: no object of that key; there may be a directory. */
export async function lookFile(context: Context, path: StorePath, signal: AbortSignal | undefined): Promise<Found | undefined> {
  const key = context.keys.file(path);
  const facts = await headOrNothing(context, key, signal);
  if (facts === undefined || isParentMarker(key, facts.size)) return undefined;
  return isTypeMarker(context, facts) ? { kind: "directory" } : { kind: "file", facts };
}

/** An empty object whose key ends in "/" marks the directory above; with bytes in it, it is the file whose name is empty. */
export function isParentMarker(key: string, size: number | null): boolean {
  return size === 0 && key.endsWith("/");
}
export function isTypeMarker({ settings }: Context, facts: ObjectFacts): boolean {
  return settings.contentTypeMarkers && facts.size === 0 && facts.contentType !== null && DIRECTORY_TYPES.has(facts.contentType.toLowerCase());
}

/** Something lies below, or a marker does. */
export async function isDirectory(context: Context, path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  const prefix = context.keys.directory(path);
  const { objects } = await keyPage(context, { prefix, max: 1 }, signal);
  return objects.length > 0 || (await hasFolderMarker(context, path, signal));
}

export async function hasFolderMarker(context: Context, path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  const key = context.settings.folderMarkers ? context.keys.folderMarker(path) : undefined;
  if (key === undefined) return false;
  return (await headOrNothing(context, key, signal))?.size === 0;
}

export async function headOrNothing(context: Context, key: string, signal: AbortSignal | undefined): Promise<ObjectFacts | undefined> {
  try {
    return await explained(context, signal, () => context.wire.head(key, signal));
  } catch (error) {
    if (isFailure(error, 404) && error.code !== "NoSuchBucket") return undefined;
    throw error;
  }
}

/** The bucket's own HEAD. @throws StoreError `config` where there is none */
export async function bucketIsThere(
  context: Context,
  signal: AbortSignal | undefined,
): Promise<{ readonly usedBytes: number | null; readonly quotaBytes: number | null }> {
  try {
    return await explained(context, signal, () => context.wire.headBucket(signal));
  } catch (error) {
    if (isFailure(error, 404)) throw new S3Failure({ status: 404, code: "NoSuchBucket", cause: error });
    throw error;
  }
}

/** A refused HEAD has no body, so a listing of at most one key is asked why: its answer names wrong keys, wrong regions, expired tokens. */
async function explained<T>({ wire, session, keys }: Context, signal: AbortSignal | undefined, head: () => Promise<T>): Promise<T> {
  try {
    return await head();
  } catch (error) {
    if (!isFailure(error, 301, 307, 400, 401, 403) || error.code !== "") throw error;
    const { generation } = session;
    await wire.list({ prefix: keys.prefix, max: 1 }, signal);
    // It went through because the region was corrected on the way: then HEAD does as well.
    if (session.generation === generation) throw error;
    return await head();
  }
}

export function notFound(): StoreError {
  return new StoreError("not-found", "nothing at this path");
}
export function directoryEntry(path: StorePath): Entry {
  return entry({ path, kind: "directory" });
}
export function fileEntry(context: Context, path: StorePath, facts: ObjectFacts): Entry {
  const { size, etag, modifiedMs, contentType, metadata } = facts;
  return entry({ path, kind: "file", size, etag, modifiedMs, contentType, metadata, hashes: hashesOf(context, etag, facts.encrypted) });
}
/** The etag is the MD5 of an object that was put in one piece; those of several pieces have a dash in it. */
export function hashesOf({ vendor }: Context, etag: string | null, encrypted: boolean): Hashes {
  return vendor.md5Etag && !encrypted && etag !== null && /^[0-9a-f]{32}$/.test(etag) ? { md5: etag } : {};
}
