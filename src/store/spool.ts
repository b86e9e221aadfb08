/** A body that can be sent again: kept in memory while it is small, in a private temporary file when it is not. */
import { mkdtemp, open as openFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toSource } from "./body.ts";
import { concat } from "./byte-stream.ts";
import { StoreError, abortError } from "./errors.ts";
import { fromFile } from "./file-body.ts";
import type { Source } from "./source.ts";

/** A source that can be sent again: itself if it can, otherwise spooled up to `memoryBytes` (default 1 MiB) in memory, the rest in a private temporary file. */
export async function spool(
  source: Source,
  options: { readonly memoryBytes?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<Source & AsyncDisposable> {
  const { memoryBytes = 1 << 20, signal } = options;
  if (source.replayable && source.size !== null) return disposable(source, async () => {});
  await using stream = source.open();
  const chunks: Uint8Array[] = [];
  let held = 0;
  for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) {
    if (signal?.aborted === true) throw abortError(signal, { applied: false });
    // Not slice(), which of a Buffer is a view.
    chunks.push(new Uint8Array(chunk));
    held += chunk.byteLength;
    // Awaited here: the stream is closed when this function is left, and a closed stream ends without a word.
    if (held > memoryBytes) return await spoolToFile(chunks, () => stream.pull(), signal);
  }
  return disposable(toSource(concat(chunks)), async () => {});
}

async function spoolToFile(
  first: readonly Uint8Array[],
  pull: () => Promise<Uint8Array | undefined>,
  signal: AbortSignal | undefined,
): Promise<Source & AsyncDisposable> {
  // Named after this process, so that whoever looks for what was left behind finds its own.
  const directory = await mkdtemp(join(tmpdir(), `stratus-spool-${process.pid}-`)).catch((error: unknown) => {
    throw notKept(error);
  });
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const path = join(directory, "body");
    const file = await openFile(path, "wx", 0o600);
    try {
      for (const chunk of first) await file.appendFile(chunk);
      for (let chunk = await pull(); chunk !== undefined; chunk = await pull()) {
        if (signal?.aborted === true) throw abortError(signal, { applied: false });
        await file.appendFile(chunk);
      }
    } finally {
      await file.close();
    }
    return disposable(toSource(await fromFile(path)), remove);
  } catch (error) {
    // What is to be told is why it could not be spooled.
    await remove().catch(() => {});
    throw StoreError.is(error) ? error : notKept(error);
  }
}

/** Not the service's fault: no `translate` of a provider is to take a full disk here for a full store there. */
function notKept(cause: unknown): StoreError {
  const full = ["ENOSPC", "EDQUOT"].includes(String((cause as { readonly code?: unknown }).code));
  return new StoreError(full ? "no-space" : "config", "a body of unknown size cannot be kept in the temporary folder of this machine", {
    cause,
    applied: false,
  });
}

function disposable(source: Source, dispose: () => Promise<void>): Source & AsyncDisposable {
  return {
    get size() {
      return source.size;
    },
    get replayable() {
      return source.replayable;
    },
    get opened() {
      return source.opened;
    },
    get inMemory() {
      return source.inMemory;
    },
    open: (range) => (range === undefined ? source.open() : source.open(range)),
    [Symbol.asyncDispose]: dispose,
  };
}
