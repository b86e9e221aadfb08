/** Helpers of bugs that change entries, listings and trees. */
import { calls, hasCode, isInside, parentOf, parsePath, rebase, root } from "../../store/index.ts";
import type { Backend, Entry, ListCall, Page, Replies, StorePath } from "../../store/index.ts";
import type { Bent } from "./broken.ts";

export const path: (text: string) => StorePath = parsePath;

/** One turn of the event loop: where a bug leaves a gap between two steps. */
export function turn(): Promise<void> {
  return new Promise((next) => setImmediate(next));
}

/** All entries of a listing. */
export async function everything(inner: Backend, dir: StorePath, recursive: boolean = false): Promise<Entry[]> {
  const found: Entry[] = [];
  let cursor: unknown;
  do {
    const page = await inner.list(calls.list(dir, { recursive, cursor, fresh: true }));
    found.push(...page.entries);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** What is there now, or undefined. */
export function at(inner: Backend, where: StorePath): Promise<Entry | undefined> {
  return inner.stat(calls.stat(where, { fresh: true })).catch(() => undefined);
}

export async function bytesAt(inner: Backend, where: StorePath): Promise<Uint8Array> {
  return (await (await inner.read(calls.read(where))).body.all()).slice();
}

export function put(inner: Backend, where: StorePath, bytes: Uint8Array, from?: Entry): Promise<Entry> {
  return inner.write(calls.write(where, bytes, from === undefined ? {} : { contentType: from.contentType ?? undefined, metadata: from.metadata ?? undefined }));
}

export function remove(inner: Backend, where: StorePath): Promise<void> {
  return inner.delete(calls.delete(where, { recursive: true }));
}

export async function emptyAt(inner: Backend, dir: StorePath): Promise<boolean> {
  return (await everything(inner, dir).catch(() => [])).length === 0;
}

/** A listing whose pages are cut anew: `size` entries, the cursor made by `next` from the page that was given. */
export function paged(
  inner: Backend,
  size: number,
  cut: (entries: readonly Entry[], cursor: unknown) => { readonly entries: readonly Entry[]; readonly cursor: unknown },
): (call: ListCall) => Promise<Page> {
  return async (call) => {
    call.signal?.throwIfAborted();
    const all = (await everything(inner, call.path, call.recursive)).slice();
    const { entries, cursor } = cut(all, call.cursor);
    return { entries: entries.slice(0, size), cursor };
  };
}

type Entries = Extract<keyof Replies, "stat" | "read" | "write" | "list" | "mkdir" | "copy" | "move">;

/** Every entry that comes up, changed. */
export function entries(inner: Backend, change: (entry: Entry, verb: Entries) => Entry | Promise<Entry>): Bent {
  return {
    stat: async (call) => change(await inner.stat(call), "stat"),
    write: async (call) => change(await inner.write(call), "write"),
    mkdir: async (call) => change(await inner.mkdir(call), "mkdir"),
    copy: async (call) => change(await inner.copy(call), "copy"),
    move: async (call) => change(await inner.move(call), "move"),
    async read(call) {
      const reply = await inner.read(call);
      return { ...reply, entry: await change(reply.entry, "read") };
    },
    async list(call) {
      const page = await inner.list(call);
      return { ...page, entries: await Promise.all(page.entries.map(async (entry) => change(entry, "list"))) };
    },
  };
}

/** Instead of an error of this code: something else. */
export async function unless<T>(code: Parameters<typeof hasCode>[1], action: Promise<T>, otherwise: (error: unknown) => T | Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    if (!hasCode(error, code)) throw error;
    return await otherwise(error);
  }
}

/** The nearest file above a path that lies below one. */
export async function fileAbove(inner: Backend, where: StorePath): Promise<StorePath | undefined> {
  for (let dir = parentOf(where); dir !== root; dir = parentOf(dir)) if ((await at(inner, dir))?.kind === "file") return dir;
  return undefined;
}

export { calls, isInside, rebase };
