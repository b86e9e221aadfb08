/** How far long work of a pool is, the same on both databases. */
import { describe, expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { borrow } from "../../src/store/index.ts";
import { listener } from "../catalogue/progress.ts";
import { bytes, down, lab, sha } from "./lab.ts";
import type { Places } from "./lab.ts";

export function progressTests(kind: string, places?: Places): void {
  test(`long work of a pool on ${kind} tells how far it is, to its end`, async () => {
    await using l = await lab(places);
    await using backupStore = memory();
    const pool = await l.open({ backupStore: borrow(backupStore) });
    for (let n = 1; n <= 3; n++) await pool.upload(bytes(`file ${n}`, n * 100));
    const heard = async (work: (onProgress: ReturnType<typeof listener>["onProgress"]) => Promise<unknown>): Promise<object> => {
      const { onProgress, last } = listener();
      await work(onProgress);
      return last();
    };
    expect(await heard((onProgress) => pool.sync({ onProgress }))).toEqual({ done: 3, total: 3, bytes: 600, totalBytes: 600 });
    expect(await heard((onProgress) => pool.verify({ onProgress }))).toEqual({ done: 3, total: 3, bytes: 0, totalBytes: null });
    expect(await heard((onProgress) => pool.verify({ onProgress, deep: true }))).toEqual({ done: 3, total: 3, bytes: 600, totalBytes: 600 });
    await pool.drain("a");
    const { short } = await pool.verify();
    const sizes = [1, 2, 3].filter((n) => short.includes(sha(bytes(`file ${n}`, n * 100)))).reduce((sum, n) => sum + n * 100, 0);
    expect(await heard((onProgress) => pool.repair({ onProgress }))).toEqual({ done: 3, total: 3, bytes: sizes, totalBytes: null });
    const report = await pool.backup();
    const rows = Object.values(report.tables).reduce((sum, count) => sum + count, 0);
    const told = await heard((onProgress) => pool.backup({ onProgress }));
    expect(told).toEqual({ done: rows, total: rows, bytes: expect.any(Number), totalBytes: (await pool.backups())[0]?.size });
    await pool.remove(sha(bytes("file 1", 100)));
    const collected = await heard((onProgress) => pool.collect({ graceMs: 0, onProgress }));
    expect(collected).toMatchObject({ done: expect.any(Number), bytes: 0, totalBytes: null });
    expect((collected as { done: number; total: number }).done).toBe((collected as { total: number }).total);
    // What fails was looked after too.
    await pool.upload("one more");
    for (const host of Object.values(l.hosts)) host.fault = down;
    expect(await heard((onProgress) => pool.sync({ onProgress }))).toEqual({ done: 1, total: 1, bytes: 8, totalBytes: 8 });
  });

  describe(`progress of a pool on ${kind}`, () => {
    test("what is no function is refused, and nothing is done", async () => {
      await using l = await lab(places);
      const pool = await l.open();
      await pool.upload("x");
      await expect(pool.sync({ onProgress: "loud" as never })).rejects.toThrow(TypeError);
      expect((await pool.queues()).upload.files).toBe(1);
    });
  });
}
