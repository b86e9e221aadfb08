/** What Dropbox answers and what goes wrong on the way, in the words of the store. */
import { StoreError, errorFromResponse } from "../../store/index.ts";
import type { ErrorCode } from "../../store/index.ts";

/** A refusal as the API says it. */
export class ApiError extends Error {
  readonly status: number;
  /** The tags of the union joined: "path/conflict/file"; "" where the answer was no union. */
  readonly tag: string;
  /** The innermost union, with its fields. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  constructor(status: number, headers: Headers, body: unknown) {
    const { tag, fields } = tagsOf(body);
    super(`HTTP ${status}${tag === "" ? spoken(body) : `: ${tag}`}`);
    this.status = status;
    this.tag = tag;
    this.fields = fields;
    this.headers = headers;
  }
}

export function isRefusal(error: unknown, ...tags: readonly string[]): error is ApiError {
  return error instanceof ApiError && tags.includes(error.tag);
}

/** Of a page that is no union so much is kept, without markup. */
const SHOWN = 300;

function spoken(body: unknown): string {
  const plain = (typeof body === "string" ? body : "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return plain === "" ? "" : `: ${plain.slice(0, SHOWN)}`;
}

interface Tagged {
  readonly ".tag"?: unknown;
  readonly reason?: unknown;
}

export function tagsOf(body: unknown): { readonly tag: string; readonly fields: Readonly<Record<string, unknown>> } {
  let at: unknown = (body as { readonly error?: unknown } | null)?.error ?? body;
  const tags: string[] = [];
  let fields: Readonly<Record<string, unknown>> = {};
  // A rate limit has its tag under `reason` alone, an upload its write error under `reason` beside the tag.
  if (isObject(at) && (at as Tagged)[".tag"] === undefined && isObject((at as Tagged).reason)) at = (at as Tagged).reason;
  for (let depth = 0; depth < 8 && isObject(at) && typeof (at as Tagged)[".tag"] === "string"; depth++) {
    const tag = (at as Tagged)[".tag"] as string;
    fields = at;
    tags.push(tag);
    at = at[tag] ?? (at as Tagged).reason;
  }
  return { tag: tags.join("/"), fields };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;

const SLOWER = /(?:^|\/)too_many_(?:write_operations|requests)$/;
/** By the last tags; the first row that fits. */
const TAGS: readonly (readonly [RegExp, ErrorCode, reason: string])[] = [
  [SLOWER, "rate-limited", "the service asks to slow down"],
  [/(?:^|\/)not_found$/, "not-found", "nothing is there"],
  [/(?:^|\/)not_file$/, "is-a-directory", "a folder has no bytes"],
  [/(?:^|\/)not_folder$/, "not-a-directory", "a file has no children"],
  [/(?:^|\/)(?:malformed_path|disallowed_name)$/, "invalid-path", "Dropbox cannot hold this name"],
  [/(?:^|\/)conflict\/file_ancestor$/, "not-a-directory", "a parent is a file"],
  [/(?:^|\/)conflict\/folder$/, "is-a-directory", "a folder is there"],
  [/(?:^|\/)(?:locked|operation_suppressed|conflict(?:\/.*)?)$/, "conflict", "somebody else changes this at the moment"],
  [/(?:^|\/)(?:insufficient_space|insufficient_quota|.*_insufficient_(?:space|quota)|upload_traffic_limit_reached)$/, "no-space", "the account is full"],
  [/(?:^|\/)(?:payload_too_large|too_large)$/, "too-large", "the service does not take so much"],
  [/(?:^|\/)too_many_files$/, "too-large", "more than 10,000 files and folders in one operation"],
  [/(?:^|\/)content_hash_mismatch$/, "integrity", "the bytes were damaged on the way"],
  [/(?:^|\/)(?:cant_move_folder_into_itself|duplicated_or_nested_paths)$/, "invalid-path", "a folder cannot go into itself"],
  [/(?:^|\/)(?:unsupported_file|unsupported_content_type)$/, "unsupported", "this file has no bytes to download: it can only be exported"],
  [/(?:^|\/)(?:no_write_permission|restricted_content|team_folder|access_restricted|cant_.*)$/, "permission-denied", "the account may not do this"],
  [/(?:^|\/)internal_error$/, "unavailable", "the service failed inside"],
];

const AUTH: Readonly<Record<string, readonly [ErrorCode, reason: string]>> = {
  missing_scope: ["permission-denied", "the token lacks a permission (scope) that this needs"],
  route_access_denied: ["permission-denied", "the app may not use this"],
  invalid_select_user: ["config", "the token is not for this user"],
  invalid_select_admin: ["config", "the token is not for this admin"],
};

/** Somebody else writes into the namespace: for so long, where the service does not say. */
const TAKEN = /(?:^|\/)too_many_write_operations$/;
const TURN_MS = 1000;

/** Does it concern all calls of the account? */
export function asksToWait({ status, tag }: ApiError): boolean {
  return status === 429 || status === 503 || SLOWER.test(tag);
}

/** A refusal as a StoreError; every refusal but a failure inside says that nothing was done. */
export function refusalOf(error: ApiError, changes: { readonly code?: ErrorCode; readonly reason?: string } = {}): StoreError {
  const { status, tag, headers, fields } = error;
  const usual = errorFromResponse({ status, headers });
  const wait = usual.retryAfterMs ?? secondsOf(fields["retry_after"]) ?? (TAKEN.test(tag) ? TURN_MS : undefined);
  const details = { cause: error, status, retryAfterMs: wait };
  if (status === 409 || status === 429) {
    const [, code, reason] = TAGS.find(([pattern]) => pattern.test(tag)) ?? [/./, status === 429 ? "rate-limited" : "unknown", "the service refuses this"];
    const transient = code === "integrity" ? true : undefined;
    return new StoreError(changes.code ?? code, changes.reason ?? reason, {
      ...details,
      transient: changes.code === undefined ? transient : undefined,
      applied: code === "unavailable" ? undefined : false,
    });
  }
  if (status === 401 && AUTH[tag] !== undefined) return new StoreError(AUTH[tag][0], AUTH[tag][1], { ...details, applied: false });
  if (status === 503 && wait !== undefined) return new StoreError("rate-limited", "the service asks to slow down", { ...details, applied: false });
  if (status === 408) return new StoreError("unavailable", usual.reason, details);
  if (status >= 300 && status < 400) return new StoreError("config", "the service sends us to another address", { ...details, applied: false });
  return new StoreError(changes.code ?? usual.code, changes.reason ?? usual.reason, {
    ...details,
    applied: status === 503 ? false : status < 500 ? false : undefined,
  });
}

function secondsOf(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 ? Math.min(3600, value) * 1000 : undefined;
}

const CERTIFICATE = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH)/;
/** Errors of a connection that never came to be: no byte of the request left. */
const UNREACHED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/** What fetch threw. Undefined: not of the network. */
export function translate(error: unknown): StoreError | undefined {
  if (StoreError.is(error)) return error;
  if (error instanceof ApiError) return refusalOf(error);
  const code = networkCode(error);
  if (code === undefined) return undefined;
  if (CERTIFICATE.test(code)) return new StoreError("config", `the service's certificate is not trusted (${code})`, { cause: error, applied: false });
  return UNREACHED.has(code)
    ? new StoreError("unavailable", `the service cannot be reached (${code})`, { cause: error, applied: false })
    : new StoreError("unavailable", `the connection broke (${code})`, { cause: error });
}

/** The code of the system's or undici's own error inside what fetch makes of it ("fetch failed", "terminated"). */
function networkCode(error: unknown, depth = 0): string | undefined {
  if (typeof error !== "object" || error === null || depth > 4) return undefined;
  const { code, cause, errors, name, message } = error as { code?: unknown; cause?: unknown; errors?: unknown; name?: unknown; message?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return networkCode(errors[0], depth + 1) ?? textOf(code);
  const found = textOf(code) ?? (cause === undefined ? undefined : networkCode(cause, depth + 1));
  return found ?? (name === "TypeError" && (message === "fetch failed" || message === "terminated") ? "no connection" : undefined);
}

const textOf = (code: unknown): string | undefined => (typeof code === "string" ? code : undefined);

/** Nobody knows whether the service did it: the request may have left, and no answer came. */
export function outcomeUnknown(error: unknown): boolean {
  const known = translate(error);
  if (known === undefined) return true;
  if (error instanceof ApiError || StoreError.is(error))
    return ["unavailable", "timeout", "aborted", "unknown"].includes(known.code) && !(error instanceof ApiError && error.status < 500);
  return !UNREACHED.has(networkCode(error) ?? "");
}
