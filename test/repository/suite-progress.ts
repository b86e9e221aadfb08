/** How far long work of a repository is, the same on both databases. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { borrow } from "../../src/store/index.ts";
import { listener } from "../catalogue/progress.ts";
import { lab, published } from "./lab.ts";
import type { Places } from "./lab.ts";
import { restored } from "./suite-backup.ts";

export function progressTests(kind: string, places?: Places): void {
  test(`long work of a repository on ${kind} tells how far it is, to its end`, async () => {
    await using l = await lab(places);
    await using backupStore = memory();
    const repo = await l.create({ backupStore: borrow(backupStore), backupsBeforeDelete: 0 });
    const ids: number[] = [];
    for (let n = 0; n < 3; n++) ids.push(await published(repo, `/f${n}`, "0123456789"));
    const heard = async (work: (onProgress: ReturnType<typeof listener>["onProgress"]) => Promise<unknown>): Promise<object> => {
      const { onProgress, last } = listener();
      await work(onProgress);
      return last();
    };
    expect(await heard((onProgress) => repo.verify({ onProgress }))).toEqual({ done: 3, total: 3, bytes: 0, totalBytes: null });
    const [object = ""] = await l.main.objects();
    await l.main.base.delete(object);
    expect(await heard((onProgress) => repo.verify({ onProgress, deep: true }))).toEqual({ done: 3, total: 3, bytes: 30, totalBytes: 30 });
    expect(await heard((onProgress) => repo.repair({ onProgress }))).toEqual({ done: 1, total: 1, bytes: 10, totalBytes: 10 });
    const { tables } = await repo.backup();
    const rows = Object.values(tables).reduce((sum, count) => sum + count, 0);
    // The row of the first one is in it.
    expect(await heard((onProgress) => repo.backup({ onProgress }))).toMatchObject({
      done: rows + 1,
      total: rows + 1,
      totalBytes: (await repo.backups())[0]?.size,
    });
    for (const id of ids.slice(0, 2)) {
      await repo.expire(id);
      await repo.unlink(id);
    }
    await repo.collect();
    const collected = await heard((onProgress) => repo.maintainDatabase({ graceMs: 0, onProgress }));
    // Two files, then their objects and the one that the repair replaced.
    expect(collected).toMatchObject({ done: 4, total: 4 });
    await repo.close();
    const { onProgress, last } = listener();
    await (await restored(l, backupStore, "one", "restored", {}, { onProgress })).close();
    expect(last()).toEqual({ done: rows + 1, total: rows + 1, bytes: 0, totalBytes: null });
  });
}
