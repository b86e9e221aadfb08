/** Checksums, local copies, hosts, maintenance, collection, verification: the same on both databases. */
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { beginBackup, finishBackup } from "../../src/repository/backups.ts";
import { added, down, failure, lab, published } from "./lab.ts";
import type { Lab, Places } from "./lab.ts";

const WEEK_MS = 7 * 86_400_000;
const corrupted = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (byte, at) => (at === 0 ? byte ^ 1 : byte));

export function careTests(kind: string, places?: Places): void {
  const localFile = (l: Lab, host = "one"): string => join(l.base, "hosts", host, "files", l.localFiles(host)[0] as string);
  /** Flips a byte of the only object. */
  const flip = async (l: Lab): Promise<() => Promise<unknown>> => {
    const [object = ""] = await l.main.objects();
    const bytes = await (await l.main.base.read(object)).bytes();
    await l.main.base.write(object, corrupted(bytes));
    return () => l.main.base.write(object, bytes);
  };
  /** A backup of the catalogue, as far as the rest cares. With the catalogue of an open repository where SQLite lets nobody else in. */
  const backups = (l: Lab): { readonly catalogue: ReturnType<Lab["catalogueOf"]>; make(n: number): Promise<void> } => {
    const catalogue = l.catalogueOf();
    return {
      catalogue,
      make: async (n) => finishBackup(catalogue, await beginBackup(catalogue, `/backup/${n}`, l.clock.now()), l.clock.now(), 1, 1),
    };
  };

  describe(`care of a repository on ${kind}`, () => {
    test("S3R9 a byte that was flipped on the way out or in the store is caught: removed, reported, fetched again", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await published(repo, "/a", "hello");
      await repo.unlink(id);
      const back = await flip(l);
      expect(await failure(repo.text(id))).toMatchObject({ code: "object-wrong", file: id });
      expect(l.main.calls.filter((call) => call === "read")).toHaveLength(2);
      expect([l.localFiles(), readdirSync(join(l.base, "hosts", "one", "incoming"))]).toEqual([[], []]);
      expect(l.problems.map(({ kind: what }) => what)).toEqual(["bad-download", "bad-download", "object-wrong"]);
      expect(await repo.status()).toMatchObject({ objects: { bad: 1 } });
      await back();
      expect(await repo.text(id)).toBe("hello");
      // The local copy rots: removed and fetched again.
      writeFileSync(localFile(l), "hellO");
      l.problems.length = 0;
      expect(await repo.text(id)).toBe("hello");
      expect(l.problems).toEqual([{ kind: "bad-copy", file: id, path: "/a" }]);
      expect(readFileSync(localFile(l), "utf8")).toBe("hello");
    });

    test("S3R9 bytes that changed on this disk are not sent, and stay where they are", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await added(repo, "/a", "hello");
      writeFileSync(localFile(l), "hellO");
      expect(await failure(repo.publish(id))).toMatchObject({ code: "damaged", file: id });
      expect(await failure(repo.append(id, "more"))).toMatchObject({ code: "damaged" });
      expect(await failure(repo.text(id))).toMatchObject({ code: "damaged" });
      expect([await l.main.objects(), readFileSync(localFile(l), "utf8")]).toEqual([[], "hellO"]);
      await repo.write(id, "hello again");
      await repo.publish(id);
      expect(await repo.text(id)).toBe("hello again");
    });

    test("S3R9 an object that the store has wrongly after the upload is not taken for stored", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await added(repo, "/a", "hello");
      l.main.fault = (call) => (call.operation === "write" ? { code: "integrity" } : undefined);
      expect(await failure(repo.publish(id))).toMatchObject({ code: "integrity" });
      expect(await repo.info(id)).toMatchObject({ state: "unpublished", uploadedMs: null });
      l.main.fault = undefined;
      await repo.publish(id);
      await l.clock.advance(200_000);
      await repo.collect();
      expect(await l.main.objects()).toHaveLength(1);
    });

    test("S3R10 S3R12 S3R13 the second reading asks no store and renews the access; unlink takes the local copy alone, and it comes back", async () => {
      await using l = await lab(places);
      const repo = await l.create({ publishedStaleMs: 1000 });
      const id = await published(repo, "/a", "hello");
      await repo.unlink(id);
      await repo.unlink(id);
      expect([l.localFiles(), (await repo.info(id)).local, (await l.main.objects()).length, (await repo.hosts())[0]?.copies]).toEqual([[], false, 1, 0]);
      expect(await repo.text(id)).toBe("hello");
      const reads = (): number => l.main.calls.filter((call) => call === "read").length;
      expect([reads(), (await repo.info(id)).local]).toEqual([1, true]);
      await repo.text(id);
      await repo.download(id, join(l.base, "copy"));
      expect([reads(), readFileSync(join(l.base, "copy"), "utf8")]).toEqual([1, "hello"]);
      rmSync(localFile(l));
      expect(await repo.text(id)).toBe("hello");
      expect(reads()).toBe(2);
      await l.clock.advance(900);
      await repo.text(id);
      await l.clock.advance(900);
      expect(await repo.maintainHost()).toMatchObject({ unlinked: [] });
      await l.clock.advance(200);
      expect(await repo.maintainHost()).toMatchObject({ unlinked: [id] });
      expect(l.localFiles()).toEqual([]);
      const mine = await added(repo, "/b", "mine");
      expect(await failure(repo.unlink(mine))).toMatchObject({ code: "not-uploaded" });
      expect(await repo.text(mine)).toBe("mine");
    });

    test("S3R16 copies that were not used for longest go until the rest is within the limit; what no store has stays", async () => {
      await using l = await lab(places);
      const repo = await l.create({ cacheLimitBytes: 25 });
      const files: number[] = [];
      for (let n = 0; n < 3; n++) {
        files.push(await published(repo, `/f${n}`, `content ${n}.`));
        await l.clock.advance(10);
      }
      const draft = await added(repo, "/draft", "unpublished bytes");
      // A reading makes room too, and what is read stays meanwhile.
      await repo.text(files[0] as number);
      expect((await repo.find()).map(({ local }) => local)).toEqual([true, false, false, true]);
      expect(await repo.maintainHost()).toMatchObject({ evicted: [files[0]], overLimitBytes: 0 });
      await repo.text(files[1] as number);
      await l.clock.advance(10);
      await repo.text(draft);
      expect((await repo.find()).map(({ local }) => local)).toEqual([false, false, false, true]);
      expect(await repo.text(draft)).toBe("unpublished bytes");
      expect(await l.main.objects()).toHaveLength(3);
      expect((await repo.hosts())[0]).toMatchObject({ name: "one", cacheLimitBytes: 25, copies: 1, bytes: 17, here: true, active: true });
      // A download makes room for itself, and is never what goes.
      await repo.publish(draft);
      await l.clock.advance(10);
      expect(await repo.text(files[2] as number)).toBe("content 2.");
      expect((await repo.hosts())[0]).toMatchObject({ bytes: 10 });
      const big = await added(repo, "/big", "b".repeat(40));
      expect(await repo.maintainHost()).toMatchObject({ overLimitBytes: 15 });
      expect(await repo.text(big)).toBe("b".repeat(40));
    });

    test("S3R17 unpublished files older than the limit are purged, only by the host that added them, exact to the millisecond", async () => {
      await using l = await lab(places);
      const repo = await l.create({}, "one");
      const old = await added(repo, "/old", "old");
      const kept = await published(repo, "/published", "published");
      const locked = await added(repo, "/locked", "locked");
      await l.clock.advance(1000);
      const young = await added(repo, "/young", "young");
      if (kind === "sqlite") await repo.close();
      await l.clock.advance(WEEK_MS - 1000);
      const other = await l.open({}, "two");
      await l.clock.advance(1);
      expect(await other.maintainHost()).toMatchObject({ purged: [] });
      if (kind === "sqlite") await other.close();
      const one = kind === "sqlite" ? await l.open({}, "one") : repo;
      const lock = await one.lock(locked);
      expect(await one.maintainHost()).toMatchObject({ purged: [old], failures: [] });
      await lock[Symbol.asyncDispose]();
      expect(await one.maintainHost()).toMatchObject({ purged: [locked] });
      await l.clock.advance(999);
      expect(await one.maintainHost()).toMatchObject({ purged: [] });
      await l.clock.advance(1);
      expect(await one.maintainHost()).toMatchObject({ purged: [young] });
      expect(await one.info(kept)).toMatchObject({ state: "published" });
      expect(await one.text(kept)).toBe("published");
    });

    test("S3R18 once a newer version is published, maintenance expires the older; published files are never deleted", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const [first, second, alone] = [await published(repo, "/p", "1"), await published(repo, "/p", "2"), await published(repo, "/alone", "3")];
      const lock = await repo.lock(first);
      expect(await repo.maintainDatabase({ graceMs: 0 })).toMatchObject({ expired: [] });
      await lock[Symbol.asyncDispose]();
      expect(await repo.maintainDatabase({ graceMs: 0 })).toMatchObject({ expired: [first], collected: [] });
      expect((await repo.find({ state: "published" })).map(({ id }) => id)).toEqual([second, alone]);
      expect(await repo.maintainDatabase({ graceMs: 0 })).toMatchObject({ expired: [], collected: [] });
      expect([await repo.text(second), await repo.text(alone)]).toEqual(["2", "3"]);
    });

    test("S3R19 expired files on no active host, and unpublished ones of a host that is gone, are collected after the grace, object included", async () => {
      await using l = await lab(places);
      const repo = await l.create({ graceMs: 1000 });
      const id = await published(repo, "/a", "a");
      const back = await published(repo, "/b", "b");
      for (const each of [id, back]) await repo.expire(each);
      expect(await repo.collect()).toMatchObject({ marked: 0, collected: [] });
      for (const each of [id, back]) await repo.unlink(each);
      expect(await repo.collect()).toMatchObject({ marked: 2, collected: [] });
      await l.clock.advance(1000);
      // Who is wanted again in between stays.
      await repo.text(back);
      expect(await repo.collect()).toMatchObject({ collected: [id], deleted: 1 });
      expect(await failure(repo.info(id))).toMatchObject({ code: "unknown-file" });
      expect([(await l.main.objects()).length, await repo.text(back)]).toEqual([1, "b"]);
      await repo.close();
      const other = await l.open({}, "two");
      const theirs = await other.addFile("/theirs");
      await other.write(theirs, "bytes");
      await other.upload(theirs);
      await other.unlink(theirs);
      await other.close();
      const again = await l.open({ graceMs: 1000 }, "one");
      await l.clock.advance(100 * WEEK_MS);
      expect(await again.collect({ graceMs: 0 })).toMatchObject({ collected: [] });
      await again.decommission("two");
      expect(await again.collect({ graceMs: 0 })).toMatchObject({ collected: [theirs], deleted: 1 });
    });

    test("S3R15 hosts: one row each; a host that is taken out of service frees its copies and its name, unless it has the only bytes", async () => {
      await using l = await lab(places);
      const repo = await l.create({}, "one");
      const id = await published(repo, "/a", "a");
      await repo.close();
      const two = await l.open({ cacheLimitBytes: 100 }, "two");
      await two.text(id);
      const only = await added(two, "/only", "only here");
      await two.close();
      const one = await l.open({}, "one");
      expect((await one.hosts()).map(({ name, copies, cacheLimitBytes, active, here }) => [name, copies, cacheLimitBytes, active, here])).toEqual([
        ["one", 1, null, true, true],
        ["two", 2, 100, true, false],
      ]);
      expect(await failure(one.decommission("none"))).toMatchObject({ code: "unknown-host" });
      expect(await failure(one.decommission("one"))).toMatchObject({ code: "in-use" });
      expect(await failure(one.decommission("two"))).toMatchObject({ code: "host-in-use" });
      expect((await one.hosts())[1]).toMatchObject({ copies: 2, active: true });
      expect(await failure(one.publish(only))).toMatchObject({ code: "not-local" });
      expect(await failure(one.write(only, "no"))).toMatchObject({ code: "not-origin" });
      await one.decommission("two", { abandon: true });
      expect((await one.hosts())[1]).toMatchObject({ name: "two", copies: 0, active: false });
      await one.close();
      // Another directory may have the name now, but not the one of a host that is in service.
      const again = await l.open({ host: "two" }, "three");
      expect(await again.text(id)).toBe("a");
      if (kind === "postgres") expect(await failure(l.open({ host: "three" }, "three"))).toMatchObject({ code: "conflict" });
      await again.close();
      expect(await failure(l.open({ host: "one" }, "four"))).toMatchObject({ code: "config" });
    });

    test("S3R20 an expired object survives until two backups are done that know of it, also where it was purged", async () => {
      await using l = await lab(places);
      const repo = await l.create({ backupsBeforeDelete: 2 });
      const [expired, purged] = [await published(repo, "/a", "a"), await published(repo, "/b", "b")];
      await repo.close();
      const make = async (n: number): Promise<void> => {
        const { catalogue, make: one } = backups(l);
        await one(n);
        await catalogue.close();
      };
      await make(1);
      // One that began before does not know.
      const early = l.catalogueOf();
      const unfinished = await beginBackup(early, "/backup/early", l.clock.now());
      await early.close();
      const again = await l.open();
      for (const id of [expired, purged]) await again.expire(id);
      await again.unlink(expired);
      expect(await again.purge(purged)).toEqual({ deleted: false, failure: null });
      await again.close();
      const late = l.catalogueOf();
      await finishBackup(late, unfinished, l.clock.now(), 1, 1);
      await late.close();
      for (const n of [2, 3]) {
        const open = await l.open();
        expect(await open.collect({ graceMs: 0 }), `${n}`).toMatchObject({ collected: n === 2 ? [purged] : [], deleted: 0, waiting: 2 });
        expect(await l.main.objects()).toHaveLength(2);
        expect(await open.status()).toMatchObject({ backupsBeforeDelete: 2 });
        await open.close();
        await make(n);
      }
      const last = await l.open();
      expect(await last.collect({ graceMs: 0 })).toMatchObject({ collected: [expired], deleted: 2, waiting: 0 });
      expect(await l.main.objects()).toEqual([]);
    });

    test("S3R29 verify finds missing and wrong objects and names who has copies; repair sends them again", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const files: number[] = [];
      for (const name of ["good", "gone", "flip", "short"]) files.push(await published(repo, `/${name}`, name));
      const [good, gone, flipped, short] = files as [number, number, number, number];
      const object = async (name: string): Promise<string> => (await l.main.objects()).find((path) => path.includes(`-${name}.`)) as string;
      await l.main.base.delete(await object("gone"));
      await l.main.base.write(await object("flip"), "flIp");
      await l.main.base.write(await object("short"), "shor");
      const shallow = await repo.verify();
      expect(shallow).toMatchObject({
        objects: 4,
        good: 2,
        missing: [{ file: gone, path: "/gone", bucket: "main", copies: ["one"] }],
        wrong: [{ file: short }],
        unknown: [],
        unsent: [],
      });
      expect(await repo.verify({ deep: true })).toMatchObject({ good: 1, missing: [{ file: gone }], wrong: [{ file: flipped }, { file: short }] });
      // Once known to be wrong it is not forgotten by a look at its size, and its local copy is not let go.
      expect(await repo.verify()).toMatchObject({ good: 1, wrong: [{ file: flipped }, { file: short }] });
      for (const id of [gone, flipped, short]) expect(await failure(repo.unlink(id))).toMatchObject({ code: "not-uploaded" });
      expect(await repo.repair()).toMatchObject({ repaired: [gone, flipped, short], elsewhere: [], failures: [] });
      expect(await repo.verify({ deep: true })).toMatchObject({ objects: 4, good: 4, missing: [], wrong: [] });
      expect(await repo.collect()).toMatchObject({ deleted: 3 });
      for (const id of files) await repo.unlink(id);
      expect(await Promise.all(files.map((id) => repo.text(id)))).toEqual(["good", "gone", "flip", "short"]);
      // Without any copy it is said to be lost, and stays known.
      await repo.unlink(good);
      await l.main.base.delete(await object("good"));
      expect(await failure(repo.text(good))).toMatchObject({ code: "object-missing" });
      expect(await repo.verify()).toMatchObject({ missing: [{ file: good, copies: [] }] });
      expect(await repo.repair()).toMatchObject({ repaired: [], elsewhere: [good] });
      l.main.fault = down;
      const unknown = await repo.verify();
      expect(unknown).toMatchObject({ objects: 4, good: 0, missing: [], wrong: [] });
      expect(unknown.unknown.map(({ error }) => error.code)).toEqual(Array.from({ length: 4 }, () => "unavailable"));
    });

    test("S3R30 offline no store is asked: downloads are refused, publications and deletions wait", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const away = await published(repo, "/away", "away");
      const purged = await published(repo, "/purged", "purged");
      await repo.expire(purged);
      await repo.unlink(away);
      await repo.close();
      l.main.calls.length = 0;
      const offline = await l.open({ offline: true });
      expect(await failure(offline.text(away))).toMatchObject({ code: "offline", file: away });
      expect(await offline.text(purged)).toBe("purged");
      expect(await offline.purge(purged)).toEqual({ deleted: false, failure: null });
      const id = await added(offline, "/new", "new");
      expect(await failure(offline.upload(id))).toMatchObject({ code: "offline" });
      await offline.publish(id);
      expect(await offline.get("/new")).toMatchObject({ id, state: "published", uploadedMs: null });
      expect(await failure(offline.unlink(id))).toMatchObject({ code: "not-uploaded" });
      expect(await offline.maintainHost()).toMatchObject({ uploaded: [], evicted: [] });
      await offline.maintainDatabase({ graceMs: 0 });
      expect(await offline.status()).toMatchObject({ offline: true, unsent: 1, objects: { removing: 1 } });
      expect(l.main.calls).toEqual([]);
      await offline.close();
      const online = await l.open();
      expect(await online.verify()).toMatchObject({ unsent: [id] });
      expect(await online.maintainHost()).toMatchObject({ uploaded: [id] });
      await online.collect();
      expect(await l.main.objects()).toHaveLength(2);
      await online.unlink(id);
      expect(await online.text(id)).toBe("new");
    });

    test("S3R34 an archive tier and permissions are not supported, and nothing pretends that they are", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await published(repo, "/a", "a");
      expect((await repo.info(id)).archivedMs).toBeNull();
      for (const extra of ["archive", "permissions", "acl"])
        expect(await failure(l.open({ [extra]: true }, "two"))).toMatchObject({ code: "config", message: expect.stringContaining(extra) });
    });

    test("what the disk and the catalogue do not agree on is put right at the opening, and said", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const [gone, cut, fine] = [await published(repo, "/gone", "gone"), await added(repo, "/cut", "cut"), await added(repo, "/fine", "fine")];
      const names = Object.fromEntries(l.localFiles().map((name) => [name.split(".").at(-1), name]));
      await repo.close();
      const files = join(l.base, "hosts", "one", "files");
      rmSync(join(files, names["gone"] as string));
      writeFileSync(join(files, names["cut"] as string), "cu");
      writeFileSync(join(files, "stray"), "stray");
      const again = await l.open();
      expect(again.opened).toEqual({ missing: [gone, cut], adopted: [], orphans: ["stray"] });
      expect(readdirSync(join(l.base, "hosts", "one", "orphans")).sort()).toEqual([names["cut"], "stray"].sort());
      expect([await again.text(gone), await again.text(fine)]).toEqual(["gone", "fine"]);
      expect(await failure(again.text(cut))).toMatchObject({ code: "not-local" });
      await again.close();
      // A catalogue that lost the row of a copy gets it back.
      const catalogue = l.catalogueOf();
      await catalogue.run("delete from repo_copy where file = ?", fine);
      await catalogue.close();
      const third = await l.open();
      expect(third.opened).toMatchObject({ adopted: [fine], orphans: [] });
      expect(await third.text(fine)).toBe("fine");
      await third.close();
      for (const text of ["stratus pool 0123\n", "x"]) {
        writeFileSync(join(l.base, "hosts", "one", "HOST"), text);
        expect(await failure(l.open())).toMatchObject({ code: "config" });
      }
    });

    test("a collection beside uploads and transactions of the same repository takes nothing of theirs", async () => {
      await using l = await lab(places);
      const repo = await l.create();
      const id = await added(repo, "/a", "a");
      const started = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const slow = (async function* () {
        yield Buffer.from("sl");
        started.resolve();
        await goOn.promise;
        yield Buffer.from("ow");
      })();
      const t = repo.begin();
      const pending = await t.addFile("/t");
      await t.write(pending, "t");
      await t.publish(pending);
      const other = await repo.addFile("/slow");
      const writing = repo.write(other, slow);
      await started.promise;
      const publishing = repo.publish(id);
      await l.clock.advance(1_000_000);
      await Promise.all([repo.collect({ graceMs: 0 }), repo.maintainDatabase({ graceMs: 0 })]);
      goOn.resolve();
      await Promise.all([writing, publishing]);
      await t.commit();
      expect(await Promise.all([id, other, pending].map((each) => repo.text(each)))).toEqual(["a", "slow", "t"]);
      await repo.collect({ graceMs: 0 });
      expect(await repo.verify({ deep: true })).toMatchObject({ objects: 2, good: 2 });
    });

    test("options that are wrong are refused before anything is touched", async () => {
      await using l = await lab(places);
      for (const bad of [
        { cacheLimitBytes: -1 },
        { graceMs: 0.5 },
        { host: "" },
        { host: "a\nb" },
        { buckets: { "a/b": l.other.store } },
        { buckets: { main: l.other.store } },
        { directory: "" },
        { offline: 1 },
        { backupsBeforeDelete: 1001 },
      ])
        expect(await failure(l.create(bad as never)), JSON.stringify(Object.keys(bad))).toMatchObject({ code: "config" });
      expect(readdirSync(join(l.base, "hosts"))).toEqual([]);
    });
  });
}
