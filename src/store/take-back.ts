/** Taking back what a failed copy of a tree made. */
import type { Backend } from "./backend.ts";
import { calls } from "./calls.ts";
import { systemClock } from "./clock.ts";
import { StoreError, abortError, hasCode } from "./errors.ts";
import type { StorePath } from "./path.ts";
import { inDoubt } from "./in-part.ts";
import { forEach, half, statOrNothing } from "./tree.ts";
import { undone } from "./undone.ts";

/** How long a copy that failed may take to remove what it made. */
const ROLLBACK_MS = 30_000;

/** What a copy made so far. The etag is that of the file as it was written; null where it is not known. */
export interface Made {
  readonly path: StorePath;
  readonly kind: "file" | "directory";
  etag: string | null;
}

/**
 * Removes what a failed copy made: the target was missing or empty, so this is a true roll-back. Where requests without an answer can land later, one of the
 * copy may still do so after what was there was removed: the doubt stays.
 */
export async function takenBack(error: unknown, made: readonly Made[], at: StorePath, backend: Backend, signal: AbortSignal | undefined): Promise<unknown> {
  if (made.length === 0) return error;
  const landsLate = backend.capabilities.afterlifeMs > 0;
  const stop = new AbortController();
  const over = new AbortController();
  systemClock.sleep(ROLLBACK_MS, over.signal, { background: true }).then(
    () => stop.abort(new StoreError("timeout", "the time for taking back a copy is over")),
    () => {},
  );
  let done = 0;
  const remove = async ({ path, kind, etag }: Made): Promise<void> => {
    // Without a strict hierarchy the name means the file that stands beside the directory, which was there before.
    if (kind === "directory" && !backend.capabilities.strictHierarchy && (await statOrNothing(backend, path, stop.signal))?.kind === "file")
      throw new Error("a file hides the directory");
    const ifMatch = kind === "file" && backend.capabilities.deleteIfMatch === "native" ? (etag ?? undefined) : undefined;
    try {
      await backend.delete(calls.delete(path, { signal: stop.signal, ifMatch }));
    } catch (failure) {
      // Somebody else has written this file meanwhile: it is theirs, and nothing of the copy is left in it.
      if (ifMatch === undefined || !hasCode(failure, "precondition-failed")) throw failure;
    }
    done++;
  };
  try {
    const files = made.filter(({ kind }) => kind === "file");
    await forEach(files, Math.min(16, backend.capabilities.concurrency), remove);
    for (const directory of made.filter(({ kind }) => kind === "directory").toReversed()) await remove(directory);
  } catch (failure) {
    // What could not be taken back is said by `applied`; the first error is the one that explains it.
    return half(error, made.length - done, at, signal, landsLate && (inDoubt(error) || inDoubt(failure)));
  } finally {
    over.abort();
  }
  const doubt = landsLate && inDoubt(error);
  if (signal?.aborted === true) return abortError(signal, { applied: doubt ? "unknown" : false });
  return doubt ? error : undone(error);
}
