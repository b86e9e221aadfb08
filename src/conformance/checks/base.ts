/**
 * Where files may lie, and a few looks beyond those of look.ts.
 *
 *   const d = await base(t);
 *   await put(t, `${d}/a.txt`, bytes);
 */
import { rejects } from "../assert.ts";
import type { CheckContext } from "../check.ts";
import type { Entry, Store } from "../../store/index.ts";

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

/** So many bytes, or as many as a file may have. */
export function room(t: CheckContext, bytes: number): number {
  return Math.min(bytes, t.capabilities.maxFileBytes);
}

/** The same for a body whose size is not told. */
export function unknownRoom(t: CheckContext, bytes: number): number {
  return Math.min(room(t, bytes), t.capabilities.maxUnknownBytes);
}

/** Waits by the clock of the place, ended by the end of the check. */
export function pause(t: CheckContext, ms: number): Promise<void> {
  return t.place.clock.sleep(ms, t.signal);
}

/** Whole number in [0, below). */
export function below(t: CheckContext, limit: number): number {
  return Math.floor(t.random() * limit);
}
