/**
 * Large bodies, and those of unknown size, in parts: each tried three times, stopped together, and the upload ended, completed or gone.
 *
 *   const stored = await multipart(context, key, stream, size, properties, conditions, signal);
 *
 * Not through lib-storage (docs/decisions/0002-s3-parts.md): it copies each part up to twice, stops nothing that is under way when a part
 * has failed, does not wait for it after an abort, and lets a clean-up that fails hide the first error.
 */
import { byteStream, StoreError, type ByteStream } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { sendParts } from "./parts.ts";
import { tries } from "./tries.ts";
import { startUpload, type Part, type Upload } from "./upload.ts";
import { MIN_PART_BYTES } from "./vendors.ts";
import type { Properties, PutConditions, Stored } from "./wire.ts";

const MiB = 1024 ** 2;

/** As asked for, or as large as the number of parts demands, in whole MiB. */
export function partBytesFor(size: number | null, partBytes: number, maxParts: number): number {
  if (size === null) return Math.max(partBytes, MIN_PART_BYTES);
  return Math.max(partBytes, MIN_PART_BYTES, Math.ceil(size / maxParts / MiB) * MiB);
}

export async function multipart(
  context: Context,
  key: string,
  stream: ByteStream,
  size: number | null,
  properties: Properties,
  conditions: PutConditions,
  signal: AbortSignal | undefined,
): Promise<Stored> {
  const { session, settings, vendor, wire } = context;
  const partSize = partBytesFor(size, settings.partBytes, vendor.maxParts);
  if (partSize > vendor.maxPutBytes) throw new StoreError("too-large", "larger than the service takes", { applied: false });
  using stop = stoppable(signal);
  let upload: Upload | undefined;
  try {
    const { id } = (upload = await startUpload(context, key, properties, stop.signal));
    const put = (PartNumber: number, bytes: Uint8Array): Promise<Part> =>
      stop.all(async () => ({ PartNumber, ETag: await tries(session, stop.signal, () => wire.putPart(key, id, PartNumber, bytes, stop.signal)) }));
    const parts = await sendParts(limited(stream, partSize * vendor.maxParts, stop), partSize, settings.partsInFlight, put);
    return await upload.complete(parts, conditions, stop.signal);
  } catch (error) {
    await upload?.abort();
    // Before the completion was sent nothing can have come into being, which an abort alone does not tell.
    if (signal?.aborted === true && upload?.completing !== true)
      throw new StoreError("aborted", "the caller gave up; the parts are removed", { operation: "write", applied: false, cause: signal.reason });
    throw error;
  } finally {
    await stream.close();
  }
}

interface Stop extends Disposable {
  readonly signal: AbortSignal;
  /** A body or a part that fails stops the parts under way: none of them is of any use. */
  all<T>(work: () => Promise<T>): Promise<T>;
}

function stoppable(signal: AbortSignal | undefined): Stop {
  const stop = new AbortController();
  const fired = (): void => stop.abort(signal?.reason);
  if (signal?.aborted === true) fired();
  signal?.addEventListener("abort", fired, { once: true });
  return {
    signal: stop.signal,
    async all(work) {
      try {
        return await work();
      } catch (error) {
        stop.abort(error);
        throw error;
      }
    },
    [Symbol.dispose]: () => signal?.removeEventListener("abort", fired),
  };
}

/** An endless body is stopped at the last part, before it is paid for in vain. */
function limited(stream: ByteStream, most: number, stop: Stop): ByteStream {
  let count = 0;
  return byteStream({
    length: stream.length,
    pull: () =>
      stop.all(async () => {
        const chunk = await stream.pull();
        count += chunk?.byteLength ?? 0;
        if (count > most) throw new StoreError("too-large", `a body in parts has at most ${most} bytes here`, { applied: false });
        return chunk;
      }),
    close: () => stream.close(),
  });
}
