/** Options and credentials: what is taken, what is refused at once and why, and that no secret shows (CF90). */
import { describe, expect, test } from "vitest";
import { bucketName, s3, type S3Options } from "../../../src/providers/s3/index.ts";
import { CredentialCache, ID_NAMES, readCredentials, SECRET_NAMES, type S3Credentials } from "../../../src/providers/s3/credentials.ts";
import { readOptions } from "../../../src/providers/s3/options.ts";
import { VENDORS, type VendorName } from "../../../src/providers/s3/vendors.ts";
import { hasCode, manualClock } from "../../../src/store/index.ts";

const refused = (options: unknown): string => {
  try {
    s3(options as S3Options);
  } catch (error) {
    if (hasCode(error, "config")) return error.reason;
    throw error;
  }
  throw new Error("not refused");
};

describe("credentials by any usual name (CF90)", () => {
  // The rows of the feature list, and the names of the SDK.
  const ids = ["access_key_id", "aws_access_key_id", "gs_access_key_id", "consumer_key", "client_id", "id", "accessKeyId"];
  const secrets = [
    "private_access_key",
    "aws_secret_access_key",
    "gs_secret_access_key",
    "secret_access_key",
    "consumer_secret",
    "client_secret",
    "secret",
    "secretAccessKey",
  ];
  test.each(ids.flatMap((id) => secrets.map((secret) => [id, secret] as const)))("%s with %s", (id, secret) => {
    expect(readCredentials({ [id]: "me", [secret]: "hidden" })).toEqual({ accessKeyId: "me", secretAccessKey: "hidden" });
  });
  test("the lists hold no more and no less", () => {
    expect([...ID_NAMES].toSorted()).toEqual(ids.toSorted());
    expect([...SECRET_NAMES].toSorted()).toEqual(secrets.toSorted());
  });
  test("the first name present wins, empty ones are not present, blanks from a copied line are cut", () => {
    expect(readCredentials({ id: "last", access_key_id: "first", aws_access_key_id: "", secret: " s\n" })).toEqual({
      accessKeyId: "first",
      secretAccessKey: "s",
    });
  });
  test("tokens and expiry", () => {
    expect(readCredentials({ id: "a", secret: "b", aws_session_token: "t", expiresMs: 5 })).toEqual({
      accessKeyId: "a",
      secretAccessKey: "b",
      sessionToken: "t",
      expiresMs: 5,
    });
  });
  test.each([
    [{}, /no access key/],
    [{ id: "a" }, /no secret/],
    [{ secret: "a" }, /no access key/],
    [{ id: 1, secret: "hidden" }, /id is text/],
    [{ id: "a", secret: "hidden", passwort: "x" }, /passwort/],
    [{ id: "a\r\nx-evil: 1", secret: "hidden" }, /character/],
    [{ id: "a", secret: "hidden", expiresMs: "soon" }, /expiresMs/],
  ])("%j is refused without a value being named", (given, reason) => {
    expect(() => readCredentials(given)).toThrow(expect.objectContaining({ code: "config", reason: expect.stringMatching(reason) as string }));
    try {
      readCredentials(given);
    } catch (error) {
      expect((error as Error).message).not.toContain("hidden");
    }
  });
});

describe("obtained credentials", () => {
  test("are kept, obtained once for many callers, and again five minutes before they expire", async () => {
    const clock = manualClock(1_000_000);
    let count = 0;
    const cache = new CredentialCache(async () => ({ accessKeyId: `k${++count}`, secretAccessKey: "s", expiresMs: clock.now() + 3_600_000 }), clock);
    const [a, b] = await Promise.all([cache.get(), cache.get()]);
    expect([a.accessKeyId, b.accessKeyId, (await cache.get()).accessKeyId]).toEqual(["k1", "k1", "k1"]);
    await clock.advance(3_600_000 - 300_000 - 1);
    expect((await cache.get()).accessKeyId).toBe("k1");
    await clock.advance(1);
    expect((await cache.get()).accessKeyId).toBe("k2");
  });
  test("a failure is unauthenticated, and the next call tries again", async () => {
    let fail = true;
    const cache = new CredentialCache(async () => {
      if (fail) throw new Error("no profile");
      return { accessKeyId: "k", secretAccessKey: "s" };
    }, manualClock());
    await expect(cache.get()).rejects.toMatchObject({ code: "unauthenticated", applied: false, cause: new Error("no profile") });
    fail = false;
    expect((await cache.get()).accessKeyId).toBe("k");
  });
  test("what was dropped while it was obtained is not kept", async () => {
    const gates: ((made: S3Credentials) => void)[] = [];
    const cache = new CredentialCache(() => new Promise((done) => gates.push(done)), manualClock());
    const old = cache.get();
    cache.drop();
    const fresh = cache.get();
    gates[1]?.({ accessKeyId: "new", secretAccessKey: "s" });
    expect((await fresh).accessKeyId).toBe("new");
    gates[0]?.({ accessKeyId: "old", secretAccessKey: "s" });
    expect((await old).accessKeyId).toBe("old");
    expect((await cache.get()).accessKeyId).toBe("new");
  });
});

describe("options", () => {
  const good = { bucket: "photos", endpoint: "http://127.0.0.1:1", credentials: { id: "a", secret: "b" } };
  test("a store says what it is, without secrets", () => {
    const store = s3({ ...good, prefix: "/a//b/", vendor: "ceph", credentials: { id: "a", secret: "hidden" } });
    expect(`${store}`).toBe("s3 bucket=photos prefix=a/b vendor=ceph");
    expect(JSON.stringify(store.layers.s3.settings)).not.toContain("hidden");
    expect(store.layers.s3.settings).toMatchObject({ bucket: "photos", prefix: "a/b/", credentials: "***" });
  });
  test.each([
    [undefined, /object/],
    [{ ...good, bucket: undefined }, /bucket/],
    [{ ...good, bucket: "a/../b" }, /bucket/],
    [{ ...good, bucket: "x" }, /bucket/],
    [{ ...good, bucket: "a?b" }, /bucket/],
    [{ ...good, buckets: "a" }, /buckets/],
    [{ ...good, vendor: "aliyun" }, /vendor/],
    [{ ...good, vendor: "toString" }, /vendor/],
    [{ ...good, transport: "pigeon" }, /transport/],
    [{ ...good, endpoint: "ftp://x" }, /endpoint/],
    [{ ...good, endpoint: "http://u:hidden@x" }, /credentials/],
    [{ ...good, endpoint: "http://x/?a" }, /query/],
    [{ ...good, endpoint: "http://" }, /endpoint/],
    [{ bucket: "photos", vendor: "minio" }, /endpoint/],
    [{ bucket: "photos", vendor: "b2" }, /region/],
    [{ ...good, region: "eu\r\nx" }, /region/],
    [{ ...good, partBytes: 5 * 1024 ** 2 - 1 }, /partBytes/],
    [{ ...good, partBytes: 1.5 }, /partBytes/],
    [{ ...good, partsInFlight: 0 }, /partsInFlight/],
    [{ ...good, createBucket: "yes" }, /createBucket/],
    [{ ...good, prefix: "a/../b" }, /prefix/],
    [{ ...good, prefix: "x".repeat(900) }, /prefix/],
    [{ ...good, quirks: { pathstyle: true } }, /pathstyle/],
    [{ ...good, credentials: "a:hidden" }, /credentials/],
    [{ ...good, answerTimeoutMs: Infinity }, /answerTimeoutMs/],
    [{ ...good, concurrency: -1 }, /concurrency/],
  ])("%j is refused at once", (options, reason) => {
    const said = refused(options);
    expect(said).toMatch(reason);
    expect(said).not.toContain("hidden");
  });
  test("vendors bring their own endpoint and region", () => {
    const of = (vendor: VendorName, more: object = {}): (string | undefined)[] => {
      const { endpoint, region } = readOptions({ bucket: "photos", vendor, credentials: { id: "a", secret: "b" }, ...more });
      return [endpoint?.href, region];
    };
    expect(of("google")).toEqual(["https://storage.googleapis.com/", "auto"]);
    expect(of("b2", { region: "eu-central-003" })).toEqual(["https://s3.eu-central-003.backblazeb2.com/", "eu-central-003"]);
    expect(of("r2", { endpoint: "acc.r2.cloudflarestorage.com" })).toEqual(["https://acc.r2.cloudflarestorage.com/", "auto"]);
    expect(of("aws")).toEqual([undefined, undefined]);
    expect(readOptions({ bucket: "photos" }).vendorName).toBe("aws");
    expect(readOptions({ bucket: "photos", endpoint: "http://x" }).vendorName).toBe("generic");
  });
  test("capabilities follow the profile, and single quirks can be overruled", () => {
    for (const vendor of Object.keys(VENDORS) as VendorName[]) {
      const { capabilities } = s3({ ...good, vendor });
      const profile = VENDORS[vendor];
      expect([vendor, capabilities.writeIfAbsent, capabilities.writeIfMatch, capabilities.deleteIfMatch, capabilities.copyIfAbsent]).toEqual([
        vendor,
        ...[profile.putIfAbsent, profile.putIfMatch, profile.deleteIfMatch, profile.copyIfAbsent !== null].map((is) => (is ? "native" : false)),
      ]);
      expect(capabilities.exclusiveMkdir).toBe(profile.putIfAbsent);
      expect(capabilities.space).toBe(profile.space === false ? false : "native");
      expect(capabilities).toMatchObject({ directories: "implied", strictHierarchy: false, atomicWrites: "native", emptyOnlyDelete: "native", etag: true });
    }
    expect(s3({ ...good, vendor: "minio", quirks: { putIfMatch: true } }).capabilities.writeIfMatch).toBe("native");
    expect(s3({ ...good, vendor: "aws" }).capabilities).toMatchObject({ maxConditionalBytes: Infinity, consistency: { list: "strong" } });
    expect(s3({ ...good, vendor: "ceph" }).capabilities.maxConditionalBytes).toBe(5 * 1024 ** 3);
    expect(s3({ ...good, vendor: "swift" }).capabilities).toMatchObject({
      maxUnknownBytes: 1000 * 8 * 1024 ** 2,
      consistency: { list: "eventual", settleMs: 30_000 },
    });
    expect(s3({ ...good, prefix: "abc" }).capabilities.maxPathBytes).toBe(1021);
  });
});

test("names of buckets are legal everywhere, and two are hardly the same (CF82)", () => {
  for (const base of ["My Photos", "Ünï_cödé", "---", "", "a".repeat(100), "192.168.0.1", "日本"]) {
    const name = bucketName(base);
    expect(name).toMatch(/^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/);
    expect(bucketName(base)).not.toBe(name);
    expect(() => s3({ bucket: name, endpoint: "http://x", credentials: { id: "a", secret: "b" } })).not.toThrow();
  }
  expect(bucketName("My Photos", () => 0)).toBe("my-photos-00000000");
});
