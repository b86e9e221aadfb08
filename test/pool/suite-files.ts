/** Files in, out and between: the same on both databases. */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytes, down, failure, lab, sha } from "./lab.ts";
import type { Places } from "./lab.ts";

export function fileTests(kind: string, places?: Places): void {
  describe(`files of a pool on ${kind}`, () => {
    test("CM1 CM2 CM17 equal bytes are one record; upload gives the SHA-256, also for a known file and for twenty at once", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const path = join(l.base, "talk.txt");
      writeFileSync(path, "hello");
      const hash = sha("hello");
      expect(await pool.uploadFile(path)).toBe(hash);
      expect(await pool.uploadFile(path)).toBe(hash);
      expect(await pool.upload("hello", { name: "other.txt" })).toBe(hash);
      expect(
        await pool.upload(
          (async function* () {
            yield Buffer.from("hel");
            yield Buffer.from("lo");
          })(),
        ),
      ).toBe(hash);
      expect(new Set(await Promise.all(Array.from({ length: 20 }, () => pool.upload("twenty"))))).toEqual(new Set([sha("twenty")]));
      expect((await pool.queues()).upload).toEqual({ files: 2, bytes: 11 });
      expect(l.cachedFiles().sort()).toEqual([`${hash.slice(0, 7)}_talk.txt`, `${sha("twenty").slice(0, 7)}_${sha("twenty").slice(0, 10)}`].sort());
      expect(pool.usedSpace).toBe(11);
      expect(await pool.upload("")).toBe(sha(""));
    });

    test("CM3 CM4 CM24 upload asks no host, sync sends to as many as are wanted, and the queues say what waits", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hash = await pool.upload("content", { name: "a.txt" });
      for (const host of Object.values(l.hosts)) expect(host.calls).toEqual([]);
      expect(await pool.queues()).toEqual({ upload: { files: 1, bytes: 7 }, export: { files: 1, bytes: 7 } });
      const status = await pool.syncStatus();
      expect(status.upload).toEqual([{ hash, name: "a.txt", size: 7, createdMs: l.clock.now(), queued: true, cached: true, confirmed: null, uploads: [] }]);
      expect(status.export).toEqual(status.upload);
      expect(await pool.sync()).toEqual({ complete: 1, copies: 2, short: [], damaged: [], elsewhere: 0 });
      expect((await pool.queues()).upload).toEqual({ files: 0, bytes: 0 });
      const have = (await Promise.all(Object.values(l.hosts).map((host) => host.files()))).map(({ length }) => length);
      expect(have.sort()).toEqual([0, 1, 1]);
      expect(await pool.sync()).toMatchObject({ complete: 0, copies: 0 });
    });

    test("CM4 CM5 fewer successes leave the file queued, with none it is not evictable either; the next sync completes it", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hash = await pool.upload(bytes("kept", 5000));
      for (const host of Object.values(l.hosts)) host.fault = down;
      const failed = await pool.sync();
      expect(failed).toMatchObject({ complete: 0, copies: 0, short: [{ hash, copies: 0 }] });
      expect(failed.short[0]?.failures.map(({ host, error }) => [host, error.code]).sort()).toEqual([
        ["a", "unavailable"],
        ["b", "unavailable"],
        ["c", "unavailable"],
      ]);
      expect(await failure(pool.upload(bytes("more", 5000)))).toMatchObject({ name: "PoolError", code: "no-room", transient: true });
      expect(await pool.onCache(hash)).toBe(true);
      for (const name of ["b", "c"]) (l.hosts[name] as { fault: unknown }).fault = undefined;
      (l.hosts["b"] as { fault: unknown }).fault = down;
      expect(await pool.sync()).toMatchObject({ complete: 0, copies: 1, short: [{ hash, copies: 1 }] });
      expect((await pool.info(hash))?.queued).toBe(true);
      expect(await failure(pool.upload(bytes("more", 5000)))).toMatchObject({ code: "no-room" });
      (l.hosts["a"] as { fault: unknown }).fault = undefined;
      expect(await pool.sync()).toMatchObject({ complete: 1, copies: 1, short: [] });
      expect((await pool.info(hash))?.uploads.map(({ host, state }) => [host, state])).toEqual([
        ["c", "stored"],
        ["a", "stored"],
      ]);
      await pool.upload(bytes("more", 5000));
      expect(await pool.onCache(hash)).toBe(false);
    });

    test("CM4 hosts with the fewest errors come first, also after a restart", async () => {
      await using l = await lab(places);
      {
        await using pool = await l.open({ copies: 1 });
        (l.hosts["a"] as { fault: unknown }).fault = down;
        for (let n = 0; n < 2; n++) {
          await pool.upload(`n${n}`);
          expect(await pool.sync()).toMatchObject({ complete: 1 });
        }
        expect((await pool.hosts()).map(({ name, errors, lastError }) => [name, errors, lastError])).toEqual([
          ["a", 1, "unavailable"],
          ["b", 0, null],
          ["c", 0, null],
        ]);
      }
      (l.hosts["a"] as { fault: unknown }).fault = undefined;
      await using pool = await l.open({ copies: 1 });
      for (let n = 2; n < 6; n++) await pool.upload(`n${n}`);
      await pool.sync();
      expect(await l.hosts["a"]?.files()).toEqual([]);
      // A day later the failure weighs half, a month later nothing.
      await l.clock.advance(30 * 86_400_000);
      await pool.upload("later");
      await pool.sync();
      expect(await l.hosts["a"]?.files()).toHaveLength(1);
    });

    test("CM6 CM8 an evicted file comes back with the right hash; wrong bytes are refused and the next source is tried", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const body = bytes("wanted", 5000);
      const hash = await pool.upload(body, { name: "w.bin" });
      await pool.sync();
      expect([await pool.exists(hash), await pool.onCache(hash)]).toEqual([true, true]);
      await pool.upload(bytes("other", 5000));
      expect([await pool.exists(hash), await pool.onCache(hash)]).toEqual([true, false]);
      await pool.sync();
      const [first, second] = (await pool.info(hash))?.uploads.map(({ host }) => l.hosts[host]) ?? [];
      await first?.base.write(await first.pathOf(hash), bytes("wrong", 5000));
      const path = await pool.warmUp(hash);
      expect(readFileSync(path)).toEqual(body);
      expect(await pool.onCache(hash)).toBe(true);
      expect((await pool.info(hash))?.uploads.map(({ state }) => state)).toEqual(["dead", "stored"]);
      const target = join(l.base, "out.bin");
      await pool.download(hash, target);
      expect(readFileSync(target)).toEqual(body);
      // Larger, shorter and cut off are no better than wrong.
      for (const wrong of [bytes("long", 5001), bytes("short", 4999)]) {
        await second?.base.write(await second.pathOf(hash), wrong);
        rmSync(path, { force: true });
        expect(await failure(pool.warmUp(hash))).toMatchObject({
          code: "sources-failed",
          causes: [{ error: { code: "integrity" } }, { error: { code: "integrity" } }],
        });
        expect(l.cachedFiles().some((name) => name.startsWith(hash.slice(0, 7)))).toBe(false);
      }
      await second?.base.write(await second.pathOf(hash), body);
      expect(readFileSync(await pool.warmUp(hash))).toEqual(body);
    });

    test("CM7 unknown, not uploaded, no room and all sources dead are four distinct failures", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const unknown = await failure(pool.warmUp(sha("never seen")));
      const hash = await pool.upload(bytes("x", 5000));
      await pool.sync();
      // The bytes are gone from the cache, and never reached a host.
      const waiting = await pool.upload("waits");
      rmSync(join(l.base, "nodes/one/files", l.cachedFiles().find((name) => name.startsWith(waiting.slice(0, 7))) as string));
      await pool.close();
      const again = await l.open();
      expect(again.opened).toEqual({ adopted: [], missing: [waiting] });
      const notUploaded = await failure(again.warmUp(waiting));
      await again.upload(bytes("y", 8999));
      const noRoom = await failure(again.warmUp(hash));
      await again.sync();
      for (const host of Object.values(l.hosts)) host.fault = down;
      const dead = await failure(again.download(hash, join(l.base, "target")));
      expect([unknown, notUploaded, noRoom, dead].map(({ code, hash, transient }) => [code, hash, transient])).toEqual([
        ["unknown-hash", sha("never seen"), false],
        ["not-uploaded", waiting, true],
        ["no-room", hash, true],
        ["sources-failed", hash, true],
      ]);
      expect(dead.causes.map(({ error }) => error.code)).toEqual(["unavailable", "unavailable"]);
      expect(() => readFileSync(join(l.base, "target"))).toThrow(/ENOENT/);
    });

    test("a cached file that somebody changed is never given: it comes from a host, or the failure says so", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hash = await pool.upload("precious", { name: "p" });
      const file = join(l.base, "nodes/one/files", `${hash.slice(0, 7)}_p`);
      writeFileSync(file, "PRECIOUS");
      expect(await failure(pool.warmUp(hash))).toMatchObject({ code: "damaged" });
      const report = await pool.sync();
      expect(report).toMatchObject({ damaged: [hash], complete: 0 });
      for (const host of Object.values(l.hosts)) expect(await host.files()).toEqual([]);
      // Whoever has the bytes puts them in again.
      expect(await pool.upload("precious")).toBe(hash);
      expect(await pool.sync()).toMatchObject({ complete: 1, damaged: [] });
      writeFileSync(file, "PRECIOUS");
      expect(readFileSync(await pool.warmUp(hash), "utf8")).toBe("precious");
      expect(pool.usedSpace).toBe(8);
    });

    test("CM9 CM10 CM25 info, space and meters", async () => {
      await using l = await lab(places);
      const pool = await l.open({ capacityBytes: 1000 });
      const hash = await pool.upload(bytes("m", 100), { name: "dir/m.txt" });
      await pool.sync();
      expect(await pool.info(hash)).toMatchObject({
        hash,
        name: "m.txt",
        size: 100,
        createdMs: l.clock.now(),
        uploads: [{ state: "stored" }, { state: "stored" }],
      });
      expect(await pool.info(sha("no"))).toBeNull();
      expect([pool.capacity, pool.usedSpace, pool.usageRatio]).toEqual([1000, 100, 0.1]);
      expect(await pool.meters()).toEqual({ total: { uploaded: 200, downloaded: 0 }, month: { uploaded: 200, downloaded: 0 } });
      await l.clock.advance(31 * 86_400_000);
      expect(await pool.meters()).toEqual({ total: { uploaded: 200, downloaded: 0 }, month: { uploaded: 0, downloaded: 0 } });
      await pool.upload(bytes("n", 850));
      await pool.warmUp(hash).catch(() => {});
      await pool.sync();
      await pool.warmUp(hash);
      expect(await pool.meters()).toEqual({ total: { uploaded: 1900, downloaded: 100 }, month: { uploaded: 1700, downloaded: 100 } });
    });

    test("CM2 known content costs nothing: no room is asked for where it is full, and no host", async () => {
      await using l = await lab(places);
      const pool = await l.open({ capacityBytes: 1000 });
      const body = bytes("known", 600);
      await pool.upload(body);
      await pool.sync();
      await pool.upload(bytes("fills", 890));
      for (const host of Object.values(l.hosts)) host.calls.length = 0;
      const again = join(l.base, "again");
      writeFileSync(again, body);
      for (const upload of [() => pool.upload(body), () => pool.upload(new Blob([body])), () => pool.uploadFile(again)]) expect(await upload()).toBe(sha(body));
      expect([await pool.onCache(sha(body)), pool.usedSpace]).toEqual([false, 890]);
      for (const host of Object.values(l.hosts)) expect(host.calls).toEqual([]);
    });

    test("an aborted call says so and leaves nothing; bodies that fail or are spent are refused", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const abort = new AbortController();
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield bytes("slow", 100);
        abort.abort();
        yield bytes("slow", 100);
      }
      expect(await failure(pool.upload(slow(), { signal: abort.signal }))).toMatchObject({ name: "StoreError", code: "aborted" });
      for (const call of [() => pool.sync({ signal: abort.signal }), () => pool.verify({ signal: abort.signal })]) {
        await pool.upload("something");
        expect(await failure(call())).toMatchObject({ name: "StoreError", code: "aborted" });
      }
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield bytes("slow", 100);
        throw new Error("the source broke");
      }
      expect(await failure(pool.upload(broken()))).toMatchObject({ code: "bad-body" });
      expect(await failure(pool.uploadFile(join(l.base, "absent")))).toMatchObject({ code: "bad-body" });
      expect([l.cachedFiles().length, readdirSync(join(l.base, "nodes/one/incoming")), pool.usedSpace]).toEqual([1, [], 9]);
      await pool.upload(bytes("all of it", 8991));
    });

    test("CM26 the visited height is read back, also after a restart", async () => {
      await using l = await lab(places);
      {
        await using pool = await l.open();
        expect(await pool.visitedHeight()).toBe(0);
        await pool.visit(345_678);
        await expect(pool.visit(-1)).rejects.toThrow(TypeError);
      }
      expect(await (await l.open()).visitedHeight()).toBe(345_678);
    });

    test("a target that cannot be written is told by Node's own error, and nothing is left beside it", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hash = await pool.upload("body");
      await expect(pool.download(hash, join(l.base, "absent", "x"))).rejects.toMatchObject({ code: "ENOENT" });
      mkdirSync(join(l.base, "targets", "directory", "full"), { recursive: true });
      await expect(pool.download(hash, join(l.base, "targets", "directory"))).rejects.toMatchObject({ syscall: "rename" });
      expect(readdirSync(join(l.base, "targets"))).toEqual(["directory"]);
      writeFileSync(join(l.base, "targets", "file"), "old");
      await pool.download(hash, join(l.base, "targets", "file"));
      expect(readFileSync(join(l.base, "targets", "file"), "utf8")).toBe("body");
    });

    test("CM27 close ends what hangs: a body that never comes, a host that never answers; both go on the next time", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      const hash = await pool.upload("waits");
      for (const host of Object.values(l.hosts)) host.fault = (call) => (call.operation === "write" ? { hang: true } : undefined);
      const asked = Promise.withResolvers<void>();
      async function* stalled(): AsyncGenerator<Uint8Array> {
        yield bytes("x", 10);
        asked.resolve();
        await new Promise<never>(() => {});
      }
      const calls = [failure(pool.upload(stalled())), failure(pool.sync())];
      await asked.promise;
      await pool.close();
      for (const call of calls) expect((await call).code).toMatch(/^(aborted|closed)$/);
      for (const host of Object.values(l.hosts)) host.fault = undefined;
      const again = await l.open();
      expect(again.opened).toEqual({ adopted: [], missing: [] });
      expect(await again.sync()).toMatchObject({ complete: 1 });
      expect(readFileSync(await again.warmUp(hash), "utf8")).toBe("waits");
    });

    test("CM27 CM28 close ends everything: later calls reject, directory and hosts are free; parts are injected", async () => {
      await using l = await lab(places);
      {
        await using pool = await l.open();
        await pool.upload("x");
      }
      const pool = await l.open();
      await Promise.all([pool.close(), pool.close()]);
      for (const call of [
        () => pool.upload("y"),
        () => pool.sync(),
        () => pool.warmUp(sha("x")),
        () => pool.exists(sha("x")),
        () => pool.dump(),
        () => pool.collect(),
      ])
        expect(await failure(call())).toMatchObject({ code: "closed" });
      const own = l.hosts["a"]?.store;
      const other = await l.open({ hosts: { only: own as NonNullable<typeof own> }, copies: 1 });
      await other.close();
      expect(await failure((own as NonNullable<typeof own>).stat("/"))).toMatchObject({ code: "closed" });
    });
  });
}
