/** Uploads in parts against a service that follows a script: what is sent when all goes well, and what is left when it does not (CF80). */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { partBytesFor } from "../../../src/providers/s3/multipart.ts";
import { etagOfParts } from "../../../src/providers/s3/upload.ts";
import { manualClock, type Entry } from "../../../src/store/index.ts";
import { failure, listing, scripted, storeAt, transports, type Answer, type Scripted, type Seen } from "./scripted.ts";

const MiB = 1024 ** 2;
const PART = 5 * MiB;
const pieces = async function* (count: number, after?: () => Promise<void> | void): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(MiB).fill(i);
  await after?.();
};

/** What a request of an upload is: "begin", "part 2", "complete", "abort", "parts?", or method and path. */
function step({ method, path, query }: Seen): string {
  if (query.has("uploads")) return "begin";
  if (query.has("partNumber")) return `part ${query.get("partNumber")}`;
  if (query.has("uploadId")) return method === "POST" ? "complete" : method === "DELETE" ? "abort" : "parts?";
  return `${method} ${path}`;
}
const etag = (number: number): string => createHash("md5").update(`part ${number}`).digest("hex");
const wholeEtag = (count: number): string => etagOfParts(Array.from({ length: count }, (_, i) => ({ PartNumber: i + 1, ETag: `"${etag(i + 1)}"` })));

/** A service for one upload; `odd` answers what is to go wrong, otherwise all goes well. */
async function service(odd: (step: string, nth: number, seen: Seen) => Answer | Promise<Answer> = () => undefined): Promise<Scripted> {
  const counts = new Map<string, number>();
  let open = false;
  return scripted(async (request) => {
    const what = step(request);
    const nth = (counts.get(what) ?? 0) + 1;
    counts.set(what, nth);
    const answer = await odd(what, nth, request);
    if (answer !== undefined) return answer;
    if (what === "begin") open = true;
    if (what === "begin") return { status: 200, body: "<InitiateMultipartUploadResult><UploadId>up1</UploadId></InitiateMultipartUploadResult>" };
    if (what.startsWith("part ")) return { status: 200, headers: { etag: `"${etag(Number(what.slice(5)))}"` } };
    if (what === "complete") {
      if (!open) return failure(404, "NoSuchUpload");
      open = false;
      const count = request.body.toString().split("<PartNumber>").length - 1;
      return { status: 200, body: `<CompleteMultipartUploadResult><ETag>&quot;${wholeEtag(count)}&quot;</ETag></CompleteMultipartUploadResult>` };
    }
    if (what === "abort") {
      open = false;
      return { status: 204 };
    }
    if (what === "parts?") return open ? { status: 200, body: "<ListPartsResult/>" } : failure(404, "NoSuchUpload");
    return undefined;
  });
}
const steps = (server: Scripted): string[] => server.seen.map(step);

describe.each(transports)("over %s", (transport) => {
  const open = (server: Scripted, more: object = {}): ReturnType<typeof storeAt> => storeAt(server, { transport, vendor: "minio", partBytes: PART, ...more });

  test("parts in order, each of the announced size, properties at the beginning, the etag of the service in the entry", async () => {
    await using server = await service();
    await using store = open(server);
    const entry: Entry = await store.write("/f", pieces(12), { contentType: "text/x", metadata: { a: "b" } });
    expect(entry).toMatchObject({ size: 12 * MiB, etag: wholeEtag(3), hashes: {}, contentType: "text/x", metadata: { a: "b" }, complete: false });
    expect(steps(server).toSorted()).toEqual(["begin", "complete", "part 1", "part 2", "part 3"]);
    const begin = server.seen.find((each) => step(each) === "begin") as Seen;
    expect(begin.headers).toMatchObject({ "content-type": "text/x", "x-amz-meta-a": "b" });
    const sizes = Object.fromEntries(server.seen.filter(({ query }) => query.has("partNumber")).map((each) => [step(each), each.body.byteLength / MiB]));
    expect(sizes).toEqual({ "part 1": 5, "part 2": 5, "part 3": 2 });
    const complete = server.seen.at(-1)?.body.toString() ?? "";
    expect([...complete.matchAll(/<PartNumber>(\d)<\/PartNumber>/g)].map((match) => match[1])).toEqual(["1", "2", "3"]);
  });

  test("without a type it is an octet stream: Swift would keep the SDK's own", async () => {
    await using server = await service();
    await using store = open(server);
    await store.write("/f", pieces(6));
    expect(server.seen.find((each) => step(each) === "begin")?.headers["content-type"]).toBe("application/octet-stream");
  });

  test("a body of exactly one part goes up at once, one byte more in two parts", async () => {
    await using server = await service((what) => (what === "PUT /bucket/f" ? { status: 200, headers: { etag: '"e"' } } : undefined));
    await using store = open(server);
    await store.write("/f", pieces(5));
    expect(steps(server)).toEqual(["PUT /bucket/f"]);
    await store.write("/f", new Uint8Array(PART + 1));
    expect(steps(server).slice(1).toSorted()).toEqual(["begin", "complete", "part 1", "part 2"]);
  });

  test.each([
    ["fails", () => pieces(8, () => Promise.reject(new Error("gone"))), {}, "bad-body"],
    ["ends early", () => pieces(8), { size: 9 * MiB }, "bad-body"],
    ["runs long", () => pieces(9), { size: 8 * MiB }, "bad-body"],
  ] as const)("a body that %s: nothing is completed, the upload is aborted", async (_name, source, options, code) => {
    await using server = await service();
    await using store = open(server);
    await expect(store.write("/f", source(), options)).rejects.toMatchObject({ code, applied: false });
    expect(steps(server)).not.toContain("complete");
    expect(steps(server).slice(-2)).toEqual(["abort", "parts?"]);
  });

  test("an endless body is stopped where the parts end", async () => {
    await using server = await service();
    await using store = open(server, { quirks: { maxParts: 3 } });
    await expect(store.write("/f", pieces(Infinity))).rejects.toMatchObject({ code: "too-large", applied: false });
    expect(steps(server)).not.toContain("complete");
    expect(steps(server).slice(-2)).toEqual(["abort", "parts?"]);
  });

  test("a part is tried three times, with its own bytes", async () => {
    await using server = await service((what, nth) => (what === "part 2" && nth < 3 ? failure(500, "InternalError") : undefined));
    await using store = open(server);
    await store.write("/f", pieces(11));
    const second = server.seen.filter((each) => step(each) === "part 2");
    expect(second.map(({ body }) => createHash("md5").update(body).digest("hex"))).toEqual(
      Array.from({ length: 3 }, () =>
        createHash("md5")
          .update(second[0]?.body ?? "")
          .digest("hex"),
      ),
    );
  });

  test("a part that is refused stops the others, and the error is that of the part", async () => {
    await using server = await service(async (what) => {
      if (what === "part 1") return failure(403, "QuotaExceeded");
      if (what === "part 2") return "hang";
      return undefined;
    });
    await using store = open(server);
    const started = performance.now();
    await expect(store.write("/f", pieces(12))).rejects.toMatchObject({ code: "no-space", applied: false });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(steps(server)).toContain("abort");
    expect(steps(server)).not.toContain("complete");
  });

  test("an abort that fails is repeated, and what made the upload fail goes up", async () => {
    await using server = await service((what, nth) =>
      what === "part 1" ? failure(403, "AccessDenied") : what === "abort" && nth < 3 ? failure(503, "SlowDown") : undefined,
    );
    await using store = open(server);
    await expect(store.write("/f", pieces(8))).rejects.toMatchObject({ code: "permission-denied" });
    expect(steps(server).filter((what) => what === "abort")).toHaveLength(3);
  });

  test("an upload that is still there after its abort, because a part was late, is aborted again", async () => {
    await using server = await service((what, nth) =>
      what === "part 1" ? failure(403, "AccessDenied") : what === "parts?" && nth === 1 ? { status: 200, body: "<ListPartsResult/>" } : undefined,
    );
    await using store = open(server);
    await expect(store.write("/f", pieces(8))).rejects.toMatchObject({ code: "permission-denied" });
    expect(steps(server).filter((what) => what === "abort" || what === "parts?")).toEqual(["abort", "parts?", "abort", "parts?"]);
  });

  test("the caller's signal ends the parts and removes the upload: aborted, and nothing was stored", async () => {
    const giveUp = new AbortController();
    await using server = await service((what) => {
      if (what !== "part 2") return undefined;
      setTimeout(() => giveUp.abort(new Error("enough")), 20);
      return "hang";
    });
    await using store = open(server);
    await expect(store.write("/f", pieces(12), { signal: giveUp.signal })).rejects.toMatchObject({
      code: "aborted",
      applied: false,
      cause: new Error("enough"),
    });
    // A part that was on its way may be seen after them.
    expect(
      steps(server)
        .filter((one) => !one.startsWith("part "))
        .slice(-2),
    ).toEqual(["abort", "parts?"]);
  });

  test("given up while the upload begins: its id is waited for, and the upload removed", async () => {
    const giveUp = new AbortController();
    await using server = await service(async (what) => {
      if (what === "begin") {
        giveUp.abort();
        await delay(100);
      }
      return undefined;
    });
    await using store = open(server);
    await expect(store.write("/f", pieces(8), { signal: giveUp.signal })).rejects.toMatchObject({ code: "aborted", applied: false });
    expect(steps(server)).toEqual(["begin", "abort", "parts?"]);
  });

  test("a completion whose answer is lost is asked for again; both answers of a service are success", async () => {
    for (const again of [undefined, failure(404, "NoSuchUpload")] as const) {
      await using server = await service((what, nth) => {
        if (what === "complete") return nth === 1 ? "drop" : again;
        if (what === "HEAD /bucket/f") return { status: 200, headers: { etag: `"${wholeEtag(2)}"`, "content-length": "1" } };
        return undefined;
      });
      await using store = open(server);
      expect(await store.write("/f", pieces(8))).toMatchObject({ etag: wholeEtag(2), size: 8 * MiB });
      expect(steps(server)).not.toContain("abort");
    }
  });

  test("a completion whose outcome stays unknown is no success, and no abort takes the parts from under it", async () => {
    await using server = await service((what) =>
      what === "complete" ? "drop" : what === "HEAD /bucket/f" ? { status: 200, headers: { etag: '"old"', "content-length": "1" } } : undefined,
    );
    await using store = open(server);
    await expect(store.write("/f", pieces(8))).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
    expect(steps(server)).not.toContain("abort");
  });

  test("a completion that was refused is followed by the abort", async () => {
    await using server = await service((what) => (what === "complete" ? failure(400, "InvalidPart") : undefined));
    await using store = open(server);
    await expect(store.write("/f", pieces(8))).rejects.toMatchObject({ applied: false });
    expect(steps(server).slice(-2)).toEqual(["abort", "parts?"]);
  });

  test("an error inside of the 200 of a completion is no success", async () => {
    await using server = await service((what) =>
      what === "complete"
        ? { status: 200, body: "<Error><Code>InternalError</Code><Message/></Error>" }
        : what.startsWith("HEAD")
          ? { status: 404 }
          : undefined,
    );
    await using store = open(server, { folderMarkers: false });
    await expect(store.write("/f", pieces(8))).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
  });

  test("conditions go with the completion where the service keeps them there", async () => {
    await using server = await service((what) => (what === "complete" ? failure(412, "PreconditionFailed") : undefined));
    await using store = open(server, { vendor: "r2" });
    await expect(store.write("/f", pieces(8), { ifAbsent: true })).rejects.toMatchObject({ code: "already-exists", applied: false });
    expect(server.seen.find((each) => step(each) === "complete")?.headers["if-none-match"]).toBe("*");
    expect(steps(server).slice(-2)).toEqual(["abort", "parts?"]);
    await expect(store.write("/f", pieces(8), { ifMatch: "abc" })).rejects.toMatchObject({ code: "precondition-failed", applied: false });
    expect(server.seen.filter((each) => step(each) === "complete")[1]?.headers["if-match"]).toBe('"abc"');
  });

  test("a source beyond what one copy takes is copied by ranges, with its type and metadata (CF80)", async () => {
    await using server = await service((what, _nth, { headers }) => {
      if (what === "HEAD /bucket/a")
        return { status: 200, headers: { etag: '"src"', "content-length": String(12 * MiB), "content-type": "text/x", "x-amz-meta-a": "b" } };
      if (what.startsWith("part ")) return { status: 200, body: `<CopyPartResult><ETag>"${headers["x-amz-copy-source-range"]}"</ETag></CopyPartResult>` };
      return undefined;
    });
    await using store = open(server, { quirks: { maxCopyBytes: 5 * MiB } });
    expect(await store.copy("/a", "/b")).toMatchObject({ size: 12 * MiB, contentType: "text/x", metadata: { a: "b" } });
    const parts = server.seen.filter(({ query }) => query.has("partNumber")).toSorted((a, b) => step(a).localeCompare(step(b)));
    expect(parts.map(({ headers }) => headers["x-amz-copy-source-range"])).toEqual(["bytes=0-5242879", "bytes=5242880-10485759", "bytes=10485760-12582911"]);
    for (const { headers } of parts) expect(headers).toMatchObject({ "x-amz-copy-source": "/bucket/a", "x-amz-copy-source-if-match": '"src"' });
    expect(server.seen.find((each) => step(each) === "begin")?.headers).toMatchObject({ "content-type": "text/x", "x-amz-meta-a": "b" });
  });

  test("a source that changes while its ranges are copied is not completed", async () => {
    await using server = await service((what, nth) => {
      if (what === "HEAD /bucket/a") return { status: 200, headers: { etag: nth === 1 ? '"src"' : '"other"', "content-length": String(12 * MiB) } };
      if (what.startsWith("part ")) return { status: 200, body: '<CopyPartResult><ETag>"x"</ETag></CopyPartResult>' };
      return undefined;
    });
    await using store = open(server, { quirks: { maxCopyBytes: 5 * MiB } });
    await expect(store.copy("/a", "/b")).rejects.toMatchObject({ code: "conflict", applied: false });
    expect(steps(server)).not.toContain("complete");
    expect(steps(server).slice(-2)).toEqual(["abort", "parts?"]);
  });
});

test("the size of parts grows with the body, so that their count suffices, and stays in bounds", () => {
  expect(partBytesFor(null, 8 * MiB, 10_000)).toBe(8 * MiB);
  expect(partBytesFor(80_000 * MiB, 8 * MiB, 10_000)).toBe(8 * MiB);
  expect(partBytesFor(80_000 * MiB + 1, 8 * MiB, 10_000)).toBe(9 * MiB);
  for (const size of [1, PART, 5 * 1024 ** 3, 5 * 1024 ** 4])
    for (const parts of [1000, 10_000]) expect(Math.ceil(size / partBytesFor(size, PART, parts))).toBeLessThanOrEqual(parts);
});

test("sweep removes old uploads below the prefix, pages included, and leaves young ones", async () => {
  const upload = (key: string, initiated: string): string =>
    `<Upload><Key>${key}</Key><UploadId>${key}-id</UploadId><Initiated>${initiated}</Initiated></Upload>`;
  await using server = await scripted(({ method, query }) => {
    if (method === "DELETE") return { status: 204 };
    expect(query.get("prefix")).toBe("p/");
    if (query.has("key-marker"))
      return {
        status: 200,
        body: `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${upload("p/c", "2026-11-19T00:00:00Z")}</ListMultipartUploadsResult>`,
      };
    return {
      status: 200,
      body: `<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>p/b</NextKeyMarker><NextUploadIdMarker>x</NextUploadIdMarker>${upload("p/a", "2026-11-19T12:00:00Z")}${upload("p/b", "2026-11-21T08:00:00Z")}</ListMultipartUploadsResult>`,
    };
  });
  await using store = storeAt(server, { prefix: "p", clock: manualClock(Date.parse("2026-11-21T10:00:00Z")) });
  expect(await store.layers.s3.sweep()).toBe(2);
  expect(server.seen.filter(({ method }) => method === "DELETE").map(({ path }) => path)).toEqual(["/bucket/p/a", "/bucket/p/c"]);
  expect(await store.layers.s3.sweep({ olderThanMs: 3_600_000 })).toBe(3);
});

test("a listing that says nothing of its end is not asked forever", async () => {
  await using server = await scripted(() => listing([{ key: "a" }], "same"));
  await using store = storeAt(server);
  await expect(store.list("/").toArray()).rejects.toMatchObject({ code: "unavailable" });
  expect(server.log.length).toBeLessThan(5);
});
