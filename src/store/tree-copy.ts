/** Copies of services that have none, or none for trees: by the rules of rename(2), taken back when they fail half way. */
import type { Backend } from "./backend.ts";
import { byteStream } from "./byte-stream.ts";
import { calls } from "./calls.ts";
import { entry as entryOf } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { StoreError, hasCode } from "./errors.ts";
import { refuse } from "./guard.ts";
import type { CopyCall, MoveCall, ReadReply } from "./operations.ts";
import { rebase } from "./path.ts";
import type { StorePath } from "./path.ts";
import type { Source } from "./source.ts";
import { oneName } from "./spelling.ts";
import { takenBack } from "./take-back.ts";
import type { Made } from "./take-back.ts";
import { deepestFirst, entriesBelow, forEach, statOrNothing } from "./tree.ts";

export type NativeCopy = (call: CopyCall) => Promise<Entry>;

export interface Copied {
  readonly target: Entry;
  /** What was there when the copy was made, deepest first: what a move may delete. */
  readonly sources: readonly Entry[];
}

export async function copyByHand(call: CopyCall, backend: Backend, native: NativeCopy | undefined): Promise<Entry> {
  if (oneName(call, backend.capabilities)) {
    const entry = await backend.stat(calls.stat(call.path, { fresh: true, signal: call.signal }));
    if (call.ifAbsent) throw new StoreError("already-exists", "something is at the target", { entry });
    return { ...entry, path: call.to };
  }
  return (await copyAny(call, backend, native)).target;
}

export async function copyAny(call: CopyCall | MoveCall, backend: Backend, native: NativeCopy | undefined): Promise<Copied> {
  const { path, to, signal } = call;
  const source = await backend.stat(calls.stat(path, { fresh: true, signal }));
  const target = await statOrNothing(backend, to, signal);
  if (call.ifAbsent && target !== undefined) throw new StoreError("already-exists", "something is at the target", { entry: target });
  const { strictHierarchy } = backend.capabilities;
  if (source.kind === "file") {
    if (strictHierarchy && target?.kind === "directory") throw new StoreError("is-a-directory", "there is a directory at the target");
    return { target: await copyFile(call, source, backend, native), sources: [source] };
  }
  if (backend.capabilities.copyTree === false) throw new StoreError("unsupported", "this store does not support copyTree", { applied: false });
  if (strictHierarchy && target?.kind === "file") throw new StoreError("not-a-directory", "there is a file at the target");
  const there = target?.kind === "directory" || (target !== undefined && (await isBeside(backend, to, signal)));
  if (there && !(await isEmpty(backend, to, signal))) throw new StoreError("not-empty", "the directory at the target is not empty");
  return copyTree(call, source, there, backend, native);
}

/** Without a strict hierarchy a file may stand beside the directory of its name, and `stat` tells of the file. */
async function isBeside(backend: Backend, path: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await backend.list(calls.list(path, { fresh: true, signal }));
    return true;
  } catch (error) {
    if (hasCode(error, "not-a-directory", "not-found")) return false;
    throw error;
  }
}

async function isEmpty(backend: Backend, dir: StorePath, signal: AbortSignal | undefined): Promise<boolean> {
  let cursor: unknown;
  do {
    const page = await backend.list(calls.list(dir, { fresh: true, signal, cursor }));
    if (page.entries.length > 0) return false;
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return true;
}

async function copyTree(call: CopyCall | MoveCall, source: Entry, targetExists: boolean, backend: Backend, native: NativeCopy | undefined): Promise<Copied> {
  const { path, to, signal } = call;
  const made: Made[] = [];
  let at = to;
  const mkdir = async (dir: StorePath, existOk: boolean): Promise<void> => {
    at = dir;
    const mkdirCall = calls.mkdir(dir, { signal, existOk });
    refuse(mkdirCall, backend.capabilities);
    try {
      await backend.mkdir(mkdirCall);
    } catch (error) {
      if (StoreError.is(error) && error.applied !== false) made.push({ path: dir, kind: "directory", etag: null });
      throw error;
    }
    made.push({ path: dir, kind: "directory", etag: null });
  };
  try {
    const entries = await entriesBelow(backend, path, signal);
    if (!targetExists) await mkdir(to, !call.ifAbsent);
    for (const directory of deepestFirst(entries.filter((entry) => entry.kind === "directory")).toReversed())
      await mkdir(rebase(directory.path, path, to), true);
    const files = entries.filter((entry) => entry.kind === "file");
    await forEach(files, Math.min(16, backend.capabilities.concurrency), async (file) => {
      signal?.throwIfAborted();
      const target = rebase(file.path, path, to);
      at = target;
      // Before the write, because one whose outcome is unknown is taken back as well.
      const one: Made = { path: target, kind: "file", etag: null };
      made.push(one);
      one.etag = (await copyFile({ ...call, path: file.path, to: target, ifAbsent: false }, file, backend, native)).etag;
    });
    const target = await backend.stat(calls.stat(to, { fresh: true, signal }));
    return { target: target.kind === "directory" ? target : entryOf({ path: to, kind: "directory" }), sources: [...deepestFirst(entries), source] };
  } catch (error) {
    throw await takenBack(error, made, at, backend, signal);
  }
}

async function copyFile(call: CopyCall | MoveCall, source: Entry, backend: Backend, native: NativeCopy | undefined): Promise<Entry> {
  const { capabilities } = backend;
  const { path, to, signal, ifAbsent } = call;
  if (native !== undefined) {
    const copyCall = calls.copy(path, to, { signal, ifAbsent });
    refuse(copyCall, capabilities);
    return native(copyCall);
  }
  const reply = await backend.read(calls.read(path, { signal, fresh: true }));
  try {
    // The properties of the version whose bytes these are.
    const known = source.complete && !changed(source, reply.entry);
    const full = known ? source : await backend.stat(calls.stat(path, { signal, fresh: true }));
    const writeCall = calls.write(to, sourceOf(reply), {
      signal,
      ifAbsent,
      // A file that is moved is still the file of that time.
      modifiedMs: call.operation === "move" && capabilities.writeModified !== false ? (full.modifiedMs ?? undefined) : undefined,
      contentType: capabilities.writeContentType === false ? undefined : (full.contentType ?? undefined),
      metadata: capabilities.writeMetadata === false ? undefined : (full.metadata ?? undefined),
    });
    refuse(writeCall, capabilities);
    return await backend.write(writeCall);
  } finally {
    await reply.body.close();
  }
}

function sourceOf({ body }: ReadReply): Source {
  let opened = false;
  return {
    size: body.length,
    replayable: false,
    inMemory: body.inMemory,
    get opened() {
      return opened;
    },
    open() {
      opened = true;
      return byteStream({ length: body.length, wrongLength: "unavailable", pull: () => body.pull(), close: () => body.close() });
    },
  };
}

/** Where both answers tell, they tell of two versions. */
function changed(before: Entry, now: Entry): boolean {
  if (before.etag !== null && now.etag !== null) return before.etag !== now.etag;
  return before.size !== null && now.size !== null && before.size !== now.size;
}
