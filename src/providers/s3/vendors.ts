/**
 * What the services that speak S3 do differently, as data. Nothing outside of this file knows a vendor by name.
 *
 * Each line rests on an experiment against the server itself (reference: radosgw 16.2.15, Swift 2.30.1 s3api, November 2026) or on what the
 * vendor documents; the latter are marked [doc], and what is still to be proved on a live account [live]. A new vendor starts from `generic`,
 * which claims only what every implementation of the protocol does.
 */
export type VendorName = "aws" | "ceph" | "swift" | "google" | "minio" | "r2" | "b2" | "generic";

export interface Vendor {
  /** For people: the account, messages. */
  readonly label: string;
  /** Where the service lives when no endpoint is given. "{region}" stands for the region. Null: an endpoint is required. "sdk": the SDK's own table. */
  readonly endpoint: string | null;
  /** The region to sign for when none is given. Null: the SDK's chain (environment, profile). */
  readonly region: string | null;
  /** The bucket in the path, not in the host name. */
  readonly pathStyle: boolean;
  /** A bucket is created with its region in the body. Ceph refuses any region that is not one of its zone groups. */
  readonly locationConstraint: boolean;

  /** `If-None-Match: *` and `If-Match` on a single PUT hold against racing writers. */
  readonly putIfAbsent: boolean;
  readonly putIfMatch: boolean;
  /** The same on the completion of a multipart upload. Without it a conditional write is one PUT, of at most `maxPutBytes`. */
  readonly completeConditions: boolean;
  readonly deleteIfMatch: boolean;
  /** The header and value that make a copy lose against an existing target; null: there is none, or it is ignored. */
  readonly copyIfAbsent: readonly [header: string, value: string] | null;
  /** `x-amz-copy-source-if-match` may be sent for an object that was put in parts. Swift compares it with the etag of its own list of parts. */
  readonly copyMatchesParts: boolean;
  /** Quotes around the etag of `If-Match` on a PUT. Ceph 16 compares the header with the bare etag. */
  readonly quotedPutEtag: boolean;

  /** DeleteObjects: up to 1,000 keys in a request. null: not known to work, keys are deleted one by one. */
  readonly bulkDelete: boolean;
  /** Parts of one upload. */
  readonly maxParts: number;
  /** A single PUT, a single COPY, a single part. */
  readonly maxPutBytes: number;
  /** A larger object is copied by ranges; Infinity where the service copies any size at once. */
  readonly maxCopyBytes: number;
  readonly maxFileBytes: number;
  /** All parts but the last have one size. */
  readonly equalParts: boolean;
  /** User metadata, names and values together. */
  readonly maxMetadataBytes: number;
  /** A segment of a key; null: only the whole key is limited. */
  readonly maxNameBytes: number | null;

  /** An etag of 32 hex digits on an object that was put in one piece without a key of the customer's is its MD5. */
  readonly md5Etag: boolean;
  /** What a GET says it accepts. Google unpacks stored gzip unless told that it need not. */
  readonly acceptEncoding: "identity" | "gzip";
  /** The connection survives an answer to HEAD. Swift sends stray bytes behind a 404, which would be read as the next answer. */
  readonly headKeepAlive: boolean;
  /** ListObjects of a moment ago may lack what was just written. */
  readonly listSettleMs: number;
  /** What is known of the space: the bucket's headers on HEAD (Ceph), unlimited by the vendor's word, or nothing. */
  readonly space: "headers" | "unlimited" | false;
  readonly undelete: "versions" | false;
  readonly concurrency: number;
}

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;
const TiB = 1024 ** 4;

/** The cautious column: what the protocol has had from the start. */
const generic: Vendor = {
  label: "S3-compatible service",
  endpoint: null,
  region: "us-east-1",
  pathStyle: true,
  locationConstraint: true,
  putIfAbsent: false,
  putIfMatch: false,
  completeConditions: false,
  deleteIfMatch: false,
  copyIfAbsent: null,
  copyMatchesParts: true,
  quotedPutEtag: true,
  bulkDelete: false,
  maxParts: 10_000,
  maxPutBytes: 5 * GiB,
  maxCopyBytes: 5 * GiB,
  maxFileBytes: Infinity,
  equalParts: true,
  maxMetadataBytes: 2048,
  maxNameBytes: null,
  md5Etag: false,
  acceptEncoding: "identity",
  headKeepAlive: true,
  listSettleMs: 30_000,
  space: false,
  undelete: false,
  concurrency: 8,
};

export const VENDORS: Readonly<Record<VendorName, Vendor>> = {
  generic,
  aws: {
    ...generic,
    label: "Amazon S3",
    endpoint: "sdk",
    region: null,
    pathStyle: false,
    // Conditional PUT 2024-08, If-Match and Complete 2024-11, DELETE 2025-09, COPY 2025-10 [doc] [live]
    putIfAbsent: true,
    putIfMatch: true,
    completeConditions: true,
    deleteIfMatch: true,
    copyIfAbsent: ["if-none-match", "*"],
    bulkDelete: true,
    maxFileBytes: 50 * TiB,
    equalParts: false,
    md5Etag: true,
    listSettleMs: 0, // strong since 2020-12 [doc]
    space: "unlimited",
    concurrency: 16,
  },
  ceph: {
    ...generic,
    label: "Ceph Object Gateway",
    locationConstraint: false, // any other than the zone group's: 400 InvalidLocationConstraint
    // 60 of 60 races of 20 creators and 40 of 40 compare-and-swap rounds had one winner. On COPY, Complete and DELETE the headers are ignored.
    putIfAbsent: true,
    putIfMatch: true,
    quotedPutEtag: false, // quoted: 412 for the right etag
    bulkDelete: true,
    maxFileBytes: 5 * TiB,
    equalParts: false,
    md5Etag: true,
    listSettleMs: 0, // 0 misses in 100
    space: "headers",
    concurrency: 16,
  },
  swift: {
    ...generic,
    label: "OpenStack Swift",
    // Any condition on PUT or COPY: 501 "Conditional object PUTs are not supported". On DELETE it is ignored.
    copyMatchesParts: false, // 412 for the etag that its own HEAD tells
    bulkDelete: true, // wants Content-MD5, which every bulk deletion here carries
    maxParts: 1000, // part 1,001: 400
    maxFileBytes: 1000 * 5 * GiB,
    equalParts: false,
    maxMetadataBytes: 256, // a value of 257 bytes: 500
    md5Etag: true,
    headKeepAlive: false,
    concurrency: 8,
  },
  google: {
    ...generic,
    label: "Google Cloud Storage",
    endpoint: "https://storage.googleapis.com",
    region: "auto",
    locationConstraint: false, // "auto" is no location
    // Generation conditions beside x-amz headers are refused [doc] [live]
    bulkDelete: false, // supported since 2025 on some endpoints only [live]
    maxCopyBytes: Infinity, // UploadPartCopy is not there, but a copy has no size limit [doc]
    maxFileBytes: 5 * TiB,
    maxMetadataBytes: 8192,
    md5Etag: true,
    acceptEncoding: "gzip",
    listSettleMs: 0, // [doc]
    space: "unlimited",
    concurrency: 16,
  },
  minio: {
    ...generic,
    label: "MinIO",
    putIfAbsent: true,
    putIfMatch: false, // racing writers could both win before the fix of minio/minio#21526 (August 2025)
    bulkDelete: true,
    maxFileBytes: 5 * TiB,
    maxNameBytes: 255, // a segment is a file name on its disks
    md5Etag: true,
    equalParts: false,
    listSettleMs: 0,
    concurrency: 16,
  },
  r2: {
    ...generic,
    label: "Cloudflare R2",
    region: "auto",
    locationConstraint: false,
    putIfAbsent: true, // [doc] [live]
    putIfMatch: true,
    completeConditions: true,
    copyIfAbsent: ["cf-copy-destination-if-none-match", "*"], // [doc] [live]
    bulkDelete: true,
    maxFileBytes: 5 * TiB,
    maxMetadataBytes: 8192,
    md5Etag: true,
    listSettleMs: 0,
    space: "unlimited",
    concurrency: 16,
  },
  b2: {
    ...generic,
    label: "Backblaze B2",
    endpoint: "https://s3.{region}.backblazeb2.com",
    region: null,
    // If-None-Match: 501 [doc]
    bulkDelete: true,
    maxFileBytes: 10 * TiB,
    md5Etag: true,
    equalParts: false,
    listSettleMs: 0, // [live]
    undelete: "versions",
    concurrency: 8,
  },
};

/** The smallest part that every service takes, the last one aside. */
export const MIN_PART_BYTES: number = 5 * MiB;
/** Keys of one bulk deletion, and of one page of a listing. */
export const MAX_KEYS = 1000;
/** Bytes of a key, prefix included. */
export const MAX_KEY_BYTES = 1024;
