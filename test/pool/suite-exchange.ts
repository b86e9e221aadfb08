/** Dumps, confirmation, versions, the import of an original database: the same on both databases. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { migrations } from "../../src/pool/schema.ts";
import { bytes, failure, lab, sha } from "./lab.ts";
import type { Places } from "./lab.ts";

const HOUR = 3_600_000;
type Entry = Record<string, any>;
const parsed = (json: string | null): Entry[] => JSON.parse(json as string) as Entry[];

/** The fields of the example in cloud-manager's README, which is no valid JSON itself; numbers as texts there. */
const readme = (hash: string, uploads: unknown[]): Entry => ({
  version: "0.2",
  filename: `${hash.slice(0, 7)}_WordPress.zip`,
  filesize: "7",
  filehash: hash,
  datetime: "1394470466",
  uploads,
});

export function exchangeTests(kind: string, places?: Places): void {
  describe(`dumps of a pool on ${kind}`, () => {
    test("CM18 CM21 a dump is version 0.2 field by field, shortest first, and never longer than its limit", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      expect(await pool.dump()).toBeNull();
      const names = ["n".repeat(60), "short", "ü".repeat(20), 'quote"d'];
      for (const name of names) await pool.upload(`body of ${name}`, { name });
      expect(await pool.dump()).toBeNull(); // Nothing is at a host yet.
      await pool.sync();
      const [first] = parsed(await pool.dump());
      const hash = sha("body of short");
      const uploads = (await pool.info(hash))?.uploads.map(({ host, url }) => ({ host_name: host, url }));
      expect(first).toEqual({ version: "0.2", filename: `${hash.slice(0, 7)}_short`, filesize: 13, filehash: hash, datetime: "1768435200", uploads });
      expect(Object.keys(first as Entry)).toEqual(["version", "filename", "filesize", "filehash", "datetime", "uploads"]);
      const lengths: number[] = [];
      for (let limitBytes = 0; limitBytes < 2500; limitBytes += 50) {
        await l.clock.advance(HOUR);
        const json = await pool.dump({ limitBytes });
        if (json === null) continue;
        expect(Buffer.byteLength(json)).toBeLessThanOrEqual(limitBytes);
        const sizes = parsed(json).map((entry) => Buffer.byteLength(JSON.stringify(entry)));
        expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
        lengths.push(sizes.length);
        // No file more would have fitted: the exact length is the limit that gives it.
        await l.clock.advance(HOUR);
        expect(await pool.dump({ limitBytes: Buffer.byteLength(json) })).toBe(json);
        await l.clock.advance(HOUR);
        expect(parsed((await pool.dump({ limitBytes: Buffer.byteLength(json) - 1 })) ?? "[]")).toHaveLength(sizes.length - 1);
      }
      expect(new Set(lengths)).toEqual(new Set([1, 2, 3, 4]));
    });

    test("CM19 CM23 an export is leased for an hour; what was not confirmed comes again, what was does not", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hashes = [await pool.upload("one"), await pool.upload("two!")];
      await pool.sync();
      const json = await pool.dump();
      expect(parsed(json)).toHaveLength(2);
      expect(await pool.dump()).toBeNull();
      await l.clock.advance(HOUR - 1);
      expect(await pool.dump()).toBeNull();
      await l.clock.advance(1);
      expect(await pool.dump()).toBe(json);
      await pool.confirm([hashes[0] as string, sha("unknown")], "block 17");
      await l.clock.advance(HOUR);
      expect(parsed(await pool.dump()).map(({ filehash }) => filehash)).toEqual([hashes[1]]);
      expect((await pool.info(hashes[0] as string))?.confirmed).toBe("block 17");
      expect((await pool.queues()).export).toEqual({ files: 1, bytes: 4 });
      // Two dumps at once share nothing.
      await l.clock.advance(HOUR);
      const both = await Promise.all([pool.dump(), pool.dump()]);
      expect(both.filter((each) => each !== null)).toHaveLength(1);
    });

    test("CM20 CM23 a second node loads a dump and downloads; loading twice changes nothing; imported files leave its export queue", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const texts = [bytes("x", 300), bytes("y", 400)];
      for (const text of texts) await pool.upload(text, { name: `${text.length}.bin` });
      await pool.sync();
      const json = (await pool.dump()) as string;
      const second = await l.open({}, "two", "second");
      expect(await second.load(json, { confirmation: "hash of the block" })).toEqual({ added: 2, known: 0, copies: 4 });
      const before = await Promise.all(texts.map((text) => second.info(sha(text))));
      expect(await second.load(json, { confirmation: "hash of the block" })).toEqual({ added: 0, known: 2, copies: 0 });
      expect(await Promise.all(texts.map((text) => second.info(sha(text))))).toEqual(before);
      expect(before[0]).toMatchObject({ name: "300.bin", size: 300, cached: false, queued: false, confirmed: "hash of the block" });
      expect((await second.queues()).export).toEqual({ files: 0, bytes: 0 });
      expect(await second.dump()).toBeNull();
      for (const text of texts) {
        await second.download(sha(text), join(l.base, "out"));
        expect(readFileSync(join(l.base, "out"))).toEqual(text);
      }
      // It loads its own as well: nothing new, only the mark.
      expect(await pool.load(json, { confirmation: "the same" })).toEqual({ added: 0, known: 2, copies: 0 });
      expect((await pool.queues()).export.files).toBe(0);
      // What the second removes stays at the hosts: it is the first's.
      await second.remove(sha(texts[0] as Buffer));
      expect(await second.collect({ graceMs: 0 })).toMatchObject({ collected: [sha(texts[0] as Buffer)], deleted: 0 });
      expect(await pool.verify({ deep: true })).toMatchObject({ copies: 4, alive: 4 });
    });

    test("CM21 0.1 and 0.2 load, an unknown version rejects all of it; the README's example loads field for field", async () => {
      await using l = await lab(places);
      const pool = await l.open({
        openLink: (_host, url) =>
          (async function* () {
            yield Buffer.from(url.slice(-7));
          })(),
      });
      const [one, two, three] = ["content", "another", "third!!"].map(sha) as [string, string, string];
      const { filename: _, ...old }: Entry = { ...readme(two, [{ host_name: "ge_tt", url: "http://ge.tt/another" }]), version: "0.1" };
      const good = [readme(one, [{ host_name: "rghost", url: "http://rghost.net/content" }]), old];
      for (const wrong of [
        { ...readme(three, []), version: "0.4" },
        { ...readme(three, []), version: undefined },
        { ...readme(three, []), version: 0.2 },
      ])
        expect(await failure(pool.load(JSON.stringify([...good, wrong])))).toMatchObject({ name: "PoolError", code: "unknown-version" });
      expect(await pool.exists(one)).toBe(false);
      expect(await pool.load(JSON.stringify(good))).toEqual({ added: 2, known: 0, copies: 2 });
      expect(await pool.info(one)).toMatchObject({
        name: "WordPress.zip",
        size: 7,
        createdMs: 1_394_470_466_000,
        uploads: [{ host: "rghost", url: "http://rghost.net/content", state: "stored" }],
      });
      expect((await pool.info(two))?.name).toBe(two.slice(0, 10));
      for (const [hash, text] of [
        [one, "content"],
        [two, "another"],
      ] as const)
        expect(readFileSync(await pool.warmUp(hash), "utf8")).toBe(text);
      // Nothing but links: repair puts them on the hosts of this pool.
      expect(await pool.repair()).toMatchObject({ repaired: 2, copies: 4, failed: [] });
    });

    test("CM20 CM21 what is no dump changes nothing and says where it is wrong", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const good = readme(sha("good"), [{ host_name: "a", url: "/x" }]);
      const wrong: unknown[] = [
        { ...good, filehash: "abc" },
        { ...good, filehash: sha("x").toUpperCase() },
        { ...good, filesize: -1 },
        { ...good, filesize: "1e3" },
        { ...good, filesize: 1.5 },
        { ...good, datetime: "yesterday" },
        { ...good, uploads: {} },
        { ...good, uploads: [{ host_name: "a" }] },
        { ...good, uploads: [{ url: "/x" }] },
        { ...good, uploads: ["/x"] },
        { ...good, uploads: [{ host_name: "a", url: "/x\u0000" }] },
        { ...good, filename: undefined },
        { ...good, filename: "a\nb" },
        { ...good, filesize: "8" },
        null,
        [],
        "text",
      ];
      await pool.upload("known");
      const state = async (): Promise<unknown> => [await pool.syncStatus(), await pool.queues()];
      const before = await state();
      for (const entry of wrong)
        expect(await failure(pool.load(JSON.stringify([good, entry]), { confirmation: "x" })), JSON.stringify(entry)).toMatchObject({
          code: expect.stringMatching(/^(bad-dump|unknown-version)$/),
        });
      for (const text of ["", "{", "{}", "null", '[{"version":"0.2"', "[1]"]) expect(await failure(pool.load(text))).toMatchObject({ code: "bad-dump" });
      // The size of a file that is here is known better.
      expect(await failure(pool.load(JSON.stringify([good, readme(sha("known"), [])])))).toMatchObject({ code: "bad-dump" });
      expect(await state()).toEqual(before);
      expect(await pool.exists(sha("good"))).toBe(false);
    });

    test("CM22 entries of failed uploads survive a round trip and are skipped on download", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hash = await pool.upload("content");
      await pool.sync();
      const [host] = (await pool.info(hash))?.uploads ?? [];
      const uploads = [
        { host_name: "broken", error: true },
        { host_name: host?.host, url: host?.url },
      ];
      const second = await l.open({}, "two", "second");
      await second.load(JSON.stringify([readme(hash, uploads)]));
      expect(readFileSync(await second.warmUp(hash), "utf8")).toBe("content");
      expect(parsed(await second.dump())[0]?.["uploads"]).toEqual(uploads);
      expect(await second.verify()).toMatchObject({ copies: 1, alive: 1 });
      await l.clock.advance(HOUR);
      const third = await l.open({}, "three", "third");
      await third.load(JSON.stringify([readme(hash, [{ host_name: "broken", error: "no such module" }])]));
      expect(await failure(third.warmUp(hash))).toMatchObject({ code: "not-uploaded" });
    });

    test("version 0.3 carries names, times and dead copies, and both are read", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      await l.clock.advance(1234);
      const hash = await pool.upload("content", { name: "abcdef0_name.txt" });
      await pool.sync();
      const [first] = (await pool.info(hash))?.uploads ?? [];
      const host = l.hosts[first?.host ?? ""];
      await host?.base.delete(first?.url ?? "");
      await pool.verify();
      // Complete again by hand, for a file with too few copies is not exported.
      await pool.repair();
      const json = (await pool.dump({ version: "0.3" })) as string;
      expect(parsed(json)[0]).toMatchObject({
        version: "0.3",
        name: "abcdef0_name.txt",
        created_ms: l.clock.now(),
        filesize: 7,
        uploads: [{ made_ms: l.clock.now() }, { made_ms: l.clock.now() }],
      });
      const second = await l.open({}, "two", "second");
      await second.load(json.replace('"uploads":[{', '"uploads":[{"dead":true,"host_name":"a","url":"/gone"},{'));
      expect(await second.info(hash)).toMatchObject({
        name: "abcdef0_name.txt",
        createdMs: l.clock.now(),
        uploads: [{ state: "dead" }, { state: "stored" }, { state: "stored" }],
      });
      expect(readFileSync(await second.warmUp(hash), "utf8")).toBe("content");
      expect(parsed(await second.dump({ version: "0.3" }))[0]?.["uploads"]).toContainEqual(expect.objectContaining({ url: "/gone", dead: true }));
      await l.clock.advance(HOUR);
      expect(parsed(await second.dump())[0]?.["uploads"]).toHaveLength(2);
    });

    test("what a dump only says never lets a file of our own leave the cache", async () => {
      await using l = await lab(places);
      const pool = await l.open({ capacityBytes: 1000 });
      const hash = await pool.upload(bytes("own", 500));
      const lie = {
        ...readme(
          hash,
          ["a", "b", "c"].map((name) => ({ host_name: name, url: "/there" })),
        ),
        filesize: 500,
      };
      await pool.load(JSON.stringify([lie]));
      expect((await pool.queues()).upload.files).toBe(1);
      expect(await failure(pool.upload(bytes("more", 500)))).toMatchObject({ code: "no-room" });
      expect(await pool.sync()).toMatchObject({ complete: 1, copies: 2 });
      expect(await pool.verify()).toMatchObject({ copies: 5, alive: 2, dead: 3, short: [] });
    });
  });

  describe(`older catalogues of a pool on ${kind}`, () => {
    test("CM15 one of version 1 opens after the upgrade with all its rows", async () => {
      await using l = await lab(places);
      {
        await using old = l.catalogueOf();
        await old.migrate("pool", migrations.slice(0, 1));
        const hash = sha("old content");
        await old.run("insert into host(name, state, errors, score, scored_ms, uploads, downloads) values('a', 'active', 3, 0, 0, 7, 2)");
        await old.run("insert into file(hash, name, size, created_ms, queued) values(?, 'old.txt', 11, 1000, 0)", hash);
        await old.run("insert into copy(file, host, url, state, owned, made_ms) select id, 'a', '/old/place', 1, 1, 2000 from file");
        await old.run("insert into meter(month, uploaded, downloaded) values('2025-12', 5, 6)");
        await old.run("insert into fact(key, value) values('height', '99')");
      }
      await l.hosts["a"]?.base.write("/old/place", "old content");
      const pool = await l.open();
      expect(await pool.info(sha("old content"))).toMatchObject({
        name: "old.txt",
        createdMs: 1000,
        uploads: [{ host: "a", url: "/old/place", state: "stored" }],
      });
      expect(readFileSync(await pool.warmUp(sha("old content")), "utf8")).toBe("old content");
      expect((await pool.hosts())[0]).toMatchObject({ name: "a", errors: 3, uploads: 7, downloads: 3 });
      expect([await pool.visitedHeight(), (await pool.meters()).total]).toEqual([99, { uploaded: 5, downloaded: 17 }]);
      await pool.close();
      const newer = l.catalogueOf();
      await newer.migrate("pool", [...migrations, { name: "of the future", statements: ["create table future(id {id}) {strict}"] }]);
      await newer.close();
      expect(await failure(l.open())).toMatchObject({ code: "config", message: expect.stringMatching(/version 4, this release knows 3/) });
    });

    test("CM15 one of version 2 gets the sizes of what is in its caches", async () => {
      await using l = await lab(places);
      await using db = l.catalogueOf();
      await db.migrate("pool", migrations.slice(0, 2));
      await db.run("insert into node(id, made_ms) values('one', 1)");
      await db.run("insert into file(hash, name, size, created_ms, queued) values('h', 'f', 4711, 1, 1)");
      await db.run("insert into cached(node, file, name, used_ms) select 'one', id, 'f', 1 from file");
      await db.migrate("pool", migrations);
      expect(await db.query("select size from cached")).toEqual([{ size: 4711 }]);
    });

    test("CM15 CM20 the database of an original cloud-manager is imported: files, marks, meters, height, and what waited for its upload", async () => {
      await using l = await lab(places);
      const file = join(l.base, "original.db");
      const storage = join(l.base, "storage");
      mkdirSync(storage);
      const [one, waits, lost] = ["content", "waiting", "lost"].map(sha) as [string, string, string];
      writeFileSync(join(storage, `${waits.slice(0, 7)}_w.txt`), "waiting");
      const rows = [
        [
          "f.zip",
          7,
          one,
          JSON.stringify({ ...readme(one, [{ host_name: "ge_tt", url: "http://ge.tt/content" }]), filesize: 7 }),
          "block",
          "2014-05-01 10:00:00.123",
        ],
        ["f.zip", 7, one, JSON.stringify(readme(one, [{ host_name: "rghost", url: "http://rghost.net/content" }])), null, null],
        ["w.txt", 7, waits, null, null, null],
        ["l.txt", 4, lost, null, null, null],
      ];
      const make = `
        const db = new (require("better-sqlite3"))(process.argv[1]);
        db.exec("create table files(name varchar, size int, hash varchar, payload text, blockchain_hash varchar, exported_timestamp timestamp); create table transfer_meter(uploaded bigint, downloaded bigint, month varchar unique); create table blockchain_state(last_known_block int); insert into transfer_meter values(10, 20, null), (1, 2, '2014-05'); insert into blockchain_state values(1234)");
        for (const row of JSON.parse(process.argv[2])) db.prepare("insert into files values(?, ?, ?, ?, ?, ?)").run(...row);
        db.close();`;
      execFileSync(process.execPath, ["-e", make, file, JSON.stringify(rows)]);
      const original = readFileSync(file);
      const pool = await l.open({
        openLink: (_host, url) =>
          (async function* () {
            yield Buffer.from(url.slice(-7));
          })(),
      });
      expect(await pool.importCloudManager(file, { storage })).toEqual({ added: 1, known: 1, uploaded: [waits], notFound: [lost] });
      expect(readFileSync(file)).toEqual(original);
      expect(await pool.info(one)).toMatchObject({ name: "WordPress.zip", confirmed: "block", uploads: [{ host: "ge_tt" }, { host: "rghost" }] });
      expect(readFileSync(await pool.warmUp(one), "utf8")).toBe("content");
      expect(readFileSync(await pool.warmUp(waits), "utf8")).toBe("waiting");
      expect([await pool.exists(lost), await pool.visitedHeight()]).toEqual([false, 1234]);
      expect((await pool.meters()).total).toEqual({ uploaded: 11, downloaded: 29 });
      expect(await pool.importCloudManager(file)).toMatchObject({ added: 0, known: 2, uploaded: [] });
      expect((await pool.meters()).total).toEqual({ uploaded: 11, downloaded: 29 });

      // Corrupt and foreign ones change nothing.
      const before = await pool.syncStatus();
      const bad = (sql: string): string => {
        const path = join(l.base, "bad.db");
        rmSync(path, { force: true });
        execFileSync(process.execPath, ["-e", `const db = new (require("better-sqlite3"))(process.argv[1]); db.exec(process.argv[2]); db.close();`, path, sql]);
        return path;
      };
      const table = "create table files(name varchar, size int, hash varchar, payload text);";
      const other = `insert into files values('n', 1, '${sha("q")}', '${JSON.stringify(readme(one, []))}');`;
      for (const sql of [
        "create table songs(x);",
        `${table} insert into files values('n', 1, 'short', null);`,
        `${table} insert into files values('n', 1, '${one}', '{');`,
        table + other,
        `${table} insert into files values('../n', 1, '${one}', null);`,
      ])
        expect(await failure(pool.importCloudManager(bad(sql)))).toMatchObject({ code: "bad-database" });
      writeFileSync(join(l.base, "text.db"), "no database at all, but some text that is long enough ".repeat(20));
      expect(await failure(pool.importCloudManager(join(l.base, "text.db")))).toMatchObject({ code: "config" });
      expect(await failure(pool.importCloudManager(join(l.base, "absent.db")))).toMatchObject({ code: "config" });
      expect(await pool.syncStatus()).toEqual(before);
    });
  });
}
