/**
 * What a failure of the service means, in the words of the contract. The one place that knows; both transports end here.
 *
 *   translate(error, { operation: "write", ifAbsent: true })  ->  StoreError | undefined (not ours)
 *
 * Status and code decide, never the text: Ceph sends none, and others put paths into it.
 */
import { StoreError, type ErrorCode, type ErrorDetails } from "../../store/index.ts";
import type { S3Failure } from "./failure.ts";
import { isFailure } from "./failure.ts";
import { XmlError } from "./xml.ts";

/** What of a call decides between two meanings of one status. */
export interface Asked {
  readonly operation: string;
  readonly ifAbsent?: boolean | undefined;
}

type Meaning = readonly [code: ErrorCode, reason: string, details?: ErrorDetails];

const UNDONE = { applied: false } as const;
/** A wait that a service asks for is obeyed up to this. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** Codes whose meaning does not depend on the call. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoSuchKey: ["not-found", "nothing at this path"],
  NoSuchVersion: ["not-found", "nothing at this path"],
  NotFound: ["not-found", "nothing at this path"],
  NoSuchBucket: ["config", "no such bucket", UNDONE],
  InvalidBucketName: ["config", "the service takes no such name for a bucket", UNDONE],
  PermanentRedirect: ["config", "the bucket lives behind another endpoint", UNDONE],
  TemporaryRedirect: ["unavailable", "the bucket is being moved", UNDONE],
  AuthorizationHeaderMalformed: ["config", "wrong region for this bucket", UNDONE],
  IllegalLocationConstraintException: ["config", "wrong region for this endpoint", UNDONE],
  InvalidLocationConstraint: ["config", "the service has no such region", UNDONE],
  InvalidAccessKeyId: ["unauthenticated", "the service does not know this access key"],
  SignatureDoesNotMatch: ["unauthenticated", "the secret does not belong to the access key"],
  RequestTimeTooSkewed: ["unauthenticated", "the clocks of client and service differ too much"],
  ExpiredToken: ["unauthenticated", "the credentials have expired"],
  TokenRefreshRequired: ["unauthenticated", "the credentials have expired"],
  InvalidToken: ["unauthenticated", "the session token is not valid"],
  InvalidSecurity: ["unauthenticated", "the credentials are not valid"],
  NotSignedUp: ["unauthenticated", "the account has no storage service"],
  AccountProblem: ["permission-denied", "the service refuses this account"],
  AccessDenied: ["permission-denied", "the service refuses this"],
  AllAccessDisabled: ["permission-denied", "the bucket is closed"],
  MethodNotAllowed: ["unsupported", "the service does not do this"],
  NotImplemented: ["unsupported", "the service does not do this"],
  MissingContentLength: ["unsupported", "the service wants to know the length beforehand"],
  InvalidObjectState: ["unsupported", "the object is in an archive class and has to be restored first"],
  QuotaExceeded: ["no-space", "the quota is used up", UNDONE],
  XMinioStorageFull: ["no-space", "the disks are full", UNDONE],
  EntityTooLarge: ["too-large", "larger than the service takes", UNDONE],
  MetadataTooLarge: ["too-large", "more metadata than the service takes", UNDONE],
  KeyTooLongError: ["invalid-path", "the key is longer than the service takes", UNDONE],
  InvalidObjectName: ["invalid-path", "the service takes no such name", UNDONE],
  XMinioInvalidObjectName: ["invalid-path", "the service takes no such name", UNDONE],
  InvalidURI: ["invalid-path", "the service takes no such name", UNDONE],
  BadDigest: ["integrity", "the bytes that arrived have another hash", { applied: false, transient: true }],
  InvalidDigest: ["integrity", "the service could not read the hash", UNDONE],
  IncompleteBody: ["unavailable", "the upload was cut off on its way", UNDONE],
  XAmzContentSHA256Mismatch: ["integrity", "the bytes that arrived have another hash", { applied: false, transient: true }],
  XAmzContentChecksumMismatch: ["integrity", "the bytes that arrived have another hash", { applied: false, transient: true }],
  ConditionalRequestConflict: ["conflict", "somebody else writes it at this moment", UNDONE],
  OperationAborted: ["conflict", "somebody else changes it at this moment", UNDONE],
  BucketAlreadyExists: ["config", "the bucket belongs to somebody else", UNDONE],
  NoSuchUpload: ["conflict", "the upload is gone: completed, aborted or cleaned up by somebody else", { applied: "unknown" }],
  SlowDown: ["rate-limited", "the service asks to slow down", UNDONE],
  RequestLimitExceeded: ["rate-limited", "too many requests", UNDONE],
  TooManyRequests: ["rate-limited", "too many requests", UNDONE],
  Throttling: ["rate-limited", "too many requests", UNDONE],
  ThrottlingException: ["rate-limited", "too many requests", UNDONE],
  RequestThrottled: ["rate-limited", "too many requests", UNDONE],
  RequestTimeout: ["unavailable", "the service waited too long for the request"],
};

/** By status, where the code says nothing known. */
function byStatus(failure: S3Failure, asked: Asked): Meaning {
  const { status, code } = failure;
  if (status === 412)
    return asked.ifAbsent === true ? ["already-exists", "something is there already"] : ["precondition-failed", "the file is another one by now"];
  switch (status) {
    case 301:
      return MEANINGS["PermanentRedirect"] as Meaning;
    case 304:
      return ["not-modified", "the file is still the same"];
    case 307:
      return MEANINGS["TemporaryRedirect"] as Meaning;
    case 401:
      return ["unauthenticated", "the service does not accept the credentials"];
    case 403:
      return code.startsWith("KMS.") ? ["permission-denied", "the key service refuses this"] : (MEANINGS["AccessDenied"] as Meaning);
    case 404:
      return MEANINGS["NoSuchKey"] as Meaning;
    case 405:
    case 411:
    case 501:
      return ["unsupported", "the service does not do this", UNDONE];
    case 408:
      return ["unavailable", "the service waited too long for the request"];
    case 409:
      return ["conflict", "somebody else changes it at this moment", UNDONE];
    case 413:
      return MEANINGS["EntityTooLarge"] as Meaning;
    case 416:
      return ["bad-range", "the range starts at or past the end"];
    case 429:
      return MEANINGS["TooManyRequests"] as Meaning;
    case 507:
      return ["no-space", "the service has no space left", UNDONE];
    // 503 says that nothing was done, where it comes from the service itself; 500, 502 and 504 say nothing of the kind.
    case 503:
      return ["unavailable", "the service is not available", code === "ServiceUnavailable" || failure.retryAfter !== undefined ? UNDONE : {}];
  }
  if (status >= 500) return ["unavailable", "the service failed"];
  return ["unknown", `the service refused with ${status}${/^[A-Za-z]{1,60}$/.test(code) ? ` ${code}` : ""}`, UNDONE];
}

/** Errors of sockets, names and certificates, of undici and of the SDK's own client. */
const NETWORK: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: ["unavailable", "nobody answers at the endpoint", UNDONE],
  ENOTFOUND: ["unavailable", "the endpoint has no address", UNDONE],
  EAI_AGAIN: ["unavailable", "the address of the endpoint cannot be looked up", UNDONE],
  EHOSTUNREACH: ["unavailable", "the endpoint cannot be reached", UNDONE],
  ENETUNREACH: ["unavailable", "the endpoint cannot be reached", UNDONE],
  UND_ERR_CONNECT_TIMEOUT: ["timeout", "no connection in time", UNDONE],
  UND_ERR_HEADERS_TIMEOUT: ["timeout", "no answer in time"],
  UND_ERR_BODY_TIMEOUT: ["timeout", "the answer stopped coming"],
  ETIMEDOUT: ["unavailable", "the connection broke off"],
  ECONNRESET: ["unavailable", "the connection broke off"],
  ECONNABORTED: ["unavailable", "the connection broke off"],
  EPIPE: ["unavailable", "the connection broke off"],
  UND_ERR_SOCKET: ["unavailable", "the connection broke off"],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ["unavailable", "the answer was cut off"],
  UND_ERR_RESPONSE: ["unavailable", "the answer is no HTTP"],
  UND_ERR_DESTROYED: ["unavailable", "the connection was closed"],
  UND_ERR_CLOSED: ["unavailable", "the connection was closed"],
  UND_ERR_HEADERS_OVERFLOW: ["unavailable", "the answer is no HTTP"],
};

function network(error: Error): Meaning | undefined {
  const code = (error as { code?: unknown }).code;
  // The SDK's client calls what its timers end by this name, and connections that were reset as well.
  if (error.name === "TimeoutError" && (code === undefined || code === "ETIMEDOUT")) return ["timeout", "no answer in time"];
  if (typeof code !== "string") return undefined;
  if (Object.hasOwn(NETWORK, code)) return NETWORK[code];
  if (code.startsWith("HPE_")) return ["unavailable", "the answer is no HTTP"];
  if (/^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code))
    return ["config", "the certificate of the endpoint is not trusted", UNDONE];
  if (code === "EPROTO") return ["config", "the endpoint does not speak TLS", UNDONE];
  return undefined;
}

/** The error and what caused it; of several addresses that failed, the first. */
function causeChain(error: unknown): Error[] {
  const chain: Error[] = [];
  for (
    let each: unknown = error;
    each instanceof Error && chain.length < 6;
    each = each instanceof AggregateError && each.errors.length > 0 ? each.errors[0] : each.cause
  )
    chain.push(each);
  return chain;
}

/** Undefined: nothing that this provider knows. */
export function translate(error: unknown, asked: Asked, now: number): StoreError | undefined {
  if (StoreError.is(error)) return error;
  if (error instanceof XmlError) return new StoreError("unavailable", "the service answered something that is no XML", { cause: error });
  if (isFailure(error)) {
    const known = Object.hasOwn(MEANINGS, error.code) ? MEANINGS[error.code] : undefined;
    const [code, reason, details] = known ?? byStatus(error, asked);
    return new StoreError(code, reason, {
      applied: error.status < 500 && code !== "unavailable" ? false : undefined,
      ...details,
      status: error.status,
      retryAfterMs: retryAfterMs(error.retryAfter, now),
      cause: error,
    });
  }
  const inner = causeChain(error);
  for (const each of inner) {
    const meaning = network(each);
    if (meaning !== undefined) return new StoreError(meaning[0], meaning[1], { ...meaning[2], cause: error });
  }
  return undefined;
}

/** Seconds or a date; undefined where it is neither. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header.trim()) * 1000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
