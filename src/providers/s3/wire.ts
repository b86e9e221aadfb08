/**
 * The requests of the hot verbs, apart from how they travel: direct.ts signs and sends them itself, sdk.ts gives them to the AWS client.
 *
 * Every method either does exactly one exchange or throws: an S3Failure where the service refused, the transport's own error where there was
 * no answer. Nobody below here tries anything twice, bar one renewal of credentials and one correction of the region, which the service
 * refused before it looked at the request.
 */
import type { ByteStream, Metadata, RawBody } from "../../store/index.ts";

/** What the headers of HEAD and GET tell. */
export interface ObjectFacts {
  readonly size: number | null;
  /** Without quotes; null where it is weak or missing. */
  readonly etag: string | null;
  readonly modifiedMs: number | null;
  readonly contentType: string | null;
  readonly metadata: Metadata;
  /** With a key of the customer's or of a key service: then the etag is no hash of the bytes. */
  readonly encrypted: boolean;
}
export interface ObjectBody {
  readonly facts: ObjectFacts;
  /** Where the bytes stand in the object; null: a part that does not say so, which may be any. */
  readonly offset: number | null;
  readonly body: RawBody;
}
/** What the answer to a PUT or a COPY tells. */
export interface Stored {
  readonly etag: string | null;
  readonly modifiedMs: number | null;
  readonly encrypted: boolean;
}
export interface Properties {
  readonly contentType: string | undefined;
  readonly metadata: Metadata | undefined;
}
export interface PutConditions {
  readonly ifAbsent: boolean;
  readonly ifMatch: string | undefined;
}
/** Bytes in memory, or a stream whose length is known and whose end comes only if every byte of it came. */
export type PutBody = Uint8Array | { readonly stream: ByteStream; readonly size: number };

export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly etag: string | null;
  readonly modifiedMs: number | null;
}
export interface KeyPage {
  readonly objects: readonly ListedObject[];
  /** What the keys start with, up to and with the delimiter. */
  readonly prefixes: readonly string[];
  /** Null: the last page. */
  readonly next: string | null;
}
export interface KeyQuery {
  readonly prefix: string;
  /** "/" for the direct children, undefined for everything below. */
  readonly delimiter?: "/" | undefined;
  readonly max: number;
  readonly token?: string | undefined;
}
export interface FailedKey {
  readonly key: string;
  readonly code: string;
  readonly message: string;
}
export interface BucketFacts {
  /** Header values of Ceph; null where the service does not tell. */
  readonly usedBytes: number | null;
  readonly quotaBytes: number | null;
}

export interface Wire {
  headBucket(signal: AbortSignal | undefined): Promise<BucketFacts>;
  head(key: string, signal: AbortSignal | undefined): Promise<ObjectFacts>;
  get(
    key: string,
    range: string | undefined,
    ifMatch: string | undefined,
    ifNoneMatch: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ObjectBody>;
  /** `md5`: what the service checks the bytes against, in hexadecimal. */
  put(key: string, body: PutBody, properties: Properties, conditions: PutConditions, md5: string | undefined, signal: AbortSignal | undefined): Promise<Stored>;
  remove(key: string, ifMatch: string | undefined, signal: AbortSignal | undefined): Promise<void>;
  /** At most 1,000 keys that XML can hold. Those that could not be removed. */
  removeMany(keys: readonly string[], signal: AbortSignal | undefined): Promise<readonly FailedKey[]>;
  list(query: KeyQuery, signal: AbortSignal | undefined): Promise<KeyPage>;
  /** The whole object with all its properties, if it still has this etag (where the service looks). */
  copy(from: string, to: string, etag: string | null, ifAbsent: boolean, signal: AbortSignal | undefined): Promise<Stored>;
  /** The etag of the part as the service gave it, quotes included: it wants exactly that back. */
  putPart(key: string, uploadId: string, number: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string>;
  /** Lets go of connections; what is under way ends with an error. */
  close(): Promise<void>;
}

/** What `Content-Range` says of the bytes that came. */
export function placeOf(facts: ObjectFacts, isPart: boolean, contentRange: string | undefined): Omit<ObjectBody, "body"> {
  if (!isPart) return { facts, offset: 0 };
  const told = /^bytes (\d+)-\d+\/(\d+)$/.exec(contentRange ?? "");
  return told === null ? { facts, offset: null } : { facts: { ...facts, size: Number(told[2]) }, offset: Number(told[1]) };
}

/** Strong etags only, and bare: a weak one does not say that the bytes are the same. */
export function bareEtag(header: string | undefined | null): string | null {
  if (header === undefined || header === null || header === "" || header.startsWith("W/")) return null;
  return header.startsWith('"') && header.endsWith('"') && header.length >= 2 ? header.slice(1, -1) : header;
}

/** The time of the last modification, cut to whole seconds: HEAD tells no more, and a listing of Ceph does. */
export function wholeSeconds(time: string | Date | undefined): number | null {
  if (time === undefined) return null;
  const ms = typeof time === "string" ? Date.parse(time) : time.getTime();
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000) * 1000;
}
