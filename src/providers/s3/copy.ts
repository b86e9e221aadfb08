/**
 * Copying a file inside of the service: one COPY, or the ranges of a source too large for one. Trees are walked by the adaptor.
 *
 * Nothing is sent to the target before the source is known to be there, and a copy made of two versions is found out and not completed.
 */
import { entry, StoreError, type CopyCall, type Entry } from "../../store/index.ts";
import { beforehand } from "./beforehand.ts";
import type { Context } from "./context.ts";
import { isFailure } from "./failure.ts";
import { escapeKey } from "./keys.ts";
import { hashesOf, headOrNothing, isDirectory, lookFile, notFound } from "./look.ts";
import { partBytesFor } from "./multipart.ts";
import { tries } from "./tries.ts";
import { startUpload, type Part, type Upload } from "./upload.ts";
import type { ObjectFacts, Stored } from "./wire.ts";

/** Larger ones save requests, smaller ones time: the service copies several at once. */
const COPY_PART_BYTES = 512 * 1024 ** 2;

export async function copy(context: Context, call: CopyCall): Promise<Entry> {
  const { path, to, ifAbsent, signal } = call;
  const { keys, vendor } = context;
  const from = keys.file(path);
  const target = keys.file(to);
  const found = await beforehand(context, call, lookFile(context, path, signal));
  if (found?.kind !== "file") {
    if (found?.kind === "directory" || (await beforehand(context, call, isDirectory(context, path, signal))))
      throw new StoreError("is-a-directory", "the service copies files only");
    throw notFound();
  }
  let { facts } = found;
  if (facts.size === 0 && target.endsWith("/"))
    throw new StoreError("invalid-path", "a file without a name cannot be empty: the service takes it for a directory", { applied: false });
  const large = facts.size !== null && facts.size > vendor.maxCopyBytes;
  const stored = large ? await copyParts(context, from, target, facts, ifAbsent, signal) : await copyWhole(context, from, target, facts, ifAbsent, signal);
  if (!large && stored.etag !== facts.etag) {
    // Another version came in between where the service does not look at the condition, or the target is encrypted otherwise: what is there is asked.
    facts = (await headOrNothing(context, target, signal)) ?? facts;
  }
  const { size, contentType, metadata } = facts;
  return entry({
    path: to,
    kind: "file",
    size,
    etag: stored.etag,
    contentType,
    metadata,
    hashes: hashesOf(context, stored.etag, stored.encrypted),
    complete: false,
  });
}

async function copyWhole(
  { wire, vendor }: Context,
  from: string,
  to: string,
  { etag }: ObjectFacts,
  ifAbsent: boolean,
  signal: AbortSignal | undefined,
): Promise<Stored> {
  const matched = etag !== null && etag.includes("-") && !vendor.copyMatchesParts ? null : etag;
  try {
    return await wire.copy(from, to, matched, ifAbsent, signal);
  } catch (error) {
    // With a condition on the target as well nobody says which of the two was lost; without one it is the source's.
    if (isFailure(error, 412) && !ifAbsent) throw changed(error);
    throw error;
  }
}

function changed(cause: unknown): StoreError {
  return new StoreError("conflict", "the source changed while it was copied", { cause, applied: false });
}

async function copyParts(context: Context, from: string, to: string, facts: ObjectFacts, ifAbsent: boolean, signal: AbortSignal | undefined): Promise<Stored> {
  const stop = new AbortController();
  const fired = (): void => stop.abort(signal?.reason);
  signal?.addEventListener("abort", fired, { once: true });
  let upload: Upload | undefined;
  try {
    if (signal?.aborted === true) fired();
    upload = await startUpload(context, to, { contentType: facts.contentType ?? undefined, metadata: facts.metadata }, stop.signal);
    const parts = await copyRanges(context, upload, from, facts, stop);
    // Not every service looks at the condition on the source: a copy of two versions must not be completed.
    if ((await headOrNothing(context, from, stop.signal))?.etag !== facts.etag) throw changed(undefined);
    return await upload.complete(parts, { ifAbsent, ifMatch: undefined }, stop.signal);
  } catch (error) {
    await upload?.abort();
    if (signal?.aborted === true && upload?.completing !== true)
      throw new StoreError("aborted", "the caller gave up; the parts are removed", { operation: "copy", applied: false, cause: signal.reason });
    throw error;
  } finally {
    signal?.removeEventListener("abort", fired);
  }
}

async function copyRanges(
  { session, sdk, settings, vendor }: Context,
  upload: Upload,
  from: string,
  { size, etag }: ObjectFacts,
  stop: AbortController,
): Promise<Part[]> {
  const total = size as number;
  const partBytes = Math.min(vendor.maxCopyBytes, vendor.maxPutBytes, partBytesFor(total, COPY_PART_BYTES, vendor.maxParts));
  const parts: Part[] = [];
  const count = Math.ceil(total / partBytes);
  let next = 1;
  let first: { readonly error: unknown } | undefined;
  const one = async (number: number): Promise<void> => {
    const start = (number - 1) * partBytes;
    const output = await tries(session, stop.signal, () =>
      sdk.send(
        (s3) =>
          new s3.UploadPartCopyCommand({
            Bucket: settings.bucket,
            Key: upload.key,
            UploadId: upload.id,
            PartNumber: number,
            CopySource: `/${settings.bucket}/${escapeKey(from)}`,
            CopySourceRange: `bytes=${start}-${Math.min(start + partBytes, total) - 1}`,
            ...(etag === null || (etag.includes("-") && !vendor.copyMatchesParts) ? {} : { CopySourceIfMatch: `"${etag}"` }),
          }),
        { signal: stop.signal },
      ),
    );
    const ETag = output.CopyPartResult?.ETag;
    if (ETag === undefined) throw new StoreError("unavailable", "a part was copied without an etag");
    parts[number - 1] = { PartNumber: number, ETag };
  };
  const worker = async (): Promise<void> => {
    while (next <= count && first === undefined) {
      try {
        await one(next++);
      } catch (error) {
        first ??= { error: isFailure(error, 412) ? changed(error) : error };
        stop.abort(first.error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(settings.partsInFlight, count) }, worker));
  if (first !== undefined) throw first.error;
  return parts;
}
