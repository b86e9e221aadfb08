/** The one error of every store, its closed codes, and what they are in other worlds. */
import type { Entry } from "./entry.ts";
import type { Operation } from "./operations.ts";
import type { StorePath } from "./path.ts";

/** Closed. A new code is a minor release that breaks exhaustive switches at compile time, which is its purpose. */
export type ErrorCode =
  | "not-found" //            ENOENT     nothing at this path
  | "already-exists" //       EEXIST     ifAbsent lost, or mkdir of something that exists
  | "not-a-directory" //      ENOTDIR
  | "is-a-directory" //       EISDIR
  | "not-empty" //            ENOTEMPTY
  | "invalid-path" //         EINVAL     breaks a path rule, or a name rule of the service; no request was made
  | "bad-range" //            EINVAL     the range starts at or past the end; `entry.size` where known
  | "precondition-failed" //  ESTALE     ifMatch lost; nothing was changed
  | "not-modified" //         EALREADY   ifNoneMatch met; not a failure: statistics do not count it as one
  | "unauthenticated" //      EACCES     who are you
  | "permission-denied" //    EACCES     you may not
  | "rate-limited" //         EAGAIN     transient; retryAfterMs where the service says
  | "no-space" //             ENOSPC
  | "too-large" //            EFBIG      beyond maxFileBytes; no request was made where the size was known
  | "bad-body" //             EIO        the body given to write failed (its error is `cause`), ended early or ran long; nothing was changed
  | "integrity" //            EIO        bytes differ from a hash that was promised
  | "conflict" //             EBUSY      somebody else changes it at this moment; transient
  | "unsupported" //          ENOTSUP    not among the capabilities
  | "timeout" //              ETIMEDOUT  transient; also an abort whose reason is a TimeoutError
  | "aborted" //              ECANCELED  the caller's signal; its reason is `cause`
  | "unavailable" //          EIO        not reachable, 5xx, cut off in the middle; transient. Never "not-found"
  | "corrupt" //              EIO        bytes in a format of ours do not decode
  | "config" //               EINVAL     wrong options, missing SDK, missing bucket
  | "closed" //               EBADF      the store was closed
  | "unknown"; //             EIO        a defect: somebody threw what nobody translated; it is `cause`

export interface ErrorDetails {
  readonly cause?: unknown;
  /** The same call may succeed later without anyone doing anything. Default by code. */
  readonly transient?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
  /**
   * Did the change happen? Default: false for reads and refusals, "unknown" for a mutation that ended in timeout, aborted, unavailable or unknown.
   * `translate` says false where no byte of the request left (refused, DNS, TLS) or the service answered that it did nothing (429, 503); a look
   * afterwards may turn "unknown" into true, but into false only where `afterlifeMs` is 0 or has passed. A change that has only asked so far says false,
   * however it fails (`beforehand`). Of a change made of many requests "unknown" outweighs "partly" (`inPart`).
   */
  readonly applied?: boolean | "partly" | "unknown" | undefined;
  /** With `applied: "partly"`, and with "unknown" where some of a tree was done: how much, and where it stopped. */
  readonly partial?: { readonly done: number; readonly at: StorePath } | undefined;
  readonly status?: number | undefined;
  /** What is there instead, where the answer told: the size for a bad range, the current etag for a failed condition. */
  readonly entry?: Entry | undefined;
  /** How many times the call was tried. A layer that retries passes on what was retried below it. */
  readonly attempts?: number | undefined;
}
export interface ErrorContext {
  readonly store?: string | undefined;
  readonly operation?: Operation | "open" | "reconnect" | "close" | undefined;
  readonly path?: StorePath | undefined;
  readonly to?: StorePath | undefined;
}
/** What each code is in errno terms, over HTTP, and whether the same call may succeed later by itself. */
const CODES: Readonly<Record<ErrorCode, readonly [errno: string, status: number, transient: boolean]>> = {
  "not-found": ["ENOENT", 404, false],
  "already-exists": ["EEXIST", 412, false],
  "not-a-directory": ["ENOTDIR", 409, false],
  "is-a-directory": ["EISDIR", 409, false],
  "not-empty": ["ENOTEMPTY", 409, false],
  "invalid-path": ["EINVAL", 400, false],
  "bad-range": ["EINVAL", 416, false],
  "precondition-failed": ["ESTALE", 412, false],
  "not-modified": ["EALREADY", 304, false],
  unauthenticated: ["EACCES", 401, false],
  "permission-denied": ["EACCES", 403, false],
  "rate-limited": ["EAGAIN", 429, true],
  "no-space": ["ENOSPC", 507, false],
  "too-large": ["EFBIG", 413, false],
  "bad-body": ["EIO", 400, false],
  integrity: ["EIO", 422, false],
  conflict: ["EBUSY", 409, true],
  unsupported: ["ENOTSUP", 501, false],
  timeout: ["ETIMEDOUT", 504, true],
  aborted: ["ECANCELED", 499, false],
  unavailable: ["EIO", 503, true],
  corrupt: ["EIO", 500, false],
  config: ["EINVAL", 500, false],
  closed: ["EBADF", 503, false],
  unknown: ["EIO", 500, false],
};

const MUTATIONS: ReadonlySet<string> = new Set<Operation>(["write", "delete", "mkdir", "copy", "move"]);
/** Codes after which nobody knows whether a mutation happened. */
const AMBIGUOUS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["timeout", "aborted", "unavailable", "unknown"]);
let saidBy: (error: object) => ErrorDetails | undefined;
/** Set on every instance, so that an error of a second installed copy is recognised. */
const BRAND = Symbol.for("stratus.StoreError");

/**
 * The only error that a store, a body or a listing throws, apart from TypeError for arguments that the types forbid.
 * `operation`, `path` and `to` are those of the call that the holder of the store made: the front sees to it, so no prefix and no archive
 * name can leak. `store` is where the error was born. `message` is "<store> <operation> <path>: <reason>"; `reason` is in our words and
 * holds no path, token or URL (those are in `path` and `cause`), so it may be logged. Never changed once thrown, so several callers may get it.
 */
export class StoreError extends Error {
  override readonly name = "StoreError" as const;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly transient: boolean;
  readonly retryAfterMs: number | null;
  readonly applied: boolean | "partly" | "unknown";
  readonly partial: { readonly done: number; readonly at: StorePath } | null;
  readonly attempts: number;
  readonly status: number | null;
  readonly entry: Entry | null;
  readonly store: string | null;
  readonly operation: Operation | "open" | "reconnect" | "close" | null;
  readonly path: StorePath | null;
  readonly to: StorePath | null;
  /** What was said, as it was said: a copy with another operation finds its defaults anew. */
  readonly #said: ErrorDetails & ErrorContext;

  constructor(code: ErrorCode, reason: string, details: ErrorDetails & ErrorContext = {}) {
    super(messageOf(reason, details), details.cause === undefined ? undefined : { cause: details.cause });
    const { operation } = details;
    this.code = code;
    this.reason = reason;
    this.transient = details.transient ?? CODES[code][2];
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.applied = details.applied ?? (operation !== undefined && MUTATIONS.has(operation) && AMBIGUOUS.has(code) ? "unknown" : false);
    this.partial = details.partial ?? null;
    this.attempts = details.attempts ?? 1;
    this.status = details.status ?? null;
    this.entry = details.entry ?? null;
    this.store = details.store ?? null;
    this.operation = operation ?? null;
    this.path = details.path ?? null;
    this.to = details.to ?? null;
    this.#said = details;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** A copy with some facts changed; same code unless given, this error as `cause` unless one is given. */
  with(changes: ErrorDetails & ErrorContext & { readonly code?: ErrorCode | undefined; readonly reason?: string | undefined }): StoreError {
    const { code, reason, ...details } = changes;
    // The guess about a mutation belongs to the code it was made for.
    const said: ErrorDetails & ErrorContext = code === undefined || code === this.code ? this.#said : { ...this.#said, transient: undefined };
    return new StoreError(code ?? this.code, reason ?? this.reason, { ...said, cause: this, ...details });
  }

  static {
    saidBy = (error) => (#said in error ? error.#said : undefined);
  }

  /** Also true for an error of a second installed copy of this package. */
  static is(value: unknown): value is StoreError {
    return typeof value === "object" && value !== null && (value instanceof StoreError || (value as Record<symbol, unknown>)[BRAND] === true);
  }
}

/** What was said of `applied`; undefined where `error.applied` is only the default of an error without a call. */
export function saidApplied(error: StoreError): ErrorDetails["applied"] {
  return saidBy(error)?.applied ?? (error.operation === null && error.applied === false ? undefined : error.applied);
}

function messageOf(reason: string, { store, operation, path, to }: ErrorContext): string {
  const where = [store, operation, path === undefined ? undefined : printable(path), to === undefined ? undefined : `-> ${printable(to)}`];
  const head = where.filter((part) => part !== undefined).join(" ");
  return head === "" ? reason : `${head}: ${reason}`;
}

/** A path for a message: control characters and lone surrogates escaped, and not longer than a line. */
function printable(path: string): string {
  const cut = path.length > 300 ? `${path.slice(0, 299)}…` : path;
  return cut.isWellFormed() && !CONTROLS.test(cut)
    ? cut
    : JSON.stringify(cut).replace(UNESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// eslint-disable-next-line no-control-regex
const CONTROLS = /[\0-\x1f\x7f-\x9f\u2028\u2029]/;
/** What JSON leaves as it is. */
const UNESCAPED = /[\x7f-\x9f\u2028\u2029]/g;

/** True for a StoreError of one of these codes. */
export function hasCode(error: unknown, ...codes: readonly ErrorCode[]): error is StoreError {
  return StoreError.is(error) && codes.includes(error.code);
}

/** "ENOENT" ... by the table above. */
export function toErrno(error: StoreError): string {
  return (CODES[error.code] ?? CODES.unknown)[0];
}

/** 404 for not-found, 412 for precondition-failed, 416, 429, 503 ...: for whoever serves a store over HTTP. */
export function toHttpStatus(error: StoreError): number {
  return (CODES[error.code] ?? CODES.unknown)[1];
}

/** What an aborted signal becomes: `timeout` where its reason is a TimeoutError, else `aborted`; the reason is the cause. */
export function abortError(signal: AbortSignal, details: ErrorDetails & ErrorContext = {}): StoreError {
  const reason: unknown = signal.reason;
  const timedOut = typeof reason === "object" && reason !== null && (reason as { name?: unknown }).name === "TimeoutError";
  return timedOut
    ? new StoreError("timeout", "the time for this call is over", { ...details, cause: reason })
    : new StoreError("aborted", "the caller gave up", { ...details, cause: reason });
}
