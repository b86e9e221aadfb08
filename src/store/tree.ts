/** Trees of services that know only directories: listing and deleting by walking. */
import type { Backend } from "./backend.ts";
import { calls } from "./calls.ts";
import type { Entry } from "./entry.ts";
import { StoreError, abortError, hasCode } from "./errors.ts";
import { inDoubt } from "./in-part.ts";
import type { DeleteCall, ListCall, Page } from "./operations.ts";
import type { StorePath } from "./path.ts";

/** Where a walk stands: immutable, so that a page may be asked for twice. */
interface Walk {
  readonly dir: StorePath;
  readonly cursor: unknown;
  readonly next: Walk | undefined;
}

/** One page of one directory per call; a directory comes before what it holds. */
export async function listTree(call: ListCall, list: (call: ListCall) => Promise<Page>): Promise<Page> {
  const walk = (call.cursor as Walk | undefined) ?? { dir: call.path, cursor: undefined, next: undefined };
  let page: Page;
  try {
    page = await list({ ...call, path: walk.dir, recursive: false, cursor: walk.cursor, ifNoneMatch: undefined });
  } catch (error) {
    // A directory that was there when its parent was listed and is gone now took its children with it.
    if (walk.dir === call.path || !hasCode(error, "not-found", "not-a-directory")) throw error;
    return { entries: [], cursor: walk.next };
  }
  let next = walk.next;
  for (const { kind, path } of page.entries.toReversed()) if (kind === "directory") next = { dir: path, cursor: undefined, next };
  if (page.cursor !== undefined && page.cursor !== null) next = { dir: walk.dir, cursor: page.cursor, next };
  return { entries: page.entries, cursor: next };
}

/** All entries below a directory. */
export async function entriesBelow(backend: Backend, dir: StorePath, signal: AbortSignal | undefined): Promise<Entry[]> {
  const found: Entry[] = [];
  let cursor: unknown;
  do {
    const page = await backend.list(calls.list(dir, { recursive: true, fresh: true, signal, cursor }));
    // One by one: a page of a store in memory may be longer than an argument list can be.
    for (const entry of page.entries) found.push(entry);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/**
 * Runs `work` over all items, at most `width` at once. After a failure nothing new starts. When all have ended the first failure is thrown, or the first one
 * that left a doubt: what is known of the others must not hide it.
 */
export async function forEach<T>(items: Iterable<T> | AsyncIterable<T>, width: number, work: (item: T) => Promise<void>): Promise<void> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (failures.length === 0) {
      try {
        const next = await source.next();
        if (next.done === true) return;
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(1000, Math.max(1, width)) }, worker));
  if (failures.length === 0) return;
  await source.return?.();
  throw failures.find(inDoubt) ?? failures[0];
}

/** No directory before what it holds: whatever is below it has a longer path. */
export function deepestFirst(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => b.path.length - a.path.length);
}

/** How often a tree is walked again because somebody put something into it meanwhile. */
const WALKS = 3;

export async function deleteTree(call: DeleteCall, backend: Backend): Promise<void> {
  const { path, signal } = call;
  const deleteOne = (one: StorePath, ifMatch?: string | undefined): Promise<void> => backend.delete(calls.delete(one, { signal, ifMatch }));
  const kind = await kindOf(backend, path, signal);
  if (kind !== "directory") return deleteOne(path, call.ifMatch);
  if (call.ifMatch !== undefined) throw new StoreError("is-a-directory", "a condition on an etag is for files");
  let done = 0;
  let at = path;
  const remove = async (entry: Entry): Promise<void> => {
    signal?.throwIfAborted();
    at = entry.path;
    await deleteOne(entry.path);
    done++;
  };
  const width = Math.min(16, backend.capabilities.concurrency);
  try {
    for (let walk = 1; ; walk++) {
      try {
        const entries = await entriesBelow(backend, path, signal);
        const files = entries.filter((entry) => entry.kind === "file");
        await forEach(files, width, remove);
        for (const directory of deepestFirst(entries.filter((entry) => entry.kind === "directory"))) await remove(directory);
        at = path;
        return await deleteOne(path);
      } catch (error) {
        if (!hasCode(error, "not-empty", "not-found", "not-a-directory", "is-a-directory") || walk === WALKS) throw error;
        // Somebody else was at it too. Where the whole of it is gone, that is what was asked for.
        if ((await kindOf(backend, path, signal)) === undefined) return;
      }
    }
  } catch (error) {
    throw half(error, done, at, signal);
  }
}

/** The failure of a change that was made of many: how far it came, and whether more of it may still come. */
export function half(error: unknown, done: number, at: StorePath, signal: AbortSignal | undefined, doubt: boolean = inDoubt(error)): unknown {
  if (done === 0) return error;
  const facts = { applied: doubt ? ("unknown" as const) : ("partly" as const), partial: { done, at } };
  if (signal?.aborted === true) return abortError(signal, facts);
  if (!StoreError.is(error)) return new StoreError("unknown", "a tree was changed only in part", { ...facts, cause: error });
  return error.with({ ...facts, code: error.code === "not-empty" ? "conflict" : error.code, cause: error.cause });
}

async function kindOf(backend: Backend, path: StorePath, signal: AbortSignal | undefined): Promise<"file" | "directory" | undefined> {
  try {
    return (await backend.stat(calls.stat(path, { detail: "basic", fresh: true, signal }))).kind;
  } catch (error) {
    if (hasCode(error, "not-found")) return undefined;
    throw error;
  }
}

export async function statOrNothing(backend: Backend, path: StorePath, signal: AbortSignal | undefined): Promise<Entry | undefined> {
  try {
    return await backend.stat(calls.stat(path, { fresh: true, signal }));
  } catch (error) {
    if (hasCode(error, "not-found")) return undefined;
    throw error;
  }
}
