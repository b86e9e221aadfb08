/** Adding, states and versions: the same on both databases. */
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { destroyRepository } from "../../src/repository/index.ts";
import type { FileState } from "../../src/repository/index.ts";
import { added, down, failure, lab, md5, published, sha } from "./lab.ts";
import type { Places } from "./lab.ts";

export function stateTests(kind: string, places?: Places): void {
  describe(`states of a repository on ${kind}`, () => {
    test("S3R1 create twice is refused, destroy twice is not; without one nothing is opened, and flush empties it", async () => {
      await using l = await lab(places);
      expect(await failure(l.open())).toMatchObject({ name: "RepositoryError", code: "no-repository" });
      const repo = await l.create();
      const id = await published(repo, "/a.txt", "a");
      await repo.tagFile(id, "red");
      expect(await failure(destroyRepository(l.catalogueOf()))).toMatchObject({ code: kind === "sqlite" ? "conflict" : "in-use" });
      await repo.flush();
      expect([await repo.find(), await repo.get("/a.txt"), l.localFiles()]).toEqual([[], null, []]);
      expect(await repo.collect({ graceMs: 0 })).toMatchObject({ deleted: 1 });
      expect(await l.main.objects()).toEqual([]);
      await published(repo, "/b.txt", "b");
      await repo.close();
      expect(await failure(l.create())).toMatchObject({ code: "repository-exists" });
      for (let n = 0; n < 2; n++) {
        await using catalogue = l.catalogueOf();
        await destroyRepository(catalogue);
      }
      expect(await failure(l.open())).toMatchObject({ code: "no-repository" });
      // What it had stays where it is.
      expect(await l.main.objects()).toHaveLength(1);
      expect(await failure(l.create())).toMatchObject({ code: "config", message: expect.stringMatching(/another repository/) });
      const again = await l.create({}, "two");
      expect(await again.find()).toEqual([]);
    });

    test("S3R2 a local file is copied or moved in: record and local bytes are there, no store was asked", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const [kept, moved] = [l.source("kept"), l.source("moved")];
      const first = await repo.addLocalFile("/dir/kept.txt", kept);
      const second = await repo.addLocalFile("/dir/moved.txt", moved, { move: true });
      expect([existsSync(kept), existsSync(moved)]).toEqual([true, false]);
      expect(readFileSync(await repo.localPath(first), "utf8")).toBe("kept");
      expect(await repo.text(second)).toBe("moved");
      expect(await repo.info(first)).toMatchObject({
        path: "/dir/kept.txt",
        state: "unpublished",
        origin: "one",
        size: 4,
        sha256: sha("kept"),
        local: true,
        uploadedMs: null,
      });
      expect(l.main.calls).toEqual([]);
      for (const bad of [l.base, `${l.base}/absent`]) expect(await failure(repo.addLocalFile("/x", bad, { move: true }))).toMatchObject({ code: "bad-source" });
      expect(await repo.find({ path: "/x" })).toEqual([]);
      expect(await failure(repo.addFile("/"))).toMatchObject({ code: "bad-query" });
      expect(await failure(repo.addFile("no/slash"))).toMatchObject({ code: "invalid-path" });
    });

    test("S3R3 bucket and key are unique, also for twenty at once; a key of its own is made where none is given", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      await repo.addFile("/a", { key: "/the/key" });
      expect(await failure(repo.addFile("/b", { key: "/the/key" }))).toMatchObject({ code: "file-exists" });
      await repo.addFile("/b", { key: "/the/key", bucket: "other" });
      const ended = await Promise.allSettled(Array.from({ length: 20 }, () => repo.addFile("/c", { key: "/one" })));
      expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const each of ended) if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "file-exists" });
      await Promise.all([repo.addFile("/d"), repo.addFile("/d")]);
      expect(await repo.find({ path: "/d" })).toHaveLength(2);
      expect(await failure(repo.addFile("/e", { bucket: "none" }))).toMatchObject({ code: "unknown-bucket" });
    });

    test("S3R4 of several versions the newest published is the one of the path, whatever clocks say; older ones are readable by id", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      expect(await repo.get("/p")).toBeNull();
      const [one, two, three] = [await added(repo, "/p", "one"), await added(repo, "/p", "two"), await added(repo, "/p", "three")];
      await repo.publish(two);
      await repo.publish(one);
      expect(await repo.get("/p")).toMatchObject({ id: one, version: 2 });
      expect(await Promise.all([one, two, three].map((id) => repo.text(id)))).toEqual(["one", "two", "three"]);
      expect((await repo.versions("/p")).map(({ id, version }) => [id, version])).toEqual([
        [one, 2],
        [two, 1],
        [three, null],
      ]);
      await repo.expire(one);
      expect(await repo.get("/p")).toMatchObject({ id: two });
      await repo.publish(one);
      expect(await repo.get("/p")).toMatchObject({ id: one, version: 3 });
    });

    test("S3R5 publish uploads once, and fills MD5, its base64, size and dates", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await repo.addFile("/a/b.txt");
      expect(await repo.info(id)).toMatchObject({ md5: null, md5Base64: null, size: null, uploadedMs: null, publishedMs: null });
      expect(await failure(repo.publish(id))).toMatchObject({ code: "no-content", file: id });
      await repo.write(id, "hello");
      await l.clock.advance(1000);
      await repo.publish(id);
      const when = l.clock.now();
      const expected = { md5: md5("hello"), md5Base64: Buffer.from(md5("hello"), "hex").toString("base64"), sha256: sha("hello"), size: 5 };
      expect(await repo.info(id)).toMatchObject({ ...expected, state: "published", uploadedMs: when, publishedMs: when, createdMs: when - 1000, version: 1 });
      const [object = ""] = await l.main.objects();
      expect(object).toMatch(/^\/a\/[0-9a-f]{16}-b\.txt\.[0-9a-f]{16}$/);
      expect(Buffer.from(await (await l.main.base.read(object)).bytes()).toString()).toBe("hello");
      await l.clock.advance(1000);
      await repo.publish(id);
      await repo.upload(id);
      expect(await repo.info(id)).toMatchObject({ publishedMs: when, uploadedMs: when });
      expect(l.main.calls.filter((call) => call === "write")).toHaveLength(1);
      expect(await failure(repo.write(id, "other"))).toMatchObject({ code: "read-only" });
      expect(await failure(repo.append(id, "other"))).toMatchObject({ code: "read-only" });
      expect(await repo.text(id)).toBe("hello");
    });

    test("S3R5 a publication whose upload fails changes nothing and leaves nothing; the next one works", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await added(repo, "/a", "hello");
      l.main.fault = down;
      expect(await failure(repo.publish(id))).toMatchObject({ name: "StoreError", code: "unavailable" });
      expect(await repo.info(id)).toMatchObject({ state: "unpublished", uploadedMs: null });
      l.main.fault = undefined;
      await repo.publish(id);
      await l.clock.advance(200_000);
      await repo.collect();
      expect(await repo.status()).toMatchObject({ objects: { stored: 1, sending: 0, removing: 0 } });
      expect(await l.main.objects()).toHaveLength(1);
    });

    test("S3R6 expire and publish again: flags and dates as in the table", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await published(repo, "/a", "a");
      const first = l.clock.now();
      await l.clock.advance(1000);
      await repo.expire(id);
      expect(await repo.info(id)).toMatchObject({ state: "expired", publishedMs: first, expiredMs: first + 1000, version: 1 });
      await l.clock.advance(1000);
      await repo.expire(id);
      expect(await repo.info(id)).toMatchObject({ state: "expired", expiredMs: first + 1000 });
      expect(await repo.text(id)).toBe("a");
      await repo.publish(id);
      expect(await repo.info(id)).toMatchObject({ state: "published", publishedMs: first + 2000, expiredMs: null, uploadedMs: first, version: 2 });
      const never = await added(repo, "/b", "b");
      await repo.expire(never);
      expect(await repo.info(never)).toMatchObject({ state: "expired", publishedMs: null, version: null });
      await repo.publish(never);
      expect(await repo.info(never)).toMatchObject({ state: "published", version: 1, expiredMs: null });
    });

    test("S3R7 purge takes the local copy and the object, and is refused for a published file", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await published(repo, "/a", "a");
      expect(await failure(repo.purge(id))).toMatchObject({ code: "purging-published", file: id });
      expect([await repo.text(id), (await l.main.objects()).length]).toEqual(["a", 1]);
      await repo.expire(id);
      expect(await repo.purge(id)).toEqual({ deleted: true, failure: null });
      expect([await l.main.objects(), l.localFiles()]).toEqual([[], []]);
      expect(await repo.info(id)).toMatchObject({ state: "purged", purgedMs: l.clock.now(), local: false });
      for (const work of [() => repo.text(id), () => repo.download(id, `${l.base}/x`)]) expect(await failure(work())).toMatchObject({ code: "unknown-file" });
      const never = await added(repo, "/b", "b");
      expect(await repo.purge(never)).toEqual({ deleted: true, failure: null });
      expect(l.localFiles()).toEqual([]);
      // Rows stay until the database is looked after.
      expect((await repo.find({ state: "purged" })).map((file) => file.id)).toEqual([id, never]);
      expect(await repo.maintainDatabase({ graceMs: 0 })).toMatchObject({ collected: [id, never] });
      expect(await repo.find()).toEqual([]);
      expect(await failure(repo.info(id))).toMatchObject({ code: "unknown-file" });
    });

    test("S3R7 what the store does not delete is said, and tried again with growing waits", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await published(repo, "/a", "a");
      await repo.expire(id);
      l.main.fault = down;
      expect(await repo.purge(id)).toMatchObject({ deleted: false, failure: { code: "unavailable" } });
      expect(await repo.collect()).toMatchObject({ deleted: 0, failures: [] });
      await l.clock.advance(60_000);
      expect(await repo.collect()).toMatchObject({ deleted: 0, failures: [{ bucket: "main", error: { code: "unavailable" } }] });
      l.main.fault = undefined;
      await l.clock.advance(120_000);
      expect(await repo.collect()).toMatchObject({ deleted: 1, failures: [] });
      expect(await l.main.objects()).toEqual([]);
    });

    test("S3R8 every pair of states outside the table is refused and changes nothing", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const inState: Readonly<Record<FileState, () => Promise<number>>> = {
        unpublished: () => added(repo, "/a", "a"),
        published: () => published(repo, "/a", "a"),
        expired: async () => {
          const id = await published(repo, "/a", "a");
          await repo.expire(id);
          return id;
        },
        purged: async () => {
          const id = await added(repo, "/a", "a");
          await repo.purge(id);
          return id;
        },
      };
      const verbs = { publish: "published", expire: "expired", purge: "purged" } as const;
      const allowed: Readonly<Record<FileState, readonly (keyof typeof verbs)[]>> = {
        unpublished: ["publish", "expire", "purge"],
        published: ["publish", "expire"],
        expired: ["publish", "expire", "purge"],
        purged: [],
      };
      for (const [state, make] of Object.entries(inState) as [FileState, () => Promise<number>][])
        for (const [verb, next] of Object.entries(verbs) as [keyof typeof verbs, FileState][]) {
          const id = await make();
          const before = await repo.info(id);
          expect(before.state).toBe(state);
          if (allowed[state].includes(verb)) {
            await repo[verb](id);
            expect((await repo.info(id)).state, `${state} ${verb}`).toBe(next);
          } else {
            expect(await failure(repo[verb](id)), `${state} ${verb}`).toMatchObject({
              code: state === "published" ? "purging-published" : "illegal-transition",
              file: id,
            });
            expect(await repo.info(id)).toEqual(before);
          }
        }
      for (const verb of ["publish", "expire", "purge", "upload", "unlink", "text", "info"] as const)
        expect(await failure(repo[verb](9999)), verb).toMatchObject({ code: "unknown-file", file: 9999 });
    });

    test("S3R11 names that end in .gz are compressed on their way in and decompressed on their way out", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await repo.addFile("/log.gz", { key: "/log.gz" });
      await repo.write(id, "first line\n");
      await repo.append(id, "second line\n");
      await repo.publish(id);
      await repo.unlink(id);
      expect(await repo.text(id)).toBe("first line\nsecond line\n");
      const [object = ""] = await l.main.objects();
      expect(object).toMatch(/-log\.gz$/);
      const stored = await (await l.main.base.read(object)).bytes();
      expect(gunzipSync(stored).toString()).toBe("first line\nsecond line\n");
      const raw: Buffer[] = [];
      for await (const chunk of await repo.read(id, { raw: true })) raw.push(chunk as Buffer);
      expect(Buffer.concat(raw)).toEqual(Buffer.from(stored));
      const packed = gzipSync("packed already");
      const second = await repo.addLocalFile("/packed.gz", l.source(packed));
      expect(await repo.info(second)).toMatchObject({ size: packed.length, sha256: sha(packed) });
      expect(await repo.text(second)).toBe("packed already");
      // What is none is an error of the reader, and not the end of its text.
      const third = await repo.addLocalFile("/wrong.gz", l.source("no gzip"));
      await expect(repo.text(third)).rejects.toMatchObject({ code: "Z_DATA_ERROR" });
    });

    test("S3R5 written and appended bytes of an unpublished file are what is published, also after an upload", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await added(repo, "/a", "one ");
      await repo.upload(id);
      await repo.append(id, "two");
      expect(await repo.info(id)).toMatchObject({ uploadedMs: null, size: 7 });
      await repo.publish(id);
      await repo.unlink(id);
      expect(await repo.text(id)).toBe("one two");
      await repo.collect({ graceMs: 0 });
      expect(await l.main.objects()).toHaveLength(1);
      const failing = (async function* () {
        yield Buffer.from("half");
        throw new Error("broken");
      })();
      const other = await added(repo, "/b", "whole");
      await expect(repo.append(other, failing)).rejects.toMatchObject({ code: "bad-body" });
      expect(await repo.text(other)).toBe("whole");
    });

    test("S3R33 files of two buckets keep apart, deep paths too", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const deep = `/${Array.from({ length: 30 }, (_, n) => `d${n}`).join("/")}/${"x".repeat(250)}.txt`;
      const ids = await Promise.all(
        (["main", "other"] as const).map(async (bucket) => {
          const id = await repo.addFile(deep, { bucket, key: deep });
          await repo.write(id, `in ${bucket}`);
          await repo.publish(id);
          await repo.unlink(id);
          return id;
        }),
      );
      expect(await Promise.all(ids.map((id) => repo.text(id)))).toEqual(["in main", "in other"]);
      expect([(await l.main.objects()).length, (await l.other.objects()).length, new Set(l.localFiles()).size]).toEqual([1, 1, 2]);
      expect((await repo.find({ bucket: "other" })).map(({ id }) => id)).toEqual([ids[1]]);
    });
  });
}
