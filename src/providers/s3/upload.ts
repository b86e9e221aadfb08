/**
 * The life of one upload in parts, from its id to its end: completed once, or gone.
 *
 *   const upload = await startUpload(context, key, properties, stop);
 *   try { ... await upload.complete(parts, conditions, stop); } catch (error) { await upload.abort(); throw error; }
 */
import { createHash } from "node:crypto";
import { StoreError } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { translate } from "./errors.ts";
import { isFailure } from "./failure.ts";
import { headOrNothing } from "./look.ts";
import { toHeaders } from "./metadata.ts";
import { tries } from "./tries.ts";
import { bareEtag, type Properties, type PutConditions, type Stored } from "./wire.ts";

/** For the requests that clean up, which the caller's signal does not end. */
const CLEAN_UP_MS = 30_000;
/** How long an aborted call waits for the answer that names the upload to be removed. */
const GRACE_MS = 5_000;
/** The SDK's request for an upload has a type of its own ("application/xml"), which Swift keeps for the object. */
const DEFAULT_TYPE = "application/octet-stream";

export interface Part {
  readonly PartNumber: number;
  /** As the service gave it. */
  readonly ETag: string;
}

/** Not ended by the signal at once: without its answer nobody knows what to remove. */
export async function startUpload(context: Context, key: string, properties: Properties, signal: AbortSignal): Promise<Upload> {
  signal.throwIfAborted();
  const { sdk, settings, session, vendor } = context;
  const Metadata = properties.metadata === undefined ? undefined : toHeaders(properties.metadata, vendor.maxMetadataBytes);
  await using deadline = new Deadline();
  const grace = (): void => deadline.start(session.clock, GRACE_MS);
  signal.addEventListener("abort", grace, { once: true });
  try {
    const { UploadId } = await sdk.send(
      (s3) => new s3.CreateMultipartUploadCommand({ Bucket: settings.bucket, Key: key, ContentType: properties.contentType ?? DEFAULT_TYPE, Metadata }),
      { signal: deadline.signal },
    );
    if (UploadId === undefined) throw new StoreError("unavailable", "the service began an upload without an id");
    return new Upload(context, key, UploadId);
  } finally {
    signal.removeEventListener("abort", grace);
  }
}

export class Upload {
  readonly id: string;
  readonly key: string;
  readonly #context: Context;
  /** A completion was sent, and it is not known that it did nothing. */
  completing = false;

  constructor(context: Context, key: string, id: string) {
    this.#context = context;
    this.key = key;
    this.id = id;
  }

  async complete(parts: readonly Part[], { ifAbsent, ifMatch }: PutConditions, signal: AbortSignal): Promise<Stored> {
    const { session, sdk, settings } = this.#context;
    signal.throwIfAborted();
    let lost = false;
    const send = async (): Promise<Stored> => {
      this.completing = true;
      try {
        const { ETag } = await sdk.send(
          (s3) =>
            new s3.CompleteMultipartUploadCommand({
              Bucket: settings.bucket,
              Key: this.key,
              UploadId: this.id,
              MultipartUpload: { Parts: [...parts] },
              ...(ifAbsent ? { IfNoneMatch: "*" } : {}),
              ...(ifMatch === undefined ? {} : { IfMatch: `"${ifMatch}"` }),
            }),
          { signal },
        );
        // Ceph answers with an empty one.
        return { etag: bareEtag(ETag) ?? (await this.#etag(parts, signal)), modifiedMs: null, encrypted: false };
      } catch (error) {
        if (isOpen(error, session.clock.now())) lost = true;
        else if (!lost) this.completing = false;
        throw error;
      }
    };
    try {
      return await tries(session, signal, send);
    } catch (error) {
      if (!lost) throw error;
      // An answer was lost before: what refuses now may be our own success.
      const etag = etagOfParts(parts);
      if (await this.#isOurs(etag, signal)) return { etag, modifiedMs: null, encrypted: false };
      if (isFailure(error, "NoSuchUpload", 412))
        throw new StoreError("conflict", "the upload ended while its answer was lost, and something else is there now", { applied: "unknown", cause: error });
      throw translate(error, { operation: "write" }, session.clock.now())?.with({ applied: "unknown", cause: error }) ?? error;
    }
  }

  /**
   * Never throws: what made the upload fail is what the caller has to know, and what could not be removed here `sweep` finds. Does nothing
   * where the completion may have happened: its parts may be those of the object by now.
   */
  async abort(): Promise<void> {
    if (this.completing) return;
    const { session, sdk, settings } = this.#context;
    const upload = { Bucket: settings.bucket, Key: this.key, UploadId: this.id };
    await using deadline = new Deadline();
    deadline.start(session.clock, CLEAN_UP_MS);
    const { signal } = deadline;
    try {
      // A part that was still on its way may be stored behind the abort: it is repeated until the upload is unknown.
      for (let round = 1; round <= 3; round++) {
        await tries(session, signal, () => sdk.send((s3) => new s3.AbortMultipartUploadCommand(upload), { signal })).catch((error: unknown) => {
          if (!isFailure(error, 404)) throw error;
        });
        await sdk.send((s3) => new s3.ListPartsCommand({ ...upload, MaxParts: 1 }), { signal });
      }
    } catch {
      // NoSuchUpload is how it should end; for the rest see above.
    }
  }

  async #etag(parts: readonly Part[], signal: AbortSignal): Promise<string | null> {
    if (this.#context.vendor.md5Etag) return etagOfParts(parts);
    try {
      return (await headOrNothing(this.#context, this.key, signal))?.etag ?? null;
    } catch {
      // The object is there, which is what was asked; its etag is not known from this answer.
      return null;
    }
  }

  async #isOurs(etag: string, signal: AbortSignal): Promise<boolean> {
    try {
      return (await headOrNothing(this.#context, this.key, signal))?.etag === etag;
    } catch {
      // The error that led here is the one that tells.
      return false;
    }
  }
}

/** A signal that fires so long after it was started, unless it is disposed of before. */
class Deadline implements AsyncDisposable {
  readonly #late = new AbortController();
  readonly #over = new AbortController();

  get signal(): AbortSignal {
    return this.#late.signal;
  }

  start(clock: Context["session"]["clock"], ms: number): void {
    clock.sleep(ms, this.#over.signal, { background: true }).then(
      () => this.#late.abort(new Error("no answer in time")),
      () => {},
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
  }
}

/** Nobody knows whether it happened. */
function isOpen(error: unknown, now: number): boolean {
  const known = translate(error, { operation: "write" }, now);
  return known === undefined || known.with({ operation: "write" }).applied !== false;
}

/** What S3 gives an object of several parts: the MD5 of their MD5s, and how many there are. */
export function etagOfParts(parts: readonly Part[]): string {
  const hash = createHash("md5");
  for (const { ETag } of parts) hash.update(Buffer.from(bareEtag(ETag) ?? "", "hex"));
  return `${hash.digest("hex")}-${parts.length}`;
}
