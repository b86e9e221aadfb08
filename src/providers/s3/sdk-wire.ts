/**
 * The same requests as direct.ts, through the AWS client: for comparison, and for whoever wants its middleware in between.
 *
 *   const wire = new SdkWire(session, sdk);
 */
import { Readable } from "node:stream";
import type { ByteStream } from "../../store/index.ts";
import { innerFailure, NO_ETAG } from "./failure.ts";
import { escapeKey, unescapeKey } from "./keys.ts";
import { fromHeaders, toHeaders } from "./metadata.ts";
import type { Sdk } from "./sdk.ts";
import type { Session } from "./session.ts";
import {
  bareEtag,
  placeOf,
  wholeSeconds,
  type BucketFacts,
  type FailedKey,
  type KeyPage,
  type KeyQuery,
  type ObjectBody,
  type ObjectFacts,
  type Properties,
  type PutBody,
  type PutConditions,
  type Stored,
  type Wire,
} from "./wire.ts";
import { XmlError } from "./xml.ts";

export class SdkWire implements Wire {
  readonly #session: Session;
  readonly #sdk: Sdk;
  readonly #Bucket: string;

  constructor(session: Session, sdk: Sdk) {
    this.#session = session;
    this.#sdk = sdk;
    this.#Bucket = session.settings.bucket;
  }

  async headBucket(signal: AbortSignal | undefined): Promise<BucketFacts> {
    const told: Record<string, string | undefined> = {};
    await this.#sdk.send(
      (s3) => {
        const command = new s3.HeadBucketCommand({ Bucket: this.#Bucket });
        // Ceph tells the use of a bucket in headers that the SDK does not know.
        command.middlewareStack.add(
          (next) => async (args) => {
            const result = await next(args);
            Object.assign(told, (result.response as { headers?: Record<string, string> }).headers);
            return result;
          },
          { step: "deserialize", name: "stratusBucketFacts" },
        );
        return command;
      },
      { signal },
    );
    const number = (name: string): number | null => (told[name] === undefined || Number.isNaN(Number(told[name])) ? null : Number(told[name]));
    return { usedBytes: number("x-rgw-bytes-used"), quotaBytes: number("x-rgw-quota-bucket-size") };
  }

  async head(key: string, signal: AbortSignal | undefined): Promise<ObjectFacts> {
    return factsOf(await this.#sdk.send((s3) => new s3.HeadObjectCommand({ Bucket: this.#Bucket, Key: key }), { signal }));
  }

  async get(
    key: string,
    range: string | undefined,
    ifMatch: string | undefined,
    ifNoneMatch: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ObjectBody> {
    const output = await this.#sdk.send(
      (s3) =>
        new s3.GetObjectCommand({
          Bucket: this.#Bucket,
          Key: key,
          Range: range,
          IfMatch: ifMatch === undefined ? undefined : `"${ifMatch}"`,
          IfNoneMatch: ifNoneMatch === undefined ? undefined : `"${ifNoneMatch}"`,
        }),
      { signal },
    );
    const body = (output.Body as AsyncIterable<Uint8Array> | undefined) ?? new Uint8Array(0);
    return { ...placeOf(factsOf(output), output.$metadata.httpStatusCode === 206, output.ContentRange), body };
  }

  async put(
    key: string,
    body: PutBody,
    { contentType, metadata }: Properties,
    conditions: PutConditions,
    md5: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Stored> {
    const { vendor } = this.#session;
    const ifMatch = conditions.ifMatch === undefined || !vendor.quotedPutEtag ? conditions.ifMatch : `"${conditions.ifMatch}"`;
    const input = {
      Bucket: this.#Bucket,
      Key: key,
      ContentType: contentType,
      Metadata: metadata === undefined ? undefined : toHeaders(metadata, vendor.maxMetadataBytes),
      IfNoneMatch: conditions.ifAbsent ? "*" : undefined,
      IfMatch: ifMatch,
      ContentMD5: md5 === undefined ? undefined : Buffer.from(md5, "hex").toString("base64"),
    };
    const output =
      body instanceof Uint8Array
        ? await this.#sdk.send((s3) => new s3.PutObjectCommand({ ...input, Body: body, ContentLength: body.byteLength }), { signal })
        : await guardedStream(body.stream, signal, (readable, both) =>
            this.#sdk.send((s3) => new s3.PutObjectCommand({ ...input, Body: readable, ContentLength: body.size }), { signal: both, streaming: true }),
          );
    if (output.ETag === undefined) throw innerFailure(NO_ETAG, "a file without an etag");
    return { etag: bareEtag(output.ETag), modifiedMs: null, encrypted: isEncrypted(output) };
  }

  async remove(key: string, ifMatch: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    await this.#sdk.send((s3) => new s3.DeleteObjectCommand({ Bucket: this.#Bucket, Key: key, IfMatch: ifMatch === undefined ? undefined : `"${ifMatch}"` }), {
      signal,
    });
  }

  async removeMany(keys: readonly string[], signal: AbortSignal | undefined): Promise<readonly FailedKey[]> {
    const output = await this.#sdk.send(
      (s3) => new s3.DeleteObjectsCommand({ Bucket: this.#Bucket, Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) } }),
      { signal },
    );
    return (output.Errors ?? []).map(({ Key = "", Code = "", Message = "" }) => ({ key: Key, code: Code, message: Message }));
  }

  async list({ prefix, delimiter, max, token }: KeyQuery, signal: AbortSignal | undefined): Promise<KeyPage> {
    const output = await this.#sdk.send(
      (s3) =>
        new s3.ListObjectsV2Command({
          Bucket: this.#Bucket,
          Prefix: prefix === "" ? undefined : prefix,
          Delimiter: delimiter,
          MaxKeys: max,
          ContinuationToken: token,
          EncodingType: "url",
        }),
      { signal },
    );
    const name = output.EncodingType === "url" ? unescapeKey : (text: string): string => text;
    const next = output.NextContinuationToken;
    if (output.IsTruncated === undefined) throw new XmlError("a page that does not say whether it is the last");
    if (output.IsTruncated && (next === undefined || next === "")) throw new XmlError("a page that is not the last and names no next one");
    return {
      objects: (output.Contents ?? []).map(({ Key, Size, ETag, LastModified }) => {
        if (Key === undefined || Size === undefined) throw new XmlError("an object without key or size");
        return { key: name(Key), size: Size, etag: bareEtag(ETag), modifiedMs: wholeSeconds(LastModified) };
      }),
      prefixes: (output.CommonPrefixes ?? []).map(({ Prefix }) => {
        if (Prefix === undefined) throw new XmlError("a prefix without text");
        return name(Prefix);
      }),
      next: output.IsTruncated ? (next as string) : null,
    };
  }

  async copy(from: string, to: string, etag: string | null, ifAbsent: boolean, signal: AbortSignal | undefined): Promise<Stored> {
    const { copyIfAbsent } = this.#session.vendor;
    const output = await this.#sdk.send(
      (s3) => {
        const command = new s3.CopyObjectCommand({
          Bucket: this.#Bucket,
          Key: to,
          CopySource: `/${this.#Bucket}/${escapeKey(from)}`,
          MetadataDirective: "COPY",
          CopySourceIfMatch: etag === null ? undefined : `"${etag}"`,
        });
        if (ifAbsent && copyIfAbsent !== null) {
          command.middlewareStack.add(
            (next) => (args) => {
              (args.request as { headers: Record<string, string> }).headers[copyIfAbsent[0]] = copyIfAbsent[1];
              return next(args);
            },
            { step: "build", name: "stratusCopyIfAbsent" },
          );
        }
        return command;
      },
      { signal },
    );
    const result = output.CopyObjectResult;
    if (result?.ETag === undefined) throw new XmlError("a copy without a result");
    return { etag: bareEtag(result.ETag), modifiedMs: wholeSeconds(result.LastModified), encrypted: isEncrypted(output) };
  }

  async putPart(key: string, uploadId: string, number: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string> {
    const { ETag } = await this.#sdk.send(
      (s3) =>
        new s3.UploadPartCommand({ Bucket: this.#Bucket, Key: key, UploadId: uploadId, PartNumber: number, Body: bytes, ContentLength: bytes.byteLength }),
      { signal },
    );
    if (ETag === undefined) throw innerFailure("InternalError", "a part without an etag");
    return ETag;
  }

  async close(): Promise<void> {
    this.#sdk.close();
  }
}

interface Output {
  readonly ContentLength?: number | undefined;
  readonly ETag?: string | undefined;
  readonly LastModified?: Date | undefined;
  readonly ContentType?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSECustomerAlgorithm?: string | undefined;
}

function isEncrypted({ ServerSideEncryption, SSECustomerAlgorithm }: Output): boolean {
  return (ServerSideEncryption !== undefined && ServerSideEncryption !== "AES256") || SSECustomerAlgorithm !== undefined;
}

function factsOf(output: Output): ObjectFacts {
  return {
    size: output.ContentLength ?? null,
    etag: bareEtag(output.ETag),
    modifiedMs: wholeSeconds(output.LastModified),
    contentType: output.ContentType ?? null,
    metadata: fromHeaders(output.Metadata ?? {}),
    encrypted: isEncrypted(output),
  };
}

/**
 * A stream as the SDK can bear it. One that fails kills the process with an error nobody can catch, and one that ends early is waited for
 * without end: so the SDK never sees either. It gets a stream that stands still instead, and the request is given up.
 */
async function guardedStream<T>(
  stream: ByteStream,
  signal: AbortSignal | undefined,
  send: (readable: Readable, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  const readable = new Readable({
    highWaterMark: 256 * 1024,
    read() {
      stream.pull().then(
        (chunk) => this.push(chunk ?? null),
        (error: unknown) => {
          failure = { error };
          stop.abort(error);
        },
      );
    },
  });
  readable.on("error", () => {});
  try {
    return await send(readable, signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]));
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  } finally {
    readable.destroy();
    await stream.close();
  }
}
