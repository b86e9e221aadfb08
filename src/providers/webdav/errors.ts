/** What goes wrong on the way and what servers answer, in the words of the store. */
import { StoreError, errorFromResponse } from "../../store/index.ts";
import type { Entry, ErrorCode } from "../../store/index.ts";
import { Redirected } from "./wire.ts";

/** What a server said, with as much of the body as helps to understand it. */
export interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly text: string;
}

/** Kept of an answer that is no listing. */
const SHOWN = 500;
/** Errors of a connection that never came to be: no byte of the request left. */
const CONNECTING: ReadonlySet<string> = new Set(["connect", "getaddrinfo"]);
const CERTIFICATE = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|UNABLE_TO_|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH)/;
const NETWORK: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ECONNABORTED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_SOCKET_CONNECTION_TIMEOUT",
  "EADDRNOTAVAIL",
  "ERR_STREAM_DESTROYED",
]);

/** The answer as an error: the usual meaning of its status, or the one given. Its text is the cause, for people. */
export function errorOf(
  answer: Answer,
  changes: { readonly code?: ErrorCode | undefined; readonly reason?: string | undefined; readonly applied?: boolean | "partly" | "unknown" | undefined } = {},
): StoreError {
  const { status } = answer;
  const headers = new Headers();
  for (const name of ["retry-after", "date"]) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const cause = spoken(answer);
  const usual = errorFromResponse({ status, headers });
  // With a wait named, 503 is a request to slow down; locks and what hangs on them pass by themselves.
  const code = changes.code ?? (status === 503 && usual.retryAfterMs !== null ? "rate-limited" : status === 408 ? "unavailable" : usual.code);
  return new StoreError(code, changes.reason ?? usual.reason, {
    cause,
    status,
    retryAfterMs: usual.retryAfterMs ?? undefined,
    applied:
      changes.applied ??
      (usual.applied === false && usual.code !== "unavailable" && status < 500 ? false : [501, 503, 507].includes(status) ? false : undefined),
  });
}

/** What is there stands in the way of something of this kind. `unsure`: what is there may be that itself. */
export function taken(there: Entry, kind: Entry["kind"], unsure: boolean, where = "of this name is there"): StoreError {
  return new StoreError("already-exists", `a ${there.kind} ${where}`, { entry: there, applied: unsure && there.kind === kind ? "unknown" : false });
}

/** May a change that was answered so have happened? A failure inside, or of something between, says nothing about what was done. */
export function isUnsure(answer: Answer): boolean {
  return errorOf(answer).with({ operation: "mkdir" }).applied === "unknown";
}

/** The server's own words, without markup. */
export function spoken({ status, text }: Answer): Error {
  const plain = text
    .replace(/<(?:style|head)\b[\s\S]*?<\/(?:style|head)>/gi, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return new Error(`HTTP ${status}${plain === "" ? "" : `: ${plain.slice(0, SHOWN)}`}`);
}

/** What the network threw. Undefined: not of the network. */
export function translate(error: unknown): StoreError | undefined {
  if (StoreError.is(error)) return error;
  if (error instanceof Redirected) return redirected(error);
  const found = networkCause(error);
  if (found === undefined) return undefined;
  const { code, syscall } = found;
  if (CERTIFICATE.test(code)) return new StoreError("config", `the server's certificate is not trusted (${code})`, { cause: error, applied: false });
  if (code === "ERR_INVALID_PROTOCOL")
    return new StoreError("config", "the server sends us to another scheme: give the url that it names", { cause: error, applied: false });
  if (code.startsWith("HPE_")) return new StoreError("unavailable", `the server's answer is no HTTP (${code})`, { cause: error });
  if (!NETWORK.has(code)) return undefined;
  return CONNECTING.has(syscall ?? "")
    ? new StoreError("unavailable", `the server cannot be reached (${code})`, { cause: error, applied: false })
    : new StoreError("unavailable", `the connection broke (${code})`, { cause: error });
}

/** Redirects are followed nowhere: what was meant for one address must not be done to another. */
export function redirected(cause: Redirected): StoreError {
  return new StoreError("config", "the server sends us to another address: give the url that it names", { cause, applied: false });
}

interface SystemError {
  readonly code: string;
  readonly syscall: string | undefined;
}

/** The system error itself, or inside what the package and Node make of it (FetchError, AggregateError of several addresses). */
export function networkCause(error: unknown, depth = 0): SystemError | undefined {
  if (typeof error !== "object" || error === null || depth > 4 || StoreError.is(error)) return undefined;
  const { code, syscall, erroredSysCall, errors, cause } = error as {
    code?: unknown;
    syscall?: unknown;
    erroredSysCall?: unknown;
    errors?: unknown;
    cause?: unknown;
  };
  if (Array.isArray(errors) && errors.length > 0) return networkCause(errors[0], depth + 1) ?? plain(code, syscall);
  const call = typeof syscall === "string" ? syscall : erroredSysCall;
  return plain(code, call) ?? (cause === undefined ? undefined : networkCause(cause, depth + 1));
}

function plain(code: unknown, syscall: unknown): SystemError | undefined {
  return typeof code === "string" ? { code, syscall: typeof syscall === "string" ? syscall : undefined } : undefined;
}
