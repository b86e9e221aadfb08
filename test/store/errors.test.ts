/** The one error: closed codes, what they are elsewhere, and what is never in them. */
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { StoreError, entry, errorFromResponse, hasCode, parsePath, toErrno, toHttpStatus } from "../../src/store/index.ts";
import type { ErrorCode } from "../../src/store/index.ts";

// CF103, CF25: code, errno, HTTP status, transient
const TABLE: readonly (readonly [ErrorCode, string, number, boolean])[] = [
  ["not-found", "ENOENT", 404, false],
  ["already-exists", "EEXIST", 412, false],
  ["not-a-directory", "ENOTDIR", 409, false],
  ["is-a-directory", "EISDIR", 409, false],
  ["not-empty", "ENOTEMPTY", 409, false],
  ["invalid-path", "EINVAL", 400, false],
  ["bad-range", "EINVAL", 416, false],
  ["precondition-failed", "ESTALE", 412, false],
  ["not-modified", "EALREADY", 304, false],
  ["unauthenticated", "EACCES", 401, false],
  ["permission-denied", "EACCES", 403, false],
  ["rate-limited", "EAGAIN", 429, true],
  ["no-space", "ENOSPC", 507, false],
  ["too-large", "EFBIG", 413, false],
  ["bad-body", "EIO", 400, false],
  ["integrity", "EIO", 422, false],
  ["conflict", "EBUSY", 409, true],
  ["unsupported", "ENOTSUP", 501, false],
  ["timeout", "ETIMEDOUT", 504, true],
  ["aborted", "ECANCELED", 499, false],
  ["unavailable", "EIO", 503, true],
  ["corrupt", "EIO", 500, false],
  ["config", "EINVAL", 500, false],
  ["closed", "EBADF", 503, false],
  ["unknown", "EIO", 500, false],
];
test.each(TABLE)("%s is %s and %i, transient %s", (code, errno, status, transient) => {
  const error = new StoreError(code, "because");
  expect([toErrno(error), toHttpStatus(error), error.transient]).toEqual([errno, status, transient]);
  expect([
    error.applied,
    error.attempts,
    error.status,
    error.entry,
    error.store,
    error.operation,
    error.path,
    error.to,
    error.partial,
    error.retryAfterMs,
  ]).toEqual([false, 1, null, null, null, null, null, null, null, null]);
});
test("every code of the type is in the table", () => {
  const all: Record<ErrorCode, true> = Object.fromEntries(TABLE.map(([code]) => [code, true])) as Record<ErrorCode, true>;
  expect(Object.keys(all).length).toBe(25);
  expect(toErrno({ code: "of-a-later-release" } as never)).toBe("EIO");
});

const path = parsePath("/a/b");
test("applied: unknown by default only for a change that ended without an answer", () => {
  for (const operation of ["write", "delete", "mkdir", "copy", "move"] as const) {
    for (const code of ["timeout", "aborted", "unavailable", "unknown"] as const) expect(new StoreError(code, "", { operation }).applied).toBe("unknown");
    for (const code of ["not-found", "precondition-failed", "rate-limited", "bad-body"] as const)
      expect(new StoreError(code, "", { operation }).applied).toBe(false);
    expect(new StoreError("unavailable", "", { operation, applied: false }).applied).toBe(false);
  }
  for (const operation of ["stat", "read", "list", "space", "account", "open"] as const)
    expect(new StoreError("unavailable", "", { operation }).applied).toBe(false);
});

test("with: a copy with some facts changed and this error as its cause; what was not said is decided anew", () => {
  const first = new StoreError("unavailable", "gone", { status: 503, retryAfterMs: 5, store: "s3" });
  const second = first.with({ operation: "write", path });
  expect(second).toMatchObject({ code: "unavailable", applied: "unknown", status: 503, retryAfterMs: 5, store: "s3", operation: "write", path, cause: first });
  expect([first.operation, first.applied]).toEqual([null, false]);
  expect(second.with({ code: "no-space" })).toMatchObject({ code: "no-space", transient: false, applied: false });
  expect(second.with({ code: "conflict", reason: "busy", cause: undefined })).toMatchObject({ reason: "busy", transient: true });
  expect(second.with({ cause: undefined }).cause).toBeUndefined();
  expect(new StoreError("unavailable", "", { transient: false }).with({ path }).transient).toBe(false);
  expect(first.with({ attempts: 3 }).attempts).toBe(3);
});

test("the message says where and why; a path cannot break a line of a log, nor fill it", () => {
  const to = parsePath("/c");
  expect(new StoreError("not-found", "nothing is there", { store: "s3", operation: "copy", path, to }).message).toBe("s3 copy /a/b -> /c: nothing is there");
  expect(new StoreError("not-found", "nothing").message).toBe("nothing");
  const odd = new StoreError("not-found", "nothing", { path: parsePath("/a\nFAKE line\u2028\u007f\u009b\u001b[31m") });
  // eslint-disable-next-line no-control-regex
  expect(odd.message).not.toMatch(/[\n\u2028\u007f\u009b\u001b]/);
  expect(new StoreError("not-found", "nothing", { path: parsePath(`/${"x".repeat(5000)}`) }).message.length).toBeLessThan(400);
  expect(String(odd)).toMatch(/^StoreError: /);
});

test("is and hasCode: also for an error of a second copy of this package, for nothing else", () => {
  const foreign = Object.assign(new Error("elsewhere"), { code: "not-found", [Symbol.for("stratus.StoreError")]: true });
  expect([
    StoreError.is(foreign),
    hasCode(foreign, "not-found"),
    hasCode(foreign, "closed", "not-found"),
    hasCode(foreign, "closed"),
    hasCode(foreign),
  ]).toEqual([true, true, true, false, false]);
  for (const other of [null, undefined, "not-found", 7, new Error("x"), { code: "not-found" }, Object.assign(new Error("x"), { name: "StoreError" })])
    expect([StoreError.is(other), hasCode(other, "not-found")]).toEqual([false, false]);
  expect(new StoreError("closed", "x")).toBeInstanceOf(Error);
});

test("what is printed of an error is what it says, not what brands it", () => {
  const printed = inspect(new StoreError("not-found", "nothing", { path, entry: entry({ path, kind: "file" }) }));
  expect(printed).not.toContain("Symbol(");
});

test.each<[number, Record<string, string>, Record<string, unknown>]>([
  [401, {}, { code: "unauthenticated", applied: false }],
  [403, {}, { code: "permission-denied" }],
  [404, {}, { code: "not-found" }],
  [408, {}, { code: "timeout", transient: true }],
  [412, {}, { code: "precondition-failed" }],
  [416, {}, { code: "bad-range" }],
  [418, {}, { code: "unknown", transient: false }],
  [429, { "retry-after": "7" }, { code: "rate-limited", retryAfterMs: 7000, applied: false }],
  [500, {}, { code: "unavailable", transient: true, retryAfterMs: null }],
  [503, { "retry-after": "Sat, 21 Nov 2026 10:00:05 GMT", date: "Sat, 21 Nov 2026 10:00:00 GMT" }, { code: "unavailable", retryAfterMs: 5000, applied: false }],
  [503, { "retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", date: "Sat, 21 Nov 2026 10:00:00 GMT" }, { retryAfterMs: 0 }],
  [503, { "retry-after": "86400" }, { retryAfterMs: 3_600_000 }],
  [503, { "retry-after": "soon" }, { retryAfterMs: null }],
  [504, {}, { code: "unavailable" }],
  [507, {}, { code: "no-space", applied: false }],
])("an answer of %i with %j", (status, headers, expected) => {
  const error = errorFromResponse({ status, headers: new Headers(headers) });
  expect(error).toMatchObject({ status, ...expected });
  expect(error.reason).toContain(String(status));
  const during = error.with({ operation: "write" });
  expect(during.applied).toBe(status === 408 || status === 500 || status === 504 || status === 418 ? "unknown" : false);
});
test("a reason of the provider's own takes the place of ours", () => {
  expect(errorFromResponse({ status: 404, headers: new Headers() }, "no such bucket").reason).toBe("no such bucket");
});
