/** Against real servers, over both transports: what a script cannot say about them. Everything lies in buckets of this file. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bucketName, detectS3, s3, type S3Options, type VendorName } from "../../../src/providers/s3/index.ts";
import { hasCode, parsePath, type Store } from "../../../src/store/index.ts";
import type { S3Connection } from "../../servers/connection.ts";
import { rawS3, type RawS3 } from "../../servers/raw-s3.ts";
import { notProved, useServer } from "../../servers/shared.ts";

const MiB = 1024 ** 2;
const transports = ["direct", "sdk"] as const;
const servers: readonly { readonly name: "ceph" | "swift" | "swift-google"; readonly vendor: VendorName }[] = [
  { name: "ceph", vendor: "ceph" },
  { name: "swift", vendor: "swift" },
  // Google Storage by HMAC keys: region "auto", no trailers, no part copies, no conditions. Swift in this mode enforces the first two (CF83).
  { name: "swift-google", vendor: "google" },
];
const pieces = async function* (count: number, after?: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(MiB).fill(i);
  await after?.();
};
const textOf = async (store: Store, path: string): Promise<string> => (await store.read(path)).text();

for (const { name, vendor } of servers) {
  const absent = notProved(name);
  describe.skipIf(absent !== undefined)(`s3 on ${name}`, () => {
    let server: S3Connection;
    let raw: RawS3;
    const bucket = bucketName(`real-${name}`);
    beforeAll(async () => {
      server = await useServer(name);
      raw = rawS3(server, bucket);
      await raw.createBucket();
    }, 120_000);
    afterAll(async () => {
      await raw?.destroy();
    });
    const options = (more: Partial<S3Options> = {}): S3Options => ({
      bucket,
      vendor,
      endpoint: server.endpoint,
      region: server.region,
      credentials: { id: server.accessKeyId, secret: server.secretAccessKey },
      partBytes: 5 * MiB,
      ...more,
      // What is Swift's own and not Google's.
      ...(name === "swift-google" ? { quirks: { copyMatchesParts: false, headKeepAlive: false, ...more.quirks } } : {}),
    });
    let count = 0;
    const fresh = (): string => `t${++count}`;

    describe.each(transports)("over %s", (transport) => {
      test("what is written is read, whole and in parts, by a stranger too (CF80, CF83)", async () => {
        const prefix = fresh();
        await using store = s3(options({ transport, prefix }));
        await store.write("/d/small.txt", "hello", { contentType: "text/x-test", metadata: { Owner: "Zoë ", empty: "", with_under: "=?x" } });
        const entry = await store.write("/d/large", pieces(11));
        expect(entry.size).toBe(11 * MiB);
        expect(await store.stat("/d/small.txt")).toMatchObject({
          size: 5,
          contentType: "text/x-test",
          metadata: { Owner: "Zoë ", empty: "", with_under: "=?x" },
        });
        expect(Buffer.from((await raw.get(`${prefix}/d/small.txt`)) as Uint8Array).toString()).toBe("hello");
        const want = createHash("md5");
        for await (const piece of pieces(11)) want.update(piece);
        expect(
          createHash("md5")
            .update((await raw.get(`${prefix}/d/large`)) as Uint8Array)
            .digest("hex"),
        ).toBe(want.digest("hex"));
        const [listed] = (await store.list("/d").toArray()).filter(({ path }) => path === "/d/large");
        const stat = await store.stat("/d/large");
        expect([listed?.size, listed?.etag, listed?.modifiedMs, entry.etag]).toEqual([stat.size, stat.etag, stat.modifiedMs, stat.etag]);
        expect(await raw.openUploads()).toEqual([]);
      });

      test("names of every kind round-trip, and are the keys that others see (CF95)", async () => {
        const prefix = fresh();
        await using store = s3(options({ transport, prefix }));
        const names = [
          "a b",
          "a+b",
          "100%",
          "a%20b",
          "%{2E}x",
          "ä",
          "a\u0308",
          "日本",
          "💾",
          "a&b<c>\"'",
          "a?b#c",
          "\\",
          "a\tb",
          " lead",
          "trail ",
          ".hidden",
          "x_$folder$",
          "a\u007fb",
          "~!*'()",
          "a=b;c:d@e,f",
        ];
        for (const name of names) await store.write(`/n/${name}`, name);
        for (const name of names) expect([name, await textOf(store, `/n/${name}`)]).toEqual([name, name]);
        expect((await store.list("/n").toArray()).map(({ path }) => path).toSorted()).toEqual(names.map((name) => `/n/${name}`).toSorted());
        const keys = await raw.keys(`${prefix}/n/`);
        expect(keys.map((key) => key.slice(`${prefix}/n/`.length)).toSorted()).toEqual(
          names.map((name) => (name === "x_$folder$" ? "x_$folder%{24}" : name)).toSorted(),
        );
        await store.delete("/n", { recursive: true });
        expect(await raw.keys(`${prefix}/`)).toEqual([]);
      });

      test("a control character, which no XML holds, is listed, copied and deleted with its tree", async () => {
        const prefix = fresh();
        await using store = s3(options({ transport, prefix }));
        await store.write("/c/a\u0001b", "1");
        await store.write("/c/plain", "2");
        await store.copy("/c/a\u0001b", "/c/to");
        expect((await store.list("/c").toArray()).map(({ path }) => path).toSorted()).toEqual(["/c/a\u0001b", "/c/plain", "/c/to"]);
        await store.delete("/c", { recursive: true });
        expect(await raw.keys(`${prefix}/`)).toEqual([]);
      });

      test("markers of other tools are directories, and go when they are deleted (CF81)", async () => {
        const prefix = fresh();
        await using store = s3(options({ transport, prefix, contentTypeMarkers: true }));
        await raw.put(`${prefix}/slash/`, new Uint8Array(0));
        await raw.put(`${prefix}/old_$folder$`, new Uint8Array(0));
        await raw.request("PUT", `${prefix}/typed`, {}, { "content-type": "application/x-directory" }, new Uint8Array(0));
        for (const path of ["/slash", "/old", "/typed"]) {
          expect([path, (await store.stat(path)).kind]).toEqual([path, "directory"]);
          expect(await store.list(path).toArray()).toEqual([]);
          await expect(store.mkdir(path)).rejects.toMatchObject({ code: "already-exists" });
        }
        expect((await store.list("/").toArray()).map(({ path, kind }) => `${path} ${kind}`).toSorted()).toEqual([
          "/old directory",
          "/slash directory",
          "/typed directory",
        ]);
        for (const path of ["/slash", "/old", "/typed"]) await store.delete(path);
        expect(await raw.keys(`${prefix}/`)).toEqual([]);
      });

      test("keys that no path spells are shown as tokens and can be read by them", async () => {
        const prefix = fresh();
        await using store = s3(options({ transport, prefix }));
        for (const key of ["k//double", "k/./dot", "k/../dots", "k/file/"])
          expect((await raw.request("PUT", `${prefix}/${key}`, {}, {}, Buffer.from(key))).status).toBe(200);
        const found = (await store.list("/k", { recursive: true }).toArray()).filter(({ kind }) => kind === "file").map(({ path }) => path);
        expect(found.toSorted()).toEqual(["/k/%{2E}./dots", "/k/%{2E}/dot", "/k/%{}/double", "/k/file/%{}"].toSorted());
        for (const path of found) expect((await textOf(store, path)).startsWith("k/")).toBe(true);
        await store.delete("/k", { recursive: true });
        expect(await raw.keys(`${prefix}/`)).toEqual([]);
      });

      test.each([
        ["fails", () => pieces(8, () => Promise.reject(new Error("gone"))), {}],
        ["is cut short", () => pieces(7), { size: 8 * MiB }],
        ["runs long", () => pieces(9), { size: 8 * MiB }],
      ] as const)("a body that %s leaves the old file and no upload behind", async (_, source, more) => {
        const prefix = fresh();
        await using store = s3(options({ transport, prefix }));
        await store.write("/f", "old");
        await expect(store.write("/f", source(), more)).rejects.toMatchObject({ code: "bad-body", applied: false });
        expect(await textOf(store, "/f")).toBe("old");
        expect(await raw.openUploads()).toEqual([]);
      });

      test("given up in the middle: the old file, no upload, and the error says that nothing was stored", async () => {
        const prefix = fresh();
        const giveUp = new AbortController();
        await using store = s3(options({ transport, prefix }));
        await store.write("/f", "old");
        const stuck = store.write(
          "/f",
          pieces(12, () => new Promise(() => setTimeout(() => giveUp.abort(), 50))),
          { signal: giveUp.signal },
        );
        await expect(stuck).rejects.toMatchObject({ code: "aborted", applied: false });
        expect(await textOf(store, "/f")).toBe("old");
        expect(await raw.openUploads()).toEqual([]);
      });

      test("wrong credentials are unauthenticated on every verb, and say which half is wrong (CF102)", async () => {
        const { accessKeyId, secretAccessKey } = server;
        for (const credentials of [
          { id: accessKeyId, secret: `${secretAccessKey}x` },
          { id: "nobody:nowhere", secret: "x" },
        ]) {
          await using store = s3(options({ transport, credentials }));
          for (const call of [
            () => store.stat("/"),
            () => store.stat("/f"),
            () => store.read("/f"),
            () => store.write("/f", "x"),
            () => store.list("/").toArray(),
            () => store.delete("/f"),
            () => store.mkdir("/d"),
            () => store.copy("/a", "/b"),
            () => store.account(),
          ]) {
            const error: unknown = await call().then(
              () => "no error",
              (each: unknown) => each,
            );
            expect(error).toMatchObject({ code: "unauthenticated", transient: false, applied: false });
          }
        }
      });

      test("a missing bucket is config on every verb and is not made", async () => {
        const missing = bucketName("missing");
        await using store = s3(options({ transport, bucket: missing }));
        for (const call of [
          () => store.stat("/"),
          () => store.stat("/f"),
          () => store.read("/f"),
          () => store.write("/f", "x"),
          () => store.write("/f", pieces(6)),
          () => store.list("/").toArray(),
          () => store.delete("/f"),
          () => store.delete("/d", { recursive: true }),
          () => store.mkdir("/d"),
          () => store.copy("/a", "/b"),
          () => store.account(),
        ]) {
          const error: unknown = await call().then(
            () => "no error",
            (each: unknown) => each,
          );
          expect(error).toMatchObject({ code: "config", transient: false, applied: false });
        }
        expect((await rawS3(server, missing).request("GET", undefined, { "max-keys": "1" })).status).toBe(404);
      });

      test("createBucket makes it, and finds it the next time (CF82)", async () => {
        const made = bucketName("made");
        try {
          for (let time = 0; time < 2; time++) {
            await using store = s3(options({ transport, bucket: made, createBucket: true }));
            await store.write(`/f${time}`, "x");
          }
          expect(await rawS3(server, made).keys()).toEqual(["f0", "f1"]);
        } finally {
          await rawS3(server, made).destroy();
        }
      });

      test("a copy keeps bytes, type and metadata; a large one by ranges too", async () => {
        const prefix = fresh();
        await using store = s3(options({ transport, prefix, ...(vendor === "google" ? {} : { quirks: { maxCopyBytes: 5 * MiB } }) }));
        await store.write("/a", pieces(12), { contentType: "text/x-test", metadata: { K: "v" } });
        expect(await store.copy("/a", "/b")).toMatchObject({ size: 12 * MiB, contentType: "text/x-test" });
        const copied = await store.stat("/b");
        expect(copied).toMatchObject({ size: 12 * MiB, contentType: "text/x-test", metadata: { K: "v" } });
        expect(Buffer.compare((await raw.get(`${prefix}/a`)) as Uint8Array, (await raw.get(`${prefix}/b`)) as Uint8Array)).toBe(0);
        expect(await raw.openUploads()).toEqual([]);
      });

      // A thousand writes take Swift a minute: there and without STRATUS_TIER over one transport.
      const thousands = transport === "direct" || vendor === "ceph" || (process.env["STRATUS_TIER"] ?? "") !== "";
      if (thousands)
        test("more than a page of names, each once", async () => {
          const prefix = fresh();
          await using store = s3(options({ transport, prefix }));
          const names = Array.from({ length: 1205 }, (_, i) => `/p/n${i}`);
          for (let i = 0; i < names.length; i += 24) await Promise.all(names.slice(i, i + 24).map((path) => store.write(path, "")));
          expect((await store.list("/p").toArray()).map(({ path }) => path as string).toSorted()).toEqual(names.toSorted());
          await store.delete("/p", { recursive: true });
          expect(await raw.keys(`${prefix}/`)).toEqual([]);
        }, 120_000);
    });

    test("detectS3 knows it without credentials", async () => {
      const { vendor: found, evidence } = await detectS3({ endpoint: server.endpoint });
      expect([found, evidence !== ""]).toEqual([name === "ceph" ? "ceph" : "swift", true]);
    });

    if (vendor === "ceph")
      test("of twenty racing creators exactly one wins; the others are told, and the bytes are those of the winner", async () => {
        for (const transport of transports) {
          const prefix = fresh();
          await using store = s3(options({ transport, prefix }));
          const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => store.write("/lock", `${i}`, { ifAbsent: true })));
          const won = outcomes.flatMap(({ status }, i) => (status === "fulfilled" ? [`${i}`] : []));
          expect(won).toHaveLength(1);
          expect(await textOf(store, "/lock")).toBe(won[0]);
          for (const outcome of outcomes) if (outcome.status === "rejected") expect(hasCode(outcome.reason, "already-exists", "conflict")).toBe(true);
        }
      });

    if (vendor === "ceph")
      test("of twenty writers with one etag exactly one wins", async () => {
        await using store = s3(options({ prefix: fresh() }));
        let { etag } = await store.write("/f", "start");
        for (let round = 0; round < 5; round++) {
          const before = etag as string;
          const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => store.write("/f", `${round} ${i}`, { ifMatch: before })));
          expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
          for (const outcome of outcomes) if (outcome.status === "rejected") expect(hasCode(outcome.reason, "precondition-failed", "conflict")).toBe(true);
          ({ etag } = await store.stat("/f"));
        }
      });

    if (vendor === "ceph")
      test("a conditional write larger than a part is one request, and holds", async () => {
        await using store = s3(options({ prefix: fresh() }));
        await store.write("/f", pieces(8), { size: 8 * MiB, ifAbsent: true });
        await expect(store.write("/f", pieces(8), { size: 8 * MiB, ifAbsent: true })).rejects.toMatchObject({ code: "already-exists" });
        await expect(store.write("/f", pieces(8), { ifAbsent: true })).rejects.toMatchObject({ code: "already-exists" });
        expect((await store.stat("/f")).size).toBe(8 * MiB);
      });

    test("paths as long as they may be", async () => {
      await using store = s3(options({ prefix: fresh() }));
      const { maxPathBytes } = store.capabilities;
      const path = `/${"a".repeat(maxPathBytes - 1)}`;
      expect(parsePath(path)).toBe(path);
      await store.write(path, "x");
      expect(await textOf(store, path)).toBe("x");
      await store.delete(path);
      await expect(store.write(`${path}a`, "x")).rejects.toMatchObject({ code: "invalid-path" });
    });
  });
}
