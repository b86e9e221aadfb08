/** Room, copies that die, removal: the same on both databases. */
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Pool } from "../../src/pool/index.ts";
import { bytes, down, failure, lab, sha } from "./lab.ts";
import type { Lab, LabHost, Places } from "./lab.ts";

const hostsWith = async (l: Lab, hash: string): Promise<LabHost[]> => {
  const all = Object.values(l.hosts);
  const files = await Promise.all(all.map((host) => host.files()));
  return all.filter((_, index) => files[index]?.some((path) => path.includes(hash)));
};
const copies = async (l: Lab): Promise<number> => (await Promise.all(Object.values(l.hosts).map((host) => host.files()))).flat().length;

/** Two texts whose hashes share their first seven digits: a birthday of some twenty thousand. */
function twins(): readonly [string, string] {
  const seen = new Map<string, string>();
  for (let n = 0; ; n++) {
    const text = `twin ${n}`;
    const digits = sha(text).slice(0, 7);
    const other = seen.get(digits);
    if (other !== undefined) return [other, text];
    seen.set(digits, text);
  }
}

export function careTests(kind: string, places?: Places): void {
  describe(`room in the cache of a pool on ${kind}`, () => {
    test("CM11 CM13 never above 90 %, whatever comes; an oversize file is refused and nothing is changed", async () => {
      await using l = await lab(places);
      const pool = await l.open({ capacityBytes: 1000, copies: 1 });
      await pool.upload(bytes("first", 500));
      await pool.sync();
      async function* stream(size: number): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < size; at += 100) yield bytes(`stream${size}`, 100);
      }
      for (const body of [bytes("big", 901), stream(1000)]) expect(await failure(pool.upload(body))).toMatchObject({ code: "too-large", transient: false });
      expect([await pool.exists(sha(bytes("big", 901))), pool.usedSpace > 500]).toEqual([false, false]);
      for (let n = 0; n < 12; n++) {
        await pool.upload(n % 2 === 0 ? bytes(`n${n}`, 100 + n * 70) : stream(100 * Math.ceil(n / 2)));
        expect(pool.usedSpace).toBeLessThanOrEqual(900);
        await pool.sync();
      }
      expect(await pool.upload(bytes("whole", 900))).toBe(sha(bytes("whole", 900)));
      expect([pool.usedSpace, l.cachedFiles().length]).toEqual([900, 1]);
      await using none = await l.open({ capacityBytes: 0 }, "two", "other");
      expect([none.usageRatio, none.usedSpace, none.capacity]).toEqual([0, 0, 0]);
      expect(await failure(none.upload("x"))).toMatchObject({ code: "too-large" });
    });

    test("CM12 the smallest sufficient file goes first, else the largest; queued files never go", async () => {
      await using l = await lab(places);
      const pool = await l.open({ capacityBytes: 1000, copies: 1 });
      const [small, middle, large] = [await pool.upload(bytes("s", 100)), await pool.upload(bytes("m", 200)), await pool.upload(bytes("l", 400))];
      await pool.sync();
      const queued = await pool.upload(bytes("q", 190));
      const there = async (): Promise<boolean[]> => Promise.all([small, middle, large, queued].map((hash) => pool.onCache(hash)));
      // 890 used of 900: 60 are needed.
      await pool.upload(bytes("a", 70));
      expect(await there()).toEqual([false, true, true, true]);
      // 860 used: 310 are needed.
      await pool.upload(bytes("b", 350));
      expect(await there()).toEqual([false, true, false, true]);
      // 810 used, 200 of them clean: 300 are needed and cannot be had, so that nothing leaves.
      expect(await failure(pool.upload(bytes("c", 390)))).toMatchObject({ code: "no-room" });
      expect(await there()).toEqual([false, true, false, true]);
      await pool.sync();
      // Clean now: 70, 190, 200, 350. 450 are needed: none is enough, so the largest goes, and then the smallest that is.
      await pool.upload(bytes("d", 540));
      expect(await there()).toEqual([false, true, false, false]);
    });

    test("CM12 by option the one not used for longest goes first", async () => {
      await using l = await lab(places);
      const pool = await l.open({ capacityBytes: 1000, copies: 1, eviction: "lru" });
      const hashes: string[] = [];
      for (const name of ["x", "y", "z"]) {
        hashes.push(await pool.upload(bytes(name, 300)));
        await l.clock.advance(10);
      }
      await pool.sync();
      await pool.warmUp(hashes[0] as string);
      await pool.upload(bytes("new", 100));
      expect(await Promise.all(hashes.map((hash) => pool.onCache(hash)))).toEqual([true, false, true]);
    });

    test("CM14 two files of one name coexist, even with the same first digits; awkward names are kept apart from paths", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const [one, two] = twins();
      const hashes = [
        await pool.upload(one, { name: "same.txt" }),
        await pool.upload(two, { name: "same.txt" }),
        await pool.upload("third", { name: "same.txt" }),
      ];
      expect(l.cachedFiles()).toHaveLength(3);
      expect(await Promise.all(hashes.map(async (hash) => readFileSync(await pool.warmUp(hash), "utf8")))).toEqual([one, two, "third"]);
      for (const name of ["../../etc/passwd", "..", "a\0b", "/", "x".repeat(400), "ä".repeat(200), "\ud800"]) {
        const hash = await pool.upload(Buffer.from(`named ${name}`), { name });
        expect(readFileSync(await pool.warmUp(hash), "utf8")).toBe(Buffer.from(`named ${name}`).toString());
      }
      expect(l.cachedFiles()).toHaveLength(10);
      await pool.sync();
      await pool.close();
      const again = await l.open();
      expect(again.opened).toEqual({ adopted: [], missing: [] });
    });
  });

  describe(`copies of a pool on ${kind}`, () => {
    test("CM4 verify probes every copy, repair restores the number from a living one; a host that is down says nothing about its copies", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hashes = [await pool.upload(bytes("one", 3000)), await pool.upload(bytes("two", 3000))];
      await pool.sync();
      await pool.upload(bytes("push out", 9000));
      await pool.sync();
      expect(await pool.verify()).toMatchObject({ copies: 6, alive: 6, dead: 0, damaged: 0, unknown: 0, short: [], lost: [] });
      const [first, second] = await hostsWith(l, hashes[0] as string);
      await first?.base.delete(await first.pathOf(hashes[0] as string));
      const [other] = await hostsWith(l, hashes[1] as string);
      const wrong = Buffer.from(bytes("two", 3000));
      wrong[1000] = 0;
      await other?.base.write(await other.pathOf(hashes[1] as string), wrong);
      expect(await pool.verify()).toMatchObject({ copies: 6, alive: 5, dead: 1, damaged: 0, short: [hashes[0]] });
      (second as LabHost).fault = down;
      expect(await pool.verify()).toMatchObject({ dead: 1, lost: [], short: [hashes[0]] });
      (second as LabHost).fault = undefined;
      expect(await pool.verify({ deep: true })).toMatchObject({ dead: 1, damaged: 1, unknown: 0, short: hashes, lost: [] });
      // What was found damaged is not believed again for its size.
      expect(await pool.verify()).toMatchObject({ alive: 4, dead: 1, damaged: 1 });
      expect(await pool.repair()).toEqual({ short: 2, repaired: 2, copies: 2, elsewhere: 0, failed: [] });
      await pool.collect();
      expect(await pool.verify({ deep: true })).toMatchObject({ copies: 6, alive: 6, short: [] });
      expect(await copies(l)).toBe(6);
      // Both dead, and nothing in the cache.
      await pool.upload(bytes("push out again", 9000));
      for (const host of await hostsWith(l, hashes[0] as string)) await host.base.delete(await host.pathOf(hashes[0] as string));
      expect(await pool.verify()).toMatchObject({ dead: 2, lost: [hashes[0]] });
      await pool.sync();
      expect((await pool.repair()).failed).toMatchObject([{ hash: hashes[0], error: { code: "sources-failed" } }]);
      // Whoever has the bytes heals it.
      await pool.upload(bytes("one", 3000));
      await pool.sync();
      expect(await pool.verify()).toMatchObject({ lost: [], short: [] });
    });

    test("CM12 a file whose copies died is held in the cache until it has others", async () => {
      await using l = await lab(places);
      const pool = await l.open({ capacityBytes: 1000 });
      const hash = await pool.upload(bytes("k", 500));
      await pool.sync();
      for (const host of await hostsWith(l, hash)) await host.base.delete(await host.pathOf(hash));
      expect(await pool.verify()).toMatchObject({ dead: 2, lost: [], short: [hash] });
      expect((await pool.queues()).upload).toEqual({ files: 1, bytes: 500 });
      expect(await failure(pool.upload(bytes("other", 500)))).toMatchObject({ code: "no-room" });
      expect(await pool.sync()).toMatchObject({ complete: 1, copies: 2 });
      await pool.upload(bytes("other", 500));
      expect(await pool.onCache(hash)).toBe(false);
    });

    test("a host is drained, its files get copies elsewhere, and it is retired; one that is needed is not", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hashes = [];
      for (let n = 0; n < 4; n++) hashes.push(await pool.upload(`file ${n}`));
      await pool.sync();
      const a = l.hosts["a"] as LabHost;
      const at = (await a.files()).length;
      expect(at).toBeGreaterThan(0);
      expect(await failure(pool.retire("nobody"))).toMatchObject({ code: "unknown-host" });
      expect(await failure(pool.retire("a"))).toMatchObject({ code: "host-in-use" });
      await pool.drain("a");
      expect(await pool.repair()).toMatchObject({ short: at, repaired: at, failed: [] });
      expect(await pool.retire("a")).toBe(at);
      expect(await pool.collect()).toMatchObject({ deleted: at, failures: [] });
      expect(await a.files()).toEqual([]);
      await pool.upload("after");
      await pool.sync();
      expect(await a.files()).toEqual([]);
      expect((await pool.hosts()).find(({ name }) => name === "a")).toMatchObject({ state: "retired", copies: 0 });
      // Gone for good: nothing is asked of it.
      await pool.activate("a");
      await pool.drain("b");
      await pool.repair();
      (l.hosts["b"] as LabHost).fault = down;
      await pool.retire("b", { abandon: true });
      expect(await pool.collect()).toMatchObject({ deleted: 0, failures: [] });
      for (const hash of hashes) expect(await hostsWith(l, hash)).toContain(a);
    });

    test("one host dies for good: files stay readable, repair restores the copies, a second node loads the dump and downloads everything", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const texts = Array.from({ length: 12 }, (_, n) => bytes(`file ${n}`, 700 + n));
      for (const text of texts) {
        await pool.upload(text);
        await pool.sync();
      }
      (l.hosts["b"] as LabHost).fault = down;
      for (const text of texts) expect(readFileSync(await pool.warmUp(sha(text)))).toEqual(text);
      await pool.drain("b");
      const report = await pool.repair();
      expect([report.repaired, report.failed]).toEqual([report.short, []]);
      await pool.retire("b", { abandon: true });
      expect(await pool.verify({ deep: true })).toMatchObject({ copies: 24, alive: 24, short: [], lost: [] });
      const second = await l.open({}, "two", "second");
      await second.load((await pool.dump()) as string);
      for (const [n, text] of texts.entries()) {
        await second.download(sha(text), join(l.base, `out${n}`));
        expect(readFileSync(join(l.base, `out${n}`))).toEqual(text);
      }
    });
  });

  test(`repair on ${kind} does what has no room beside another afterwards, alone`, async () => {
    await using l = await lab(places);
    const one = await l.open();
    const texts = [bytes("first", 600), bytes("second", 610), bytes("third", 620)];
    for (const text of texts) await one.upload(text);
    await one.sync();
    // Room for one of them; all three are sent at once.
    const two = await l.open({ capacityBytes: 1000 }, "two", "other");
    await two.load((await one.dump()) as string);
    for (const text of texts) {
      const [first] = await hostsWith(l, sha(text));
      await first?.base.delete(await first.pathOf(sha(text)));
    }
    await two.verify();
    expect(await two.repair()).toMatchObject({ short: 3, repaired: 3, copies: 3, failed: [] });
    expect(await two.verify({ deep: true })).toMatchObject({ alive: 6, short: [] });
    expect(two.usedSpace).toBeLessThanOrEqual(900);
  });

  describe(`files too large for the cache of a pool on ${kind}`, () => {
    const large = bytes("large", 5000);
    const hash = sha(large);
    /** A node whose cache can hold 900 bytes knows of the file by a dump; one of its two copies is gone, and noticed. */
    async function short(l: Lab): Promise<Pool> {
      const one = await l.open();
      await one.upload(large);
      await one.sync();
      const two = await l.open({ capacityBytes: 1000 }, "two", "other");
      await two.load((await one.dump()) as string);
      await one.close();
      const [first] = await hostsWith(l, hash);
      await first?.base.delete(await first.pathOf(hash));
      expect(await two.verify()).toMatchObject({ alive: 1, dead: 1, short: [hash], lost: [] });
      return two;
    }
    const leftovers = (l: Lab): string[] => ["files", "incoming"].flatMap((name) => readdirSync(join(l.base, "nodes", "two", name)));

    test("repair takes them from host to host, past the cache, and what was cached stays", async () => {
      await using l = await lab(places);
      const pool = await short(l);
      const small = await pool.upload(bytes("small", 800));
      await pool.sync();
      expect(await pool.repair()).toMatchObject({ short: 1, repaired: 1, copies: 1, failed: [] });
      expect([pool.usedSpace, await pool.onCache(small), await pool.onCache(hash)]).toEqual([800, true, false]);
      expect(leftovers(l)).toHaveLength(1);
      expect(await pool.verify({ deep: true })).toMatchObject({ copies: 4, alive: 4, short: [] });
      expect(await hostsWith(l, hash)).toHaveLength(2);
      expect(await failure(pool.warmUp(hash))).toMatchObject({ code: "no-room" });
      // It is read by who has a larger cache.
      const wide = await l.open({}, "three", "third");
      await wide.load((await pool.dump()) as string);
      await wide.download(hash, join(l.base, "out"));
      expect(readFileSync(join(l.base, "out"))).toEqual(large);
    });

    test("a source with other bytes makes no copy, and nothing stays on the disk", async () => {
      await using l = await lab(places);
      const pool = await short(l);
      const [last] = await hostsWith(l, hash);
      await last?.base.write(await last.pathOf(hash), bytes("wrong", 5000));
      const before = await copies(l);
      expect(await pool.repair()).toMatchObject({ short: 1, repaired: 0, copies: 0, failed: [{ hash, error: { code: "sources-failed" } }] });
      expect([await copies(l), leftovers(l)]).toEqual([before, []]);
    });

    test("a disk that has not the room is asked first: nothing is fetched", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const size = 2 ** 52;
      const entry = { version: "0.2", filename: "1234567_x", filesize: size, filehash: hash, datetime: "1", uploads: [{ host_name: "a", url: `/${hash}` }] };
      await pool.load(JSON.stringify([entry]));
      const a = l.hosts["a"] as LabHost;
      const reads = (): number => a.calls.filter((call) => call === "read").length;
      expect(await pool.repair()).toMatchObject({ short: 1, repaired: 0, failed: [{ hash, error: { code: "no-room" } }] });
      expect(reads()).toBe(0);
    });
  });

  describe(`removal from a pool on ${kind}`, () => {
    test("a removed file is unknown at once, comes back with its bytes within the grace, and goes after it", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hash = await pool.upload("body");
      await pool.sync();
      await pool.remove(hash);
      expect([await pool.exists(hash), await pool.onCache(hash), await pool.info(hash)]).toEqual([false, false, null]);
      for (const call of [pool.warmUp(hash), pool.remove(hash)]) expect(await failure(call)).toMatchObject({ code: "unknown-hash" });
      await l.clock.advance(86_400_000 - 1);
      expect(await pool.collect()).toMatchObject({ collected: [], deleted: 0 });
      expect(await copies(l)).toBe(2);
      expect(await pool.upload("body")).toBe(hash);
      await l.clock.advance(86_400_000);
      expect(await pool.collect()).toMatchObject({ collected: [] });
      expect(readFileSync(await pool.warmUp(hash), "utf8")).toBe("body");
      await pool.remove(hash);
      await l.clock.advance(86_400_000);
      expect(await pool.collect()).toEqual({ collected: [hash], busy: 0, deleted: 2, failures: [] });
      expect([await copies(l), l.cachedFiles(), pool.usedSpace]).toEqual([0, [], 0]);
      expect(await pool.upload("body")).toBe(hash);
      await pool.sync();
      expect(await copies(l)).toBe(2);
    });

    test("a host that is down keeps its objects until it is back; every failure is told", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hash = await pool.upload("body");
      await pool.sync();
      const [host] = await hostsWith(l, hash);
      (host as LabHost).fault = (call) => (call.operation === "delete" ? down() : undefined);
      await pool.remove(hash);
      expect(await pool.collect({ graceMs: 0 })).toMatchObject({ collected: [hash], deleted: 1, failures: [{ error: { code: "unavailable" } }] });
      expect(await copies(l)).toBe(1);
      (host as LabHost).fault = undefined;
      expect(await pool.collect({ graceMs: 0 })).toMatchObject({ deleted: 0, failures: [] });
      await l.clock.advance(60_000);
      expect(await pool.collect({ graceMs: 0 })).toMatchObject({ deleted: 1 });
      expect(await copies(l)).toBe(0);
    });

    test("uploads of the same bytes while they are collected never lose them", async () => {
      await using l = await lab(places);
      const pool = await l.open({ maxTransfers: 2 });
      const texts = Array.from({ length: 6 }, (_, n) => `racing ${n}`);
      for (let round = 0; round < 6; round++) {
        await Promise.all(texts.map((text) => pool.upload(text)));
        await pool.sync();
        for (const text of texts) await pool.remove(sha(text));
        const uploads = texts.map(async (text, n) => {
          for (let wait = 0; wait < n * 2 + round; wait++) await new Promise((done) => setImmediate(done));
          return await pool.upload(text);
        });
        const [collected] = await Promise.all([pool.collect({ graceMs: 0 }), ...uploads, pool.sync()]);
        expect(collected.failures).toEqual([]);
        await pool.sync();
        for (const text of texts) expect(readFileSync(await pool.warmUp(sha(text)), "utf8")).toBe(text);
        expect(await pool.verify({ deep: true })).toMatchObject({ copies: 12, alive: 12, short: [], lost: [] });
      }
      await l.clock.advance(200_000);
      await pool.collect();
      expect(await copies(l)).toBe(12);
    });

    test("a lost answer to an upload leaves nothing behind: what may be there is deleted when it can no longer land", async () => {
      await using l = await lab(places);
      const pool = await l.open({ copies: 1 });
      for (const host of Object.values(l.hosts)) host.fault = (call) => (call.operation === "write" ? { when: "after", code: "unavailable" } : undefined);
      const hash = await pool.upload("body");
      expect(await pool.sync()).toMatchObject({ complete: 0, short: [{ hash, copies: 0 }] });
      expect(await copies(l)).toBe(3);
      for (const host of Object.values(l.hosts)) host.fault = undefined;
      expect(await pool.sync()).toMatchObject({ complete: 1 });
      expect(await copies(l)).toBe(4);
      await l.clock.advance(120_000);
      expect(await pool.collect()).toMatchObject({ deleted: 3, failures: [] });
      expect((await pool.info(hash))?.uploads).toMatchObject([{ state: "stored" }]);
      expect(readFileSync(await pool.warmUp(hash), "utf8")).toBe("body");
    });
  });

  describe(`the directory of a pool on ${kind}`, () => {
    test("is one pool's at a time, of one catalogue, and of no other program", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      await pool.upload("waits");
      expect(await failure(l.open())).toMatchObject({ code: "conflict" });
      await pool.close();
      expect(await failure(l.open({}, "one", "another"))).toMatchObject({ code: "config", message: expect.stringMatching(/another catalogue/) });
      const foreign = join(l.base, "foreign");
      rmSync(foreign, { recursive: true, force: true });
      await (await import("node:fs/promises")).mkdir(foreign);
      writeFileSync(join(foreign, "letter.txt"), "mine");
      expect(await failure(l.open({ directory: foreign }))).toMatchObject({ code: "config" });
      expect(readFileSync(join(foreign, "letter.txt"), "utf8")).toBe("mine");
      expect((await (await l.open()).queues()).upload.files).toBe(1);
    });

    test("wrong options are config, and close what they were given", async () => {
      await using l = await lab(places);
      for (const options of [
        { copies: 4 },
        { copies: 0 },
        { capacityBytes: -1 },
        { hosts: {} },
        { eviction: "fifo" as "lru" },
        { maxTransfers: 0 },
        { directory: "" },
        { wrong: 1 } as object,
      ])
        expect(await failure(l.open(options)), JSON.stringify(options)).toMatchObject({ code: "config" });
      const catalogue = l.catalogueOf("closed");
      expect(await failure(Pool.open({ catalogue, directory: "", capacityBytes: 1, hosts: {} }))).toMatchObject({ code: "config" });
      expect(await failure(catalogue.query("select 1"))).toMatchObject({ code: "closed" });
    });

    test("what lies there without a row is taken in, what never became whole is swept", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      await pool.close();
      writeFileSync(join(l.base, "nodes/one/incoming/7"), "half of a");
      writeFileSync(join(l.base, `nodes/one/files/${sha("whole").slice(0, 7)}_w.txt`), "whole");
      const again = await l.open();
      expect(again.opened).toEqual({ adopted: [sha("whole")], missing: [] });
      expect(await again.info(sha("whole"))).toMatchObject({ name: "w.txt", queued: true, cached: true });
      expect(again.usedSpace).toBe(5);
      expect(await again.sync()).toMatchObject({ complete: 1 });
    });
  });
}
