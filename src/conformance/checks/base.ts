/**
 * What nearly every check needs: a directory where files may lie, and looks that wait where the store may be late by declaration.
 *
 *   const d = await base(t);
 *   await t.store.write(`${d}/a.txt`, bytes);
 *   await holds(t, `${d}/a.txt`, bytes, "what was written is what is read");
 */
import { byCodePoint, equal, listAll, names, readAll, rejects, sameBytes } from "../assert.ts";
import type { CheckContext } from "../check.ts";
import type { Entry, ListOptions, Store } from "../../store/index.ts";

/** The prefix for files of a check: "" where files may lie in the root, else "/d", which is made if directories can be made. */
export async function base(t: CheckContext): Promise<string> {
  if (t.capabilities.filesAtRoot) return "";
  if (t.capabilities.mkdir !== false) await t.store.mkdir("/d", { existOk: true });
  return "/d";
}

/** The directory that `base` stands for, as a path: "/" or "/d". */
export function directoryOf(base: string): string {
  return base === "" ? "/" : base;
}

/** The file holds exactly these bytes. */
export async function holds(t: CheckContext, path: string, bytes: Uint8Array, what: string, store: Store = t.store): Promise<void> {
  await t.settled("read", async () => sameBytes(await readAll(store, path), bytes, what));
}

/** `stat` says so, within the declared time. */
export async function stats(t: CheckContext, path: string, look: (entry: Entry) => void, store: Store = t.store): Promise<Entry> {
  return await t.settled("read", async () => {
    const entry = await store.stat(path);
    look(entry);
    return entry;
  });
}

/** Nothing is at this path: `stat` and `read` say `not-found`. */
export async function absent(t: CheckContext, path: string, what: string, store: Store = t.store): Promise<void> {
  await t.settled("read", async () => {
    await rejects("not-found", () => store.stat(path), `${what}: stat`);
    await rejects("not-found", () => store.read(path), `${what}: read`);
  });
}

/** The directory has exactly these children, each once. */
export async function children(t: CheckContext, dir: string, expected: readonly string[], what: string, options?: ListOptions): Promise<Entry[]> {
  return await t.settled("list", async () => {
    const found = await listAll(t.store, dir, options);
    equal(names(found), [...expected].sort(byCodePoint), what);
    return found;
  });
}

/** Waits by the clock of the place, ended by the end of the check. */
export function pause(t: CheckContext, ms: number): Promise<void> {
  return t.place.clock.sleep(ms, t.signal);
}

/** Whole number in [0, below). */
export function below(t: CheckContext, limit: number): number {
  return Math.floor(t.random() * limit);
}
