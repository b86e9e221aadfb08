/** Moves of services that have none, or none for trees: a copy, and then only what was copied is deleted. */
import type { Backend } from "./backend.ts";
import { calls } from "./calls.ts";
import type { Entry } from "./entry.ts";
import { StoreError, hasCode } from "./errors.ts";
import type { MoveCall } from "./operations.ts";
import type { StorePath } from "./path.ts";
import { oneName } from "./spelling.ts";
import { copyAny } from "./tree-copy.ts";
import type { NativeCopy } from "./tree-copy.ts";
import { entriesBelow, half, statOrNothing } from "./tree.ts";

export async function moveByHand(call: MoveCall, backend: Backend): Promise<Entry> {
  const { path, signal } = call;
  if (oneName(call, backend.capabilities))
    throw new StoreError("unsupported", "these two names are one for this service: another spelling needs a move of its own", { applied: false });
  const copied = await copyAny(call, backend, copyOf(backend));
  let at = path;
  let done = 1;
  try {
    const { strictHierarchy } = backend.capabilities;
    // Without a strict hierarchy a file and a directory of one name are two.
    const key = (entry: Pick<Entry, "path" | "kind">): string => (strictHierarchy ? entry.path : `${entry.kind} ${entry.path}`);
    const now = new Map((await sourcesNow(backend, path, signal)).map((entry) => [key(entry), entry]));
    const moved = new Set(copied.sources.map(key));
    for (const before of copied.sources) {
      const entry = now.get(key(before));
      at = before.path;
      if (entry === undefined) continue;
      const beside = key({ path: before.path, kind: "file" });
      // Deleting the name would delete the file that came beside the directory meanwhile.
      if (!strictHierarchy && before.kind === "directory" && now.has(beside) && !moved.has(beside))
        throw new StoreError("conflict", "the source changed while it was moved");
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
