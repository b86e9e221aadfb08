/**
 * Small fixtures and looks for checks: each waits where the store declares that it is late, and looks once where it is strong.
 *
 *   await put(context, "/w/a", pattern(100));
 *   await holds(context, "/w/a", pattern(100), "what was written is there");
 *   await gone(context, "/w/b", "nothing is at the source");
 */
import { parentOf, parsePath } from "../../store/index.ts";
import type { Body, Entry, ListOptions, Store, WriteOptions } from "../../store/index.ts";
import { byCodePoint, equal, listAll, names, ok, pattern, readAll, rejects, sameBytes, sameTree, snapshot } from "../assert.ts";
import type { Snapshot } from "../assert.ts";
import type { CheckContext, SupportKey } from "../check.ts";

/** A size that this store can hold: the one that is wished for, or its largest. */
export function sizeFor(t: CheckContext, wished: number): number {
  return Math.min(wished, t.capabilities.maxFileBytes);
}

/** What nearly every check needs. */
export const rw: readonly SupportKey[] = ["read", "write"];
export const rwl: readonly SupportKey[] = ["read", "write", "list"];
export const rwld: readonly SupportKey[] = ["read", "write", "list", "delete"];

const late = (context: CheckContext): boolean => context.capabilities.consistency.read === "eventual" || context.capabilities.consistency.list === "eventual";

/** Writes, and on a store that is late waits until the file is seen by stat and listing, so that what follows meets a settled store. */
export async function put(context: CheckContext, path: string, body: Body, options?: WriteOptions): Promise<Entry> {
  const entry = await context.store.write(path, body, options);
  if (late(context)) await seen(context, path, entry);
  return entry;
}

/** An empty directory, settled as by `put`. */
export async function directory(context: CheckContext, path: string): Promise<Entry> {
  const entry = await context.store.mkdir(path, { existOk: true });
  if (late(context)) await seen(context, path, entry);
  return entry;
}

async function seen(context: CheckContext, path: string, entry: Entry): Promise<void> {
  await context.settled("read", async () => {
    const now = await context.store.stat(path, { fresh: true });
    equal(now.kind, entry.kind, `${path} is seen by stat as what was made`);
    equal(now.size, entry.size, `${path} is seen by stat with its new size`);
    if (entry.etag !== null) equal(now.etag, entry.etag, `${path} is seen by stat with its new etag`);
  });
  if (context.capabilities.list === false) return;
  await context.settled("list", async () => {
    const entries = await listAll(context.store, parentOf(parsePath(path)), { fresh: true });
    ok(
      entries.some((each) => each.path === path && each.size === entry.size),
      `${path} is seen by a listing`,
      entries,
    );
  });
}

/** Paths below `base` with their content; null makes an empty directory. Parents come by themselves. */
export async function tree(context: CheckContext, base: string, files: Readonly<Record<string, Uint8Array | string | null>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = `${base}/${name}`;
    if (content === null) await directory(context, path);
    else await put(context, path, content);
  }
}

/** `count` small files "f0000" ... in one directory, written as parallel as the store likes; each holds its own path. */
export async function many(context: CheckContext, dir: string, count: number): Promise<string[]> {
  const all = Array.from({ length: count }, (_, index) => `f${String(index).padStart(4, "0")}`);
  const work = all.values();
  const width = Math.max(1, Math.min(32, context.capabilities.concurrency, count));
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const name of work) await context.store.write(`${dir}/${name}`, pattern(24, name));
    }),
  );
  if (context.capabilities.consistency.list === "eventual") await lists(context, dir, all, "all files are listed");
  return all;
}

/** The file has exactly these bytes. */
export function holds(context: CheckContext, path: string, bytes: Uint8Array | string, what: string, store: Store = context.store): Promise<void> {
  const expected = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  return context.settled("read", async () => sameBytes(await readAll(store, path, { fresh: true }), expected, what));
}

/** Nothing is at this path: stat says so, and so does the listing of its parent. */
export async function gone(context: CheckContext, path: string, what: string, store: Store = context.store): Promise<void> {
  await context.settled("read", () => rejects("not-found", () => store.stat(path, { fresh: true }), what));
  if (context.capabilities.list === false) return;
  await context.settled("list", async () => {
    let entries: readonly Entry[];
    try {
      entries = await listAll(store, parentOf(parsePath(path)), { fresh: true });
    } catch (error) {
      await rejects("not-found", Promise.reject(error), `${what}: the parent lists, or is gone too`);
      return;
    }
    equal(
      entries.filter((each) => each.path === path).map((each) => each.path),
      [],
      `${what}: it is in no listing`,
    );
  });
}

/** The directory has exactly these children, each once. */
export function lists(
  context: CheckContext,
  dir: string,
  expected: readonly string[],
  what: string,
  options: ListOptions & { readonly store?: Store } = {},
): Promise<void> {
  const { store = context.store, ...listOptions } = options;
  return context.settled("list", async () => equal(names(await listAll(store, dir, { fresh: true, ...listOptions })), [...expected].sort(byCodePoint), what));
}

/** A directory is at this path. */
export function isDirectoryAt(context: CheckContext, path: string, what: string, store: Store = context.store): Promise<void> {
  return context.settled("read", async () => equal((await store.stat(path, { fresh: true })).kind, "directory", what));
}

/** The whole store is as it was when `before` was taken. */
export function unchanged(context: CheckContext, before: Snapshot, what: string): Promise<void> {
  return context.settled("list", async () => sameTree(await snapshot(context.store), before, what));
}

/** What the store holds now, for `unchanged`. */
export function held(context: CheckContext): Promise<Snapshot> {
  return snapshot(context.store);
}

/** What `promise` ends with, when it does not matter how. */
export async function outcome<T>(
  promise: Promise<T>,
): Promise<{ readonly value: T; readonly error: undefined } | { readonly value: undefined; readonly error: unknown }> {
  try {
    return { value: await promise, error: undefined };
  } catch (error) {
    return { value: undefined, error };
  }
}
