/** What HTTP services have in common: ranges, statuses, Retry-After. */
import type { ByteRange } from "./body.ts";
import { StoreError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";

/** "bytes=0-99", "bytes=-500", or undefined for no range and for an empty one, which HTTP cannot say. */
export function rangeHeader(range: ByteRange | undefined): string | undefined {
  if (range === undefined || range.length === 0) return undefined;
  const { offset, length } = range;
  if (offset < 0) return `bytes=${offset}`;
  return length === undefined ? `bytes=${offset}-` : `bytes=${offset}-${offset + length - 1}`;
}

/** And back. Several ranges, or nonsense, are undefined: the whole file is a right answer to those (RFC 9110, section 14.2). */
export function parseRangeHeader(header: string | null | undefined): ByteRange | undefined {
  const found = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "");
  if (found === null) return undefined;
  const [, first = "", last = ""] = found;
  if (first === "") {
    const suffix = Number(last);
    return last === "" || suffix === 0 || !Number.isSafeInteger(suffix) ? undefined : { offset: -suffix };
  }
  const offset = Number(first);
  if (!Number.isSafeInteger(offset)) return undefined;
  if (last === "") return { offset };
  const end = Number(last);
  return end < offset || !Number.isSafeInteger(end + 1) ? undefined : { offset, length: end - offset + 1 };
}

const STATUS: Readonly<Record<number, readonly [ErrorCode, reason: string]>> = {
  304: ["not-modified", "not modified"],
  400: ["unknown", "the service does not understand the request"],
  401: ["unauthenticated", "the service does not know these credentials"],
  403: ["permission-denied", "the service does not allow this"],
  404: ["not-found", "nothing is there"],
  405: ["unsupported", "the service does not do this here"],
  408: ["timeout", "the service gave up waiting"],
  409: ["conflict", "somebody else changes this at the moment"],
  410: ["not-found", "nothing is there any more"],
  411: ["unsupported", "the service wants to know the size beforehand"],
  412: ["precondition-failed", "a condition does not hold"],
  413: ["too-large", "the service does not take so much"],
  416: ["bad-range", "the range starts past the end"],
  423: ["conflict", "the resource is locked"],
  424: ["conflict", "a part of it is locked"],
  429: ["rate-limited", "the service asks to slow down"],
  501: ["unsupported", "the service does not know how"],
  507: ["no-space", "the service is full"],
};

/** Answers before which nothing was done. */
const NOTHING_DONE: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 409, 410, 411, 412, 413, 416, 423, 429, 501, 503, 507]);
const LONGEST_WAIT_MS = 3_600_000;

/** Status, Retry-After and the usual meaning of each status, for HTTP services; a provider overrides the cases it knows better. */
export function errorFromResponse(response: { readonly status: number; readonly headers: Headers }, reason?: string): StoreError {
  const { status } = response;
  const [code, usual] =
    STATUS[status] ??
    (status >= 500 ? ["unavailable", "the service is not able to answer now"] : ["unknown", "the service gave an answer that nobody expected"]);
  return new StoreError(code, reason ?? `${usual} (${status})`, {
    status,
    retryAfterMs: retryAfterMs(response.headers),
    applied: NOTHING_DONE.has(status) ? false : undefined,
  });
}

/** Seconds or a date (RFC 9110, section 10.2.3), at most an hour. A date is read against the Date of the same answer: clocks differ. */
function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (value === undefined || value === "") return undefined;
  if (/^\d+(?:\.\d+)?$/.test(value)) return Math.min(LONGEST_WAIT_MS, Number(value) * 1000);
  const now = Date.parse(headers.get("date") ?? "");
  const wait = Date.parse(value) - (Number.isNaN(now) ? Date.now() : now);
  return Number.isNaN(wait) ? undefined : Math.min(LONGEST_WAIT_MS, Math.max(0, wait));
}
