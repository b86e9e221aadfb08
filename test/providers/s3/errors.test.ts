/** What each answer of a service means, by status and code alone; a row of the reference's table is a line here (CF92, CF93, CF102). */
import { describe, expect, test } from "vitest";
import { retryAfterMs, translate } from "../../../src/providers/s3/errors.ts";
import { S3Failure } from "../../../src/providers/s3/failure.ts";
import { XmlError } from "../../../src/providers/s3/xml.ts";
import type { StoreError } from "../../../src/store/index.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");
const of = (status: number, code = "", ifAbsent = false, retryAfter?: string): StoreError =>
  (translate(new S3Failure({ status, code, message: "/a/hidden/path", retryAfter }), { operation: "write", ifAbsent }, NOW) as StoreError).with({
    operation: "write",
  });

describe("answers", () => {
  test.each([
    [404, "NoSuchKey", "not-found", false, false],
    [404, "", "not-found", false, false],
    [404, "NoSuchBucket", "config", false, false],
    [400, "InvalidBucketName", "config", false, false],
    [301, "PermanentRedirect", "config", false, false],
    [400, "AuthorizationHeaderMalformed", "config", false, false],
    [304, "", "not-modified", false, false],
    [412, "PreconditionFailed", "precondition-failed", false, false],
    [409, "ConditionalRequestConflict", "conflict", true, false],
    [409, "OperationAborted", "conflict", true, false],
    [416, "InvalidRange", "bad-range", false, false],
    [403, "AccessDenied", "permission-denied", false, false],
    [403, "", "permission-denied", false, false],
    [403, "AllAccessDisabled", "permission-denied", false, false],
    [403, "KMS.DisabledException", "permission-denied", false, false],
    [403, "InvalidAccessKeyId", "unauthenticated", false, false],
    [403, "SignatureDoesNotMatch", "unauthenticated", false, false],
    [403, "RequestTimeTooSkewed", "unauthenticated", false, false],
    [400, "ExpiredToken", "unauthenticated", false, false],
    [400, "InvalidToken", "unauthenticated", false, false],
    [401, "", "unauthenticated", false, false],
    [403, "QuotaExceeded", "no-space", false, false],
    [507, "", "no-space", false, false],
    [507, "XMinioStorageFull", "no-space", false, false],
    [400, "EntityTooLarge", "too-large", false, false],
    [413, "", "too-large", false, false],
    [400, "MetadataTooLarge", "too-large", false, false],
    [400, "KeyTooLongError", "invalid-path", false, false],
    [400, "XMinioInvalidObjectName", "invalid-path", false, false],
    [400, "BadDigest", "integrity", true, false],
    [400, "InvalidDigest", "integrity", false, false],
    [400, "XAmzContentSHA256Mismatch", "integrity", true, false],
    [403, "InvalidObjectState", "unsupported", false, false],
    [405, "MethodNotAllowed", "unsupported", false, false],
    [501, "NotImplemented", "unsupported", false, false],
    [411, "MissingContentLength", "unsupported", false, false],
    [503, "SlowDown", "rate-limited", true, false],
    [429, "", "rate-limited", true, false],
    [400, "ThrottlingException", "rate-limited", true, false],
    [503, "RequestLimitExceeded", "rate-limited", true, false],
    [400, "RequestTimeout", "unavailable", true, "unknown"],
    [408, "", "unavailable", true, "unknown"],
    [500, "InternalError", "unavailable", true, "unknown"],
    [502, "", "unavailable", true, "unknown"],
    [503, "ServiceUnavailable", "unavailable", true, false],
    [503, "", "unavailable", true, "unknown"],
    [504, "", "unavailable", true, "unknown"],
    [599, "", "unavailable", true, "unknown"],
    [400, "MalformedXML", "unknown", false, false],
    [418, "", "unknown", false, false],
    [403, "toString", "permission-denied", false, false],
    [404, "NoSuchUpload", "conflict", true, "unknown"],
  ] as const)("%i %s is %s, transient %s, applied %s", (status, code, expected, transient, applied) => {
    const error = of(status, code);
    expect([error.code, error.transient, error.applied, error.status]).toEqual([expected, transient, applied, status]);
    expect(error.reason).not.toContain("hidden");
    expect(error.message).not.toContain("hidden");
  });
  test("a lost creation is already-exists", () => {
    expect(of(412, "PreconditionFailed", true).code).toBe("already-exists");
  });
  test("waits that the service names are obeyed, in seconds or as a date, up to an hour (CF92)", () => {
    expect(of(503, "SlowDown", false, "7").retryAfterMs).toBe(7_000);
    expect(of(429, "", false, "Sat, 21 Nov 2026 10:00:30 GMT").retryAfterMs).toBe(30_000);
    expect(of(429, "", false, "99999999").retryAfterMs).toBe(3_600_000);
    expect(of(429, "", false, "soon").retryAfterMs).toBeNull();
    expect(retryAfterMs("Sat, 21 Nov 2026 09:00:00 GMT", NOW)).toBe(0);
  });
});

describe("no answer", () => {
  const error = (code: string, name = "Error"): Error => Object.assign(new Error("connect to 10.0.0.1"), { code, name });
  test.each([
    ["ECONNREFUSED", "unavailable", false],
    ["ENOTFOUND", "unavailable", false],
    ["EAI_AGAIN", "unavailable", false],
    ["UND_ERR_CONNECT_TIMEOUT", "timeout", false],
    ["ECONNRESET", "unavailable", "unknown"],
    ["EPIPE", "unavailable", "unknown"],
    ["UND_ERR_SOCKET", "unavailable", "unknown"],
    ["UND_ERR_HEADERS_TIMEOUT", "timeout", "unknown"],
    ["UND_ERR_BODY_TIMEOUT", "timeout", "unknown"],
    ["HPE_INVALID_CONSTANT", "unavailable", "unknown"],
    ["CERT_HAS_EXPIRED", "config", false],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "config", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "config", false],
  ] as const)("%s is %s, applied %s", (code, expected, applied) => {
    const found = translate(error(code), { operation: "write" }, NOW)?.with({ operation: "write" });
    expect([found?.code, found?.applied]).toEqual([expected, applied]);
    expect(found?.message).not.toContain("10.0.0.1");
  });
  test("causes are looked through, of several addresses the first counts, and strangers are not ours", () => {
    expect(translate(new Error("x", { cause: error("ECONNREFUSED") }), { operation: "stat" }, NOW)?.code).toBe("unavailable");
    expect(translate(new AggregateError([error("ECONNREFUSED"), error("CERT_HAS_EXPIRED")]), { operation: "stat" }, NOW)?.reason).toContain("nobody answers");
    expect(translate(new TypeError("a bug"), { operation: "stat" }, NOW)).toBeUndefined();
    expect(translate("text", { operation: "stat" }, NOW)).toBeUndefined();
    expect(translate(error("toString"), { operation: "stat" }, NOW)).toBeUndefined();
    expect(translate(new XmlError("cut off"), { operation: "list" }, NOW)).toMatchObject({ code: "unavailable", transient: true });
  });
});
