/** Searches, tags, locks and transactions: the same on both databases. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FileInfo, TagQuery } from "../../src/repository/index.ts";
import { dateTags } from "../../src/repository/index.ts";
import { added, down, failure, lab, published, sha } from "./lab.ts";
import type { Places } from "./lab.ts";

const ids = (files: readonly FileInfo[]): number[] => files.map(({ id }) => id);

export function workTests(kind: string, places?: Places): void {
  describe(`work with a repository on ${kind}`, () => {
    test("S3R14 a search by column values gives exactly the matching rows, in pages too, and locks them if asked", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const a = await published(repo, "/dir/a", "same");
      const start = l.clock.now();
      await l.clock.advance(10);
      const b = await added(repo, "/dir/b", "same");
      const c = await repo.addFile("/dir0", { bucket: "other", key: "/k" });
      const d = await added(repo, "/dir/sub/d", "other");
      await repo.expire(d);
      const cases: readonly (readonly [Parameters<typeof repo.find>[0], readonly number[]])[] = [
        [{}, [a, b, c, d]],
        [{ path: "/dir/a" }, [a]],
        [{ under: "/dir" }, [a, b, d]],
        [{ under: "/" }, [a, b, c, d]],
        [{ under: "/dir", state: "unpublished" }, [b]],
        [{ state: "published" }, [a]],
        [{ state: "expired" }, [d]],
        [{ state: "purged" }, []],
        [{ bucket: "other", key: "/k" }, [c]],
        [{ sha256: sha("same") }, [a, b]],
        [{ md5: "none" }, []],
        [{ size: 5 }, [d]],
        [{ origin: "one", uploaded: true }, [a]],
        [{ origin: "two" }, []],
        [{ uploaded: false }, [b, c, d]],
        [{ createdBeforeMs: start + 10 }, [a]],
        [{ createdFromMs: start + 10 }, [b, c, d]],
        [{ limit: 2 }, [a, b]],
        [{ limit: 2, afterId: b }, [c, d]],
        [{ id: c }, [c]],
        [{ path: "'; drop table repo_file; --" }, []],
      ];
      for (const [query, expected] of cases.slice(0, -1)) expect(ids(await repo.find(query)), JSON.stringify(query)).toEqual(expected);
      expect(await repo.find({ key: "'; drop table repo_file; --" })).toEqual([]);
      for (const bad of [{ state: "lost" }, { size: "5" }, { colour: 1 }, { limit: 0 }, { id: 0.5 }, { key: "\0" }, { toString: "x" }])
        expect(await failure(repo.find(bad as never)), JSON.stringify(bad)).toMatchObject({ code: "bad-query" });
      const locks = await repo.findLocked({ sha256: sha("same") });
      expect(locks.map(({ file }) => file.id)).toEqual([a, b]);
      expect(await repo.findLocked({ sha256: sha("same") })).toEqual([]);
      expect(await failure(repo.findLocked({ under: "/dir" }, { mode: "nowait" }))).toMatchObject({ code: "locked" });
      for (const lock of locks) await lock[Symbol.asyncDispose]();
      const again = await repo.findLocked({ under: "/dir" }, { mode: "nowait" });
      expect(again).toHaveLength(3);
      for (const lock of again) await lock[Symbol.asyncDispose]();
    });

    test("S3R21 a locked file: nowait fails, skip gives nothing, wait gets it once it is free", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await added(repo, "/a", "a");
      const lock = await repo.lock(id);
      expect(lock).toMatchObject({ file: { id, path: "/a" }, lost: false });
      expect(await failure(repo.lock(id, { mode: "nowait" }))).toMatchObject({ code: "locked", file: id, transient: true });
      expect(await repo.lock(id, { mode: "skip" })).toBeNull();
      // Who has the lock goes on, and maintenance leaves the file alone.
      await repo.append(id, "b");
      await repo.publish(id);
      let got = false;
      const waiting = repo.lock(id).then((held) => ((got = true), held));
      await l.clock.advance(5000);
      expect(got).toBe(false);
      const given = new AbortController();
      const gaveUp = failure(repo.lock(id, { signal: given.signal }));
      given.abort(new Error("enough"));
      expect(await gaveUp).toMatchObject({ code: "aborted", cause: { message: "enough" } });
      await lock[Symbol.asyncDispose]();
      await lock[Symbol.asyncDispose]();
      for (let n = 0; n < 50 && !got; n++) await l.clock.advance(500);
      const second = await waiting;
      expect(await repo.lock(id, { mode: "skip" })).toBeNull();
      await second[Symbol.asyncDispose]();
      expect(await failure(repo.lock(999, { mode: "nowait" }))).toMatchObject({ code: "unknown-file" });
      const free = await repo.lock(id, { mode: "skip" });
      expect(free).not.toBeNull();
      await free?.[Symbol.asyncDispose]();
    });

    test("S3R23 tags of files, paths and dates: four granularities give the listed tags; untag takes one", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await added(repo, "/a", "a");
      await repo.tagFile(id, "red", "green");
      await repo.tagFile(id, "red");
      await repo.tagPath("/a", "path", "red");
      const next = await repo.addFile("/a");
      expect([await repo.tags(id), await repo.tags(next)]).toEqual([
        ["green", "path", "red"],
        ["path", "red"],
      ]);
      await repo.untagFile(id, "green");
      await repo.untagPath("/a", "red");
      expect(await repo.tags(id)).toEqual(["path", "red"]);
      await repo.untagPath("/unknown", "x");
      const when = new Date("2013-04-24T07:30:00Z");
      expect(await repo.tagDate(id, when)).toEqual(["hour=2013-04-24T07", "day=2013-04-24", "week=2013-W17", "month=2013-04"]);
      expect(await repo.tags(id)).toEqual(["day=2013-04-24", "hour=2013-04-24T07", "month=2013-04", "path", "red", "week=2013-W17"]);
      expect(dateTags(when, "day")).toEqual(["day=2013-04-24", "week=2013-W17", "month=2013-04"]);
      expect([dateTags(when, "week"), dateTags(when, "month")]).toEqual([["week=2013-W17"], ["month=2013-04"]]);
      // Weeks belong to the year of their Thursday.
      for (const [day, week] of [
        ["2021-01-03", "2020-W53"],
        ["2024-12-30", "2025-W01"],
        ["2026-01-01", "2026-W01"],
        ["2023-01-01", "2022-W52"],
      ] as const)
        expect(dateTags(new Date(`${day}T23:59:59Z`), "week"), day).toEqual([`week=${week}`]);
      expect(await failure(repo.tagDate(id, NaN))).toMatchObject({ code: "bad-query" });
      expect(await failure(repo.tagDate(id, 0, "year" as never))).toMatchObject({ code: "bad-query" });
      for (const bad of ["", "a\nb", "x".repeat(201)]) expect(await failure(repo.tagFile(id, bad))).toMatchObject({ code: "bad-query" });
      await repo.purge(id);
      expect(await failure(repo.tagFile(id, "late"))).toMatchObject({ code: "illegal-transition" });
    });

    test("S3R24 tags: any, all, exclude, in the nine cases, of current versions or of all files", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const tags = { a: ["x"], b: ["x", "y"], c: ["y", "z"], d: ["z"] };
      const files: Record<string, number> = {};
      for (const [name, list] of Object.entries(tags)) {
        files[name] = await published(repo, `/${name}`, name);
        await repo.tagFile(files[name], ...list);
      }
      const draft = await added(repo, "/draft", "draft");
      await repo.tagFile(draft, "x", "y", "draft");
      const names = async (query: TagQuery): Promise<string> => (await repo.findTagged(query)).map(({ path }) => path.slice(1)).join(" ");
      const cases: readonly (readonly [TagQuery, string])[] = [
        [{ all: ["x", "y"] }, "b"],
        [{ all: ["draft"] }, ""],
        [{ all: ["draft"], published: false }, "draft"],
        [{ any: ["x", "z"] }, "a b c d"],
        [{ all: ["x"], exclude: ["y"] }, "a"],
        [{ any: ["x", "z"], exclude: ["y"] }, "a d"],
        [{ any: ["x", "z"], all: ["y"] }, "b c"],
        [{ any: ["x", "z"], all: ["y"], exclude: ["x"] }, "c"],
        [{ any: ["none"] }, ""],
      ];
      for (const [query, expected] of cases) expect(await names(query), JSON.stringify(query)).toBe(expected);
      for (const bad of [{ exclude: ["x"] }, {}]) expect(await failure(repo.findTagged(bad))).toMatchObject({ code: "bad-query" });
      // Tags of a path are those of its current version, the tag of an old one is not.
      await repo.tagPath("/d", "w");
      const newer = await published(repo, "/d", "newer");
      expect(ids(await repo.findTagged({ all: ["w"] }))).toEqual([newer]);
      expect(await names({ any: ["z"] })).toBe("c");
      expect(ids(await repo.findTagged({ all: ["w"], published: false }))).toEqual([files["d"], newer]);
    });

    test("S3R22 a transaction that is rolled back leaves no row, no object and no local file; nobody saw it", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const old = await published(repo, "/old", "old");
      const source = l.source("moved");
      const before = await l.main.objects();
      const attempt = repo.transaction(async (t) => {
        const id = await t.addFile("/new", { key: "/new" });
        await t.write(id, "new ");
        await t.append(id, "bytes");
        await t.publish(id);
        t.tagFile(id, "tag");
        await t.addLocalFile("/moved", source, { move: true });
        t.expire(old);
        expect(await l.main.objects()).toHaveLength(2);
        expect([await repo.find({ path: "/new" }), await repo.get("/new"), await repo.versions("/new")]).toEqual([[], null, []]);
        for (const work of [() => repo.info(id), () => repo.publish(id), () => repo.lock(id, { mode: "nowait" }), () => repo.expire(id)])
          expect(await failure(work())).toMatchObject({ code: "unknown-file" });
        expect(await failure(repo.addFile("/x", { key: "/new" }))).toMatchObject({ code: "file-exists" });
        expect(await failure(t.write(old, "no"))).toMatchObject({ code: "read-only" });
        throw new Error("changed my mind");
      });
      await expect(attempt).rejects.toThrow("changed my mind");
      expect([await l.main.objects(), l.localFiles().length, existsSync(source)]).toEqual([before, 1, true]);
      expect(ids(await repo.find())).toEqual([old]);
      expect(await repo.info(old)).toMatchObject({ state: "published" });
      expect(await repo.status()).toMatchObject({ objects: { stored: 1, sending: 0, removing: 0 } });
    });

    test("S3R22 a commit does all at once; a step that cannot be done undoes the others", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const old = await published(repo, "/p", "old");
      const source = l.source("moved");
      const [a, b] = await repo.transaction(async (t) => {
        const first = await t.addFile("/p");
        await t.write(first, "new");
        await t.publish(first);
        t.tagFile(first, "red");
        t.tagPath("/p", "path");
        t.tagDate(first, 0, "month");
        t.expire(old);
        const second = await t.addLocalFile("/q", source, { move: true });
        expect(existsSync(source)).toBe(true);
        return [first, second] as const;
      });
      expect(existsSync(source)).toBe(false);
      expect(await repo.get("/p")).toMatchObject({ id: a, version: 2 });
      expect([(await repo.info(old)).state, (await repo.info(b)).state, await repo.tags(a)]).toEqual([
        "expired",
        "unpublished",
        ["month=1970-01", "path", "red"],
      ]);
      const t = repo.begin();
      const third = await t.addFile("/r");
      await t.write(third, "r");
      await t.publish(third);
      t.untagFile(a, "red");
      t.untagPath("/p", "path");
      t.purge(a);
      expect(await failure(t.commit())).toMatchObject({ code: "purging-published", file: a });
      expect([await repo.find({ path: "/r" }), await repo.tags(a), (await l.main.objects()).length]).toEqual([[], ["month=1970-01", "path", "red"], 2]);
      await expect(t.addFile("/s")).rejects.toThrow(TypeError);
      await t.rollback();
      {
        await using left = repo.begin();
        await left.addFile("/left");
      }
      expect(await repo.find({ path: "/left" })).toEqual([]);
      const purging = repo.begin();
      purging.purge(old);
      await purging.commit();
      expect(await l.main.objects()).toHaveLength(1);
    });

    test("S3R22 an upload that fails in a transaction, and a process that ends in one, leave nothing", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      l.main.fault = (call) => (call.operation === "write" ? down() : undefined);
      const attempt = repo.transaction(async (t) => {
        const id = await t.addFile("/a");
        await t.write(id, "a");
        await t.publish(id);
      });
      expect(await failure(attempt)).toMatchObject({ code: "unavailable" });
      expect(await repo.find()).toEqual([]);
      l.main.fault = undefined;
      const t = repo.begin();
      const id = await t.addFile("/b");
      await t.write(id, "b");
      await t.publish(id);
      await repo.close();
      const again = await l.open();
      expect(await again.find()).toEqual([]);
      await l.clock.advance(200_000);
      await again.collect({ graceMs: 0 });
      expect([await l.main.objects(), l.localFiles()]).toEqual([[], []]);
    });

    test("a closed repository refuses everything, ends what runs, and closes twice", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await added(repo, "/a", "a");
      l.main.fault = (call) => (call.operation === "write" ? { hang: true } : undefined);
      const hanging = failure(repo.publish(id));
      while (!l.main.calls.includes("write")) await new Promise((done) => setTimeout(done, 5));
      await Promise.all([repo.close(), repo.close()]);
      expect(await hanging).toMatchObject({ code: "closed" });
      for (const work of [() => repo.find(), () => repo.addFile("/b"), () => repo.text(id), () => repo.verify(), () => repo.transaction(async () => 1)])
        expect(await failure(work())).toMatchObject({ code: "closed" });
      expect(() => repo.begin()).toThrow(/closed/);
      l.main.fault = undefined;
      const again = await l.open();
      await again.publish(id);
      expect(readFileSync(await again.localPath(id), "utf8")).toBe("a");
    });
  });
}
