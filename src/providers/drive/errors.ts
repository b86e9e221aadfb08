/** What Drive answers and what goes wrong on the way, in the words of the store. */
import { StoreError, errorFromResponse } from "../../store/index.ts";
import type { ErrorCode } from "../../store/index.ts";

/** The service's own words, kept as the cause. */
export class DriveRefusal extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(`HTTP ${status} ${reason}${message === "" || message === reason ? "" : `: ${message}`}`);
    this.status = status;
    this.reason = reason;
  }
}

/** The request or its answer broke off; what fetch threw is the cause. */
export class Broken extends Error {}

const HOUR_MS = 3_600_000;
type Meaning = readonly [code: ErrorCode, reason: string, retryAfterMs?: number];
const SLOWER: Meaning = ["rate-limited", "Drive asks to slow down"];
const FULL: Meaning = ["no-space", "the account, drive or folder is full"];
const DEEP: Meaning = ["invalid-path", "Drive does not nest folders so deeply"];

/** By `errors[0].reason`, whatever the status (api/guides/handle-errors; the reasons are those of the API and of clients that met them). */
const REASONS: Readonly<Record<string, Meaning>> = {
  authError: ["unauthenticated", "Drive does not accept the credentials"],
  rateLimitExceeded: SLOWER,
  userRateLimitExceeded: SLOWER,
  sharingRateLimitExceeded: SLOWER,
  dailyLimitExceeded: ["rate-limited", "the project has used up its requests of this day", HOUR_MS],
  downloadQuotaExceeded: ["rate-limited", "the file was downloaded too often", 24 * HOUR_MS],
  storageQuotaExceeded: FULL,
  quotaExceeded: FULL,
  teamDriveFileLimitExceeded: FULL,
  activeItemCreationLimitExceeded: FULL,
  numChildrenInNonRootLimitExceeded: FULL,
  teamDriveHierarchyTooDeep: DEEP,
  myDriveHierarchyDepthLimitExceeded: DEEP,
  accessNotConfigured: ["config", "the Drive API is not switched on for this project"],
  keyInvalid: ["config", "the API key is not valid"],
  fileNotDownloadable: ["unsupported", "Google's own documents have no bytes: they can only be exported"],
  cannotDownloadFile: ["unsupported", "this file cannot be downloaded"],
  fileNotExportable: ["unsupported", "this file cannot be exported"],
  exportSizeLimitExceeded: ["too-large", "Drive does not export documents of this size"],
  conditionNotMet: ["precondition-failed", "a condition does not hold"],
  cannotDownloadAbusiveFile: ["permission-denied", "Drive takes this file for malware or spam"],
  uploadTooLarge: ["too-large", "Drive does not take files of this size"],
};

/** What a status below 300 is not. For a change: whether it happened is said always, and "unknown" where the status does not tell. */
export function errorOf(status: number, headers: Headers, text: string): StoreError {
  const { reason, message } = wordsOf(text);
  const usual = errorFromResponse({ status, headers });
  const known = REASONS[reason];
  const cause = new DriveRefusal(status, reason, message);
  const retryAfterMs = usual.retryAfterMs ?? known?.[2] ?? undefined;
  if (known !== undefined) return new StoreError(known[0], `${known[1]} (${reason})`, { cause, status, retryAfterMs, applied: false });
  // 408 and the 5xx that name a wait have not done anything yet.
  const code = status === 408 ? "unavailable" : status === 503 && usual.retryAfterMs !== null ? "rate-limited" : usual.code;
  const nothing = status < 500 || status === 501 || status === 503;
  return new StoreError(code, usual.reason, { cause, status, retryAfterMs, applied: nothing ? false : "unknown" });
}

function wordsOf(text: string): { readonly reason: string; readonly message: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { errors?: { reason?: unknown }[]; message?: unknown } | string };
    if (typeof error === "object" && error !== null)
      return { reason: wordOf(error.errors?.[0]?.reason).slice(0, 100), message: wordOf(error.message).slice(0, 300) };
  } catch {
    // A page for people, from something in front of the service.
  }
  return { reason: "", message: "" };
}

const wordOf = (value: unknown): string => (typeof value === "string" ? value : "");

export function reasonOf(error: unknown): string | undefined {
  return StoreError.is(error) && error.cause instanceof DriveRefusal ? error.cause.reason : undefined;
}

export function isMissing(error: unknown): boolean {
  return StoreError.is(error) && error.cause instanceof DriveRefusal && (error.status === 404 || error.status === 410);
}

/** Nobody knows whether the change happened. An abort is none of these: the caller does not wait for a look. */
export function isAmbiguous(error: unknown): error is StoreError {
  return StoreError.is(error) && (error.code === "unavailable" || error.code === "timeout") && error.applied === "unknown";
}

const CONNECTING: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const CERTIFICATE = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH)/;

/** What the network threw. Undefined: not of the network. */
export function translate(error: unknown): StoreError | undefined {
  if (StoreError.is(error)) return error;
  if (!(error instanceof Broken)) return undefined;
  const code = codeIn(error.cause, 0) ?? "";
  const said = code === "" ? "" : ` (${code})`;
  if (CERTIFICATE.test(code)) return new StoreError("config", `the service's certificate is not trusted${said}`, { cause: error, applied: false });
  return CONNECTING.has(code)
    ? new StoreError("unavailable", `the service cannot be reached${said}`, { cause: error, applied: false })
    : new StoreError("unavailable", `the connection broke${said}`, { cause: error, applied: "unknown" });
}

function codeIn(error: unknown, depth: number): string | undefined {
  if (typeof error !== "object" || error === null || depth > 4) return undefined;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === "string") return code;
  return codeIn(cause, depth + 1) ?? (Array.isArray(errors) ? codeIn(errors[0], depth + 1) : undefined);
}
