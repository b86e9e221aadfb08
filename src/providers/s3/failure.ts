/**
 * What an S3 service answered when it did not do what was asked, as plain facts and before any meaning is put on them (errors.ts does that).
 *
 *   if (error instanceof S3Failure && error.code === "NoSuchKey") ...
 *
 * Both transports throw it, so that the verbs and the translation never look at an SDK's error.
 */
export interface FailureFacts {
  /** HTTP status; of an item of a bulk answer, or of an error inside a 200, the one that its code stands for. */
  readonly status: number;
  /** The service's own code ("NoSuchKey"). "" where there was no body: every failed HEAD. */
  readonly code: string;
  /** The service's text. Never part of a `reason`: it may hold paths. Ceph leaves it empty. */
  readonly message?: string | undefined;
  /** The `Retry-After` header as it came. */
  readonly retryAfter?: string | undefined;
  /** The region that the service names instead of ours. */
  readonly region?: string | undefined;
  /** The whole size, where a 416 tells it. */
  readonly size?: number | undefined;
  readonly cause?: unknown;
}

export class S3Failure extends Error {
  override readonly name = "S3Failure";
  readonly status: number;
  readonly code: string;
  readonly retryAfter: string | undefined;
  readonly region: string | undefined;
  readonly size: number | undefined;

  constructor(facts: FailureFacts) {
    super(`${facts.status} ${facts.code} ${facts.message ?? ""}`.trim(), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.code = facts.code;
    this.retryAfter = facts.retryAfter;
    this.region = facts.region;
    this.size = facts.size;
  }
}

/** A PUT that was answered with success and no etag: of what became of it nothing is known. */
export const NO_ETAG = "NoEtag";

export function isFailure(error: unknown, ...marks: readonly (number | string)[]): error is S3Failure {
  return error instanceof S3Failure && (marks.length === 0 || marks.includes(error.status) || marks.includes(error.code));
}

/** The statuses of codes that arrive without one: items of a bulk deletion, and errors in the body of a 200. */
const STATUS_OF: Readonly<Record<string, number>> = {
  AccessDenied: 403,
  InternalError: 500,
  MalformedXML: 400,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NoSuchVersion: 404,
  OperationAborted: 409,
  PreconditionFailed: 412,
  RequestTimeout: 400,
  ServiceUnavailable: 503,
  SlowDown: 503,
};

/** An error that came inside an answer of status 200. What the table does not know is taken as the service's own trouble: the outcome is open. */
export function innerFailure(code: string, message?: string): S3Failure {
  return new S3Failure({ status: STATUS_OF[code] ?? 500, code, message });
}

/** "bytes *\/1234" of a 416, where the service says so. */
export function sizeFromContentRange(header: string | undefined): number | undefined {
  const size = /^bytes \*\/(\d+)$/.exec(header ?? "")?.[1];
  return size === undefined ? undefined : Number(size);
}
