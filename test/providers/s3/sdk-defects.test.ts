/**
 * What the AWS SDK does by itself and must not do here (reference: peers 6.1, measured): each test fails when its guard is taken out. They run
 * over both transports, because the direct one has to keep the same promises.
 */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { failure, keys, listing, scripted, storeAt, transports, type Seen } from "./scripted.ts";

const MiB = 1024 ** 2;
const stored = { status: 200, headers: { etag: '"abc"' } } as const;
const initiated = {
  status: 200,
  body: "<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>f</Key><UploadId>up1</UploadId></InitiateMultipartUploadResult>",
} as const;
const completed = { status: 200, body: '<CompleteMultipartUploadResult><ETag>"whole-2"</ETag></CompleteMultipartUploadResult>' } as const;

/** A bucket that takes uploads in parts. */
const takesParts = ({ method, query }: Seen): ReturnType<Parameters<typeof scripted>[0]> => {
  if (method === "POST" && query.has("uploads")) return initiated;
  if (method === "PUT" && query.has("partNumber")) return { status: 200, headers: { etag: `"0${query.get("partNumber")}"` } };
  if (method === "POST" && query.has("uploadId")) return completed;
  if (method === "DELETE" && query.has("uploadId")) return { status: 204 };
  if (method === "GET" && query.has("uploadId")) return failure(404, "NoSuchUpload");
  return undefined;
};
const pieces = async function* (count: number, bytes = MiB): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(bytes).fill(i);
};

describe.each(transports)("over %s", (transport) => {
  test("a write carries its plain length and no checksum trailer, which many services refuse with 411 or 501", async () => {
    await using server = await scripted(() => stored);
    await using store = storeAt(server, { transport });
    await store.write("/f", "hello");
    const { headers, body } = server.seen[0] as Seen;
    expect(headers["content-length"]).toBe("5");
    expect(body.toString()).toBe("hello");
    expect(headers["content-encoding"]).toBeUndefined();
    expect(headers["transfer-encoding"]).toBeUndefined();
    expect(
      Object.keys(headers).filter((name) => name.startsWith("x-amz-checksum") || name === "x-amz-trailer" || name.startsWith("x-amz-sdk-checksum")),
    ).toEqual([]);
  });

  test("a stream of known length that goes up in one piece is no chunked one", async () => {
    await using server = await scripted(() => stored);
    await using store = storeAt(server, { transport, vendor: "ceph", partBytes: 5 * MiB });
    await store.write("/f", pieces(6), { size: 6 * MiB, ifAbsent: true });
    const { headers, body } = server.seen[0] as Seen;
    expect(server.log).toHaveLength(1);
    expect(headers["content-length"]).toBe(String(6 * MiB));
    expect(headers["transfer-encoding"]).toBeUndefined();
    expect(headers["content-encoding"]).toBeUndefined();
    expect(body.byteLength).toBe(6 * MiB);
  });

  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield* pieces(3);
    throw new Error("the disk is gone");
  };
  test.each([
    ["fails", failing],
    ["ends early", () => pieces(3)],
    ["runs long", () => pieces(8)],
    ["never ends", () => pieces(Infinity)],
  ] as const)("a source that %s rejects the write, stores nothing, and takes neither the process nor the call with it", async (_, source) => {
    const uncaught = vi.fn();
    process.on("uncaughtException", uncaught);
    try {
      await using server = await scripted(() => stored);
      await using store = storeAt(server, { transport, vendor: "ceph", partBytes: 5 * MiB });
      const outcome = store.write("/f", source(), { size: 6 * MiB, ifAbsent: true });
      await expect(Promise.race([outcome, delay(5_000).then(() => "never settled")])).rejects.toMatchObject({ code: "bad-body", applied: false });
      // The connection broke off before the announced end, so no service can take it for a whole object.
      await expect.poll(() => server.seen.map(({ complete }) => complete)).toEqual([false]);
    } finally {
      process.off("uncaughtException", uncaught);
    }
    expect(uncaught).not.toHaveBeenCalled();
  });

  test("a body of unknown length never goes into a single request without its length", async () => {
    await using server = await scripted((request) => takesParts(request) ?? stored);
    await using store = storeAt(server, { transport, partBytes: 5 * MiB });
    await store.write("/small", pieces(2));
    await store.write("/large", pieces(11));
    const asked = server.seen.map(
      ({ method, path, query }) =>
        `${method} ${path}${query.has("uploads") ? " begin" : query.has("partNumber") ? ` part ${query.get("partNumber")}` : query.has("uploadId") ? " complete" : ""}`,
    );
    expect(asked.toSorted()).toEqual([
      "POST /bucket/large begin",
      "POST /bucket/large complete",
      "PUT /bucket/large part 1",
      "PUT /bucket/large part 2",
      "PUT /bucket/large part 3",
      "PUT /bucket/small",
    ]);
    expect(asked.at(-1)).toBe("POST /bucket/large complete");
    for (const { headers, method } of server.seen) if (method === "PUT") expect(headers["content-length"]).toMatch(/^\d+$/);
  });

  test("nothing is sent twice: a retry inside of the SDK would turn an own success into a failure", async () => {
    for (const [answer, applied] of [
      ["drop", "unknown"],
      [failure(500, "InternalError"), "unknown"],
      [{ ...failure(503, "SlowDown"), headers: { "retry-after": "2" } }, false],
    ] as const) {
      await using server = await scripted(({ method }) => (method === "PUT" ? answer : { status: 404 }));
      await using store = storeAt(server, { transport, vendor: "minio" });
      await expect(store.write("/f", "x", { ifAbsent: true })).rejects.toMatchObject({ transient: true, applied });
      expect(server.seen.filter(({ method }) => method === "PUT")).toHaveLength(1);
    }
  });

  test("a bulk deletion carries the MD5 of its body, without which Swift refuses it", async () => {
    await using server = await scripted(({ method }) =>
      method === "GET" ? listing([{ key: "d/a" }, { key: "d/b" }]) : method === "POST" ? { status: 200, body: "<DeleteResult/>" } : { status: 204 },
    );
    await using store = storeAt(server, { transport, vendor: "swift" });
    await store.delete("/d", { recursive: true });
    const bulk = server.seen.find(({ method }) => method === "POST") as Seen;
    const { createHash } = await import("node:crypto");
    expect(bulk.headers["content-md5"]).toBe(createHash("md5").update(bulk.body).digest("base64"));
    expect(bulk.body.toString()).toContain("<Key>d/a</Key>");
  });

  test("a service that says nothing is a timeout, not a warning and a wait without end", async () => {
    await using server = await scripted(() => "hang");
    await using store = storeAt(server, { transport, answerTimeoutMs: 1_000 });
    await expect(store.stat("/f")).rejects.toMatchObject({ code: "timeout", transient: true });
    await expect(store.write("/f", "x")).rejects.toMatchObject({ code: "timeout", applied: "unknown" });
  }, 15_000);

  test("a server that never says 100 Continue gets a large body at once: the SDK would wait for it as long as for an answer", async () => {
    await using server = await scripted(() => stored);
    await using store = storeAt(server, { transport });
    expect(await Promise.race([store.write("/f", new Uint8Array(3 * MiB)), delay(5_000).then(() => "still waiting")])).toMatchObject({ size: 3 * MiB });
    expect(server.seen[0]?.headers.expect).toBeUndefined();
  }, 15_000);

  test("many unread bodies leave room for further calls: the SDK's fifty sockets would be used up", async () => {
    const big = new Uint8Array(2 * MiB);
    await using server = await scripted(({ method }) =>
      method === "HEAD" ? { status: 200, headers: { etag: '"e"', "content-length": "1" } } : { status: 200, headers: { etag: '"e"' }, body: big },
    );
    await using store = storeAt(server, { transport });
    const reads = await Promise.all(Array.from({ length: 60 }, (_, i) => store.read(`/f${i}`)));
    const found = await Promise.race([store.stat("/g"), delay(5_000).then(() => "no socket left")]);
    expect(found).toMatchObject({ kind: "file" });
    for (const read of reads) await read[Symbol.asyncDispose]();
  }, 20_000);

  test("a body that breaks off is an error, never a short result", async () => {
    await using server = await scripted(() => ({ status: 200, headers: { etag: '"e"' }, body: new Uint8Array(400_000), cutAt: 300_000 }));
    await using store = storeAt(server, { transport });
    const read = await store.read("/f");
    await expect(read.bytes()).rejects.toMatchObject({ code: "unavailable", transient: true });
  });

  test("an error in the body of a 200 is that error", async () => {
    for (const [code, expected] of [
      ["InternalError", { code: "unavailable", applied: "unknown" }],
      ["AccessDenied", { code: "permission-denied", applied: false }],
    ] as const) {
      await using server = await scripted(({ method }) =>
        method === "HEAD"
          ? { status: 200, headers: { etag: '"e"', "content-length": "1" } }
          : { status: 200, body: `<Error><Code>${code}</Code><Message>x</Message></Error>` },
      );
      await using store = storeAt(server, { transport });
      await expect(store.copy("/a", "/b")).rejects.toMatchObject(expected);
    }
  });

  test("a failed HEAD has no body, so the reason is asked for; a missing key and a wrong key are told apart (CF102)", async () => {
    await using server = await scripted(({ method }) => (method === "HEAD" ? { status: 403 } : failure(403, "InvalidAccessKeyId")));
    await using store = storeAt(server, { transport });
    await expect(store.stat("/f")).rejects.toMatchObject({
      code: "unauthenticated",
      status: 403,
      reason: expect.stringContaining("does not know this access key") as string,
    });
    await using denied = await scripted(({ method }) => (method === "HEAD" ? { status: 403 } : failure(403, "AccessDenied")));
    await using other = storeAt(denied, { transport });
    await expect(other.stat("/f")).rejects.toMatchObject({ code: "permission-denied" });
  });

  test("dot segments of foreign keys are sent as they are, not resolved into another key", async () => {
    await using server = await scripted(() => ({ status: 200, headers: { etag: '"e"', "content-length": "1" } }));
    await using store = storeAt(server, { transport });
    await store.stat("/a/%{2E}./b");
    expect(server.seen[0]?.path).toBe("/bucket/a/../b");
  });

  test("the secret is in no request and no error", async () => {
    await using server = await scripted(() => failure(403, "SignatureDoesNotMatch", `<StringToSign>${keys.secretAccessKey}</StringToSign>`));
    await using store = storeAt(server, { transport });
    const error: unknown = await store.read("/f").catch((each: unknown) => each);
    expect(error).toMatchObject({ code: "unauthenticated" });
    expect(String((error as Error).message)).not.toContain(keys.secretAccessKey);
    for (const { url, headers } of server.seen) expect(JSON.stringify([url, headers])).not.toContain(keys.secretAccessKey);
    expect(`${store} ${JSON.stringify(store.layers.s3.settings)}`).not.toContain(keys.secretAccessKey);
  });
});
