/** Copy and move of services that have none, or none for trees: by the rules of rename(2), taken back when they fail half way. */
import type { Backend } from "./backend.ts";
import { byteStream } from "./byte-stream.ts";
import { calls } from "./calls.ts";
import { systemClock } from "./clock.ts";
import type { Entry } from "./entry.ts";
import { StoreError, hasCode } from "./errors.ts";
import type { CopyCall, MoveCall, ReadReply } from "./operations.ts";
import { rebase } from "./path.ts";
import type { StorePath } from "./path.ts";
import type { Source } from "./source.ts";
import { deepestFirst, entriesBelow, forEach, half } from "./tree.ts";

type NativeCopy = (call: CopyCall) => Promise<Entry>;

/** How long a copy that failed may take to remove what it made. */
const ROLLBACK_MS = 30_000;

interface Copied {
  readonly target: Entry;
  /** What was there when the copy was made, deepest first: what a move may delete. */
  readonly sources: readonly Entry[];
}

export async function copyByHand(call: CopyCall, backend: Backend, native: NativeCopy | undefined): Promise<Entry> {
  return (await copyAny(call, backend, native)).target;
}

async function copyAny(call: CopyCall | MoveCall, backend: Backend, native: NativeCopy | undefined): Promise<Copied> {
  const { path, to, signal } = call;
  if (!backend.capabilities.caseSensitive && path.toLowerCase() === to.toLowerCase())
    throw new StoreError("unsupported", "a change of case alone needs a move of the service's own", { applied: false });
  const source = await backend.stat(calls.stat(path, { fresh: true, signal }));
  const target = await statOrNothing(backend, to, signal);
  if (call.ifAbsent && target !== undefined) throw new StoreError("already-exists", "something is at the target", { entry: target });
  if (source.kind === "file") {
    if (target?.kind === "directory") throw new StoreError("is-a-directory", "there is a directory at the target");
    return { target: await copyFile(call, source, backend, native), sources: [source] };
  }
  if (backend.capabilities.copyTree === false) throw new StoreError("unsupported", "this store does not support copyTree", { applied: false });
  if (target?.kind === "file") throw new StoreError("not-a-directory", "there is a file at the target");
  if (target !== undefined && (await backend.list(calls.list(to, { fresh: true, signal }))).entries.length > 0)
    throw new StoreError("not-empty", "the directory at the target is not empty");
  return copyTree(call, source, target !== undefined, backend, native);
}

async function copyTree(call: CopyCall | MoveCall, source: Entry, targetExists: boolean, backend: Backend, native: NativeCopy | undefined): Promise<Copied> {
  const { path, to, signal } = call;
  const made: StorePath[] = [];
  let at = to;
  try {
    const entries = await entriesBelow(backend, path, signal);
    if (!targetExists) {
      await backend.mkdir(calls.mkdir(to, { signal, existOk: !call.ifAbsent }));
      made.push(to);
    }
    for (const directory of deepestFirst(entries.filter((entry) => entry.kind === "directory")).toReversed()) {
      at = rebase(directory.path, path, to);
      await backend.mkdir(calls.mkdir(at, { existOk: true, signal }));
      made.push(at);
    }
    const files = entries.filter((entry) => entry.kind === "file");
    await forEach(files, Math.min(16, backend.capabilities.concurrency), async (file) => {
      signal?.throwIfAborted();
      const target = rebase(file.path, path, to);
      at = target;
      // Before the write, because one whose outcome is unknown is taken back as well.
      made.push(target);
      await copyFile({ ...call, path: file.path, to: target, ifAbsent: false }, file, backend, native);
    });
    return { target: await backend.stat(calls.stat(to, { fresh: true, signal })), sources: [...deepestFirst(entries), source] };
  } catch (error) {
    throw await takenBack(error, made, at, backend, signal);
  }
}

/** Removes what a failed copy made: the target was missing or empty, so this is a true roll-back. */
async function takenBack(error: unknown, made: readonly StorePath[], at: StorePath, backend: Backend, signal: AbortSignal | undefined): Promise<unknown> {
  if (made.length === 0) return error;
  const stop = new AbortController();
  const over = new AbortController();
  systemClock.sleep(ROLLBACK_MS, over.signal, { background: true }).then(
    () => stop.abort(new StoreError("timeout", "the time for taking back a copy is over")),
    () => {},
  );
  let done = 0;
  try {
    for (const path of made.toReversed()) {
      await backend.delete(calls.delete(path, { signal: stop.signal }));
      done++;
    }
  } catch {
    // What could not be taken back is said by `applied`; the first error is the one that explains it.
    return half(error, made.length - done, at, signal);
  } finally {
    over.abort();
  }
  if (signal?.aborted === true) return new StoreError("aborted", "the caller gave up; what was copied is removed", { applied: false, cause: signal.reason });
  return StoreError.is(error) ? error.with({ applied: false, cause: error.cause }) : error;
}

async function copyFile(call: CopyCall | MoveCall, source: Entry, backend: Backend, native: NativeCopy | undefined): Promise<Entry> {
  if (native !== undefined) return native({ operation: "copy", path: call.path, to: call.to, signal: call.signal, ifAbsent: call.ifAbsent });
  const { capabilities } = backend;
  const { signal } = call;
  const reply = await backend.read(calls.read(call.path, { signal, fresh: true }));
  try {
    const full = source.complete ? source : await backend.stat(calls.stat(call.path, { signal, fresh: true }));
    return await backend.write(
      calls.write(call.to, sourceOf(reply), {
        signal,
        ifAbsent: call.ifAbsent,
        contentType: capabilities.writeContentType === false ? undefined : (full.contentType ?? undefined),
        metadata: capabilities.writeMetadata === false ? undefined : (full.metadata ?? undefined),
      }),
    );
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

export async function moveByHand(call: MoveCall, backend: Backend): Promise<Entry> {
  const { path, signal } = call;
  const copied = await copyAny(call, backend, copyOf(backend));
  let at = path;
  let done = 1;
  try {
    const now = new Map((await sourcesNow(backend, path, signal)).map((entry) => [entry.path, entry]));
    for (const before of copied.sources) {
      const entry = now.get(before.path);
      at = before.path;
      if (entry === undefined) continue;
      // Only what was copied is deleted: what is new or has changed since is nobody's copy.
      if (!same(before, entry)) throw new StoreError("conflict", "the source changed while it was moved");
      await backend.delete(calls.delete(before.path, { signal, ifMatch: conditional(before, backend) }));
      done++;
    }
  } catch (error) {
    throw half(
      hasCode(error, "not-empty", "precondition-failed") ? new StoreError("conflict", "the source changed while it was moved", { cause: error }) : error,
      done,
      at,
      signal,
    );
  }
  return copied.target;
}

function copyOf(backend: Backend): NativeCopy | undefined {
  return backend.capabilities.copy === "native" ? (one) => backend.copy(one) : undefined;
}

async function sourcesNow(backend: Backend, path: StorePath, signal: AbortSignal | undefined): Promise<Entry[]> {
  const top = await statOrNothing(backend, path, signal);
  if (top === undefined) return [];
  return top.kind === "file" ? [top] : [...(await entriesBelow(backend, path, signal)), top];
}

function same(before: Entry, now: Entry): boolean {
  if (before.kind !== now.kind) return false;
  if (before.kind === "directory") return true;
  if (before.etag !== null && now.etag !== null) return before.etag === now.etag;
  return before.size === now.size && before.modifiedMs === now.modifiedMs;
}

function conditional(entry: Entry, backend: Backend): string | undefined {
  return backend.capabilities.deleteIfMatch === "native" && entry.kind === "file" ? (entry.etag ?? undefined) : undefined;
}

async function statOrNothing(backend: Backend, path: StorePath, signal: AbortSignal | undefined): Promise<Entry | undefined> {
  try {
    return await backend.stat(calls.stat(path, { fresh: true, signal }));
  } catch (error) {
    if (hasCode(error, "not-found")) return undefined;
    throw error;
  }
}
