/**
 * Large bodies, and those of unknown size: lib-storage cuts them into parts and keeps their order; everything it sends goes through here.
 *
 *   const stored = await multipart(context, key, stream, size, properties, conditions, signal);
 *
 * By itself it neither stops parts that are on their way when one has failed, nor waits for them after an abort, and a clean-up that fails
 * hides the first error. So it gets a client of ours: parts are tried three times and stopped together, and upload.ts ends the upload.
 */
import type { S3Client } from "@aws-sdk/client-s3";
import { byteStream, StoreError, type ByteStream } from "../../store/index.ts";
import type { Context } from "./context.ts";
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
  context: Context, key: string, stream: ByteStream, size: number | null, properties: Properties, conditions: PutConditions, signal: AbortSignal | undefined,
): Promise<Stored> {
  const { settings, vendor, sdk } = context;
  const partSize = partBytesFor(size, settings.partBytes, vendor.maxParts);
  if (partSize > vendor.maxPutBytes) throw new StoreError("too-large", "larger than the service takes", { applied: false });
  const client = new UploadClient(context, key, properties, conditions, signal);
  const { config } = await sdk.client();
  const run = new context.storage.Upload({
    client: { config, send: (command: object) => client.send(command) } as unknown as S3Client,
    partSize,
    queueSize: settings.partsInFlight,
    params: {
      Bucket: settings.bucket,
      Key: key,
      Body: webStream(limited(stream, partSize * vendor.maxParts, (error) => client.failed(error))),
      ...(size === null ? {} : { ContentLength: size }),
    },
  });
  try {
    await run.done();
    return client.stored as Stored;
  } catch (error) {
    // Before the completion was sent nothing can have come into being, which an abort alone does not tell.
    if (signal?.aborted === true && client.upload?.completing !== true) throw new StoreError("aborted", "the caller gave up; the parts are removed", { operation: "write", applied: false, cause: signal.reason });
    // What stopped the others comes before what became of them.
    throw client.first === undefined ? error : client.first.error;
  } finally {
    client.end();
    await stream.close();
  }
}

/** An endless body is stopped at the last part, before it is paid for in vain. */
function limited(stream: ByteStream, most: number, failed: (error: unknown) => void): ByteStream {
  let count = 0;
  return byteStream({
    length: stream.length,
    async pull() {
      try {
        const chunk = await stream.pull();
        count += chunk?.byteLength ?? 0;
        if (count > most) throw new StoreError("too-large", `a body in parts has at most ${most} bytes here`, { applied: false });
        return chunk;
      } catch (error) {
        failed(error);
        throw error;
      }
    },
    close: () => stream.close(),
  });
}

function webStream(stream: ByteStream): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await stream.pull();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: () => stream.close(),
    },
    { highWaterMark: 0 },
  );
}

/** What lib-storage takes for the client. */
class UploadClient {
  readonly #context: Context;
  readonly #key: string;
  readonly #properties: Properties;
  readonly #conditions: PutConditions;
  readonly #signal: AbortSignal | undefined;
  readonly #stop = new AbortController();
  readonly #fired = (): void => this.failed(this.#signal?.reason);
  upload: Upload | undefined;
  stored: Stored | undefined;
  /** The first thing that went wrong. */
  first: { readonly error: unknown } | undefined;

  constructor(context: Context, key: string, properties: Properties, conditions: PutConditions, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#key = key;
    this.#properties = properties;
    this.#conditions = conditions;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#fired, { once: true });
    if (signal?.aborted === true) this.#fired();
  }

  end(): void {
    this.#signal?.removeEventListener("abort", this.#fired);
  }

  failed(error: unknown): void {
    this.first ??= { error };
    this.#stop.abort(error);
  }

  async send(command: object): Promise<object> {
    const s3 = this.#context.sdk.module;
    if (command instanceof s3.AbortMultipartUploadCommand) {
      await this.upload?.abort();
      return {};
    }
    try {
      if (command instanceof s3.UploadPartCommand) return await this.#part(command.input.PartNumber as number, command.input.Body as Uint8Array);
      if (command instanceof s3.CreateMultipartUploadCommand) return await this.#create();
      if (command instanceof s3.CompleteMultipartUploadCommand) return await this.#complete((command.input.MultipartUpload?.Parts ?? []) as Part[]);
      throw new Error("lib-storage sent a command that nobody expected");
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  async #create(): Promise<object> {
    this.upload = await startUpload(this.#context, this.#key, this.#properties, this.#stop.signal);
    return { UploadId: this.upload.id };
  }

  async #part(PartNumber: number, bytes: Uint8Array): Promise<Part> {
    const { session, wire } = this.#context;
    const { signal } = this.#stop;
    const { id } = this.upload as Upload;
    return { PartNumber, ETag: await tries(session, signal, () => wire.putPart(this.#key, id, PartNumber, bytes, signal)) };
  }

  async #complete(parts: readonly Part[]): Promise<object> {
    this.stored = await (this.upload as Upload).complete(parts, this.#conditions, this.#stop.signal);
    return {};
  }
}
