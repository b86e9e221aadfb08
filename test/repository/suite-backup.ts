/** Backups of the catalogue in the life of a repository, the same for both databases. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { Repository } from "../../src/repository/index.ts";
import type { RepositoryOptions } from "../../src/repository/index.ts";
import { borrow, layer, readBytes, stack, uniform } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { added, failure, lab, published } from "./lab.ts";
import type { Lab, Places } from "./lab.ts";

/** Another machine, or this one, with a new catalogue over the same stores. */
export function restored(
  l: Lab,
  backupStore: Store,
  host = "one",
  catalogue = "restored",
  more: Partial<RepositoryOptions> = {},
  how: Parameters<typeof Repository.restore>[1] = {},
): Promise<Repository> {
  const options: RepositoryOptions = {
    catalogue: l.catalogueOf(catalogue),
    store: borrow(l.main.store),
    buckets: { other: borrow(l.other.store) },
    backupStore: borrow(backupStore),
    directory: join(l.base, "hosts", host),
    host,
    clock: l.clock,
    ...more,
  };
  return Repository.restore(options, how);
}

export function backupTests(kind: string, places?: Places): void {
  describe(`backups of a repository on ${kind}`, () => {
    test("S3R25 S3R26 a backup is one compressed object and a row; after the catalogue is lost all is as it was, on a new host too", async () => {
      await using l = await lab(places);
      await using backupStore = memory();
      const repo = await l.create({ backupStore: borrow(backupStore) });
      const first = await published(repo, "/a/b.txt", "one");
      const second = await published(repo, "/a/b.txt", "two");
      const draft = await added(repo, "/draft.gz", "not yet");
      await repo.tagFile(first, "old", "x");
      await repo.tagPath("/a/b.txt", "p");
      await repo.expire(first);
      const before = [await repo.find(), await repo.versions("/a/b.txt"), await repo.tags(first), await repo.tags(second)];
      const report = await repo.backup();
      const all = await repo.backups();
      expect(all).toMatchObject([{ name: report.name, size: report.size }]);
      expect([...(await readBytes(backupStore, report.path))].slice(0, 2)).toEqual([0x1f, 0x8b]);
      await repo.close();

      await using again = await restored(l, backupStore);
      expect([await again.find(), await again.versions("/a/b.txt"), await again.tags(first), await again.tags(second)]).toEqual(before);
      expect(again.opened).toEqual({ missing: [], adopted: [], orphans: [] });
      expect(await again.text(draft)).toBe("not yet");
      expect(await again.verify({ deep: true })).toMatchObject({ objects: 2, good: 2 });
      expect(await added(again, "/next", "x")).toBeGreaterThan(draft);
      await again.close();
      expect(await failure(restored(l, backupStore, "two"))).toMatchObject({ name: "BackupError", code: "not-empty" });
      await using empty = memory();
      expect(await failure(restored(l, empty, "three", "third"))).toMatchObject({ name: "BackupError", code: "no-backup" });
      await using other = await restored(l, backupStore, "two", "second");
      expect(await other.text(second)).toBe("two");
    });

    test("S3R27 S3R20 rotation keeps the set number; an expired object goes only after the backups that are wanted", async () => {
      await using l = await lab(places);
      await using backupStore = memory();
      const repo = await l.create({ backupStore: borrow(backupStore), backupsBeforeDelete: 2 });
      const id = await published(repo, "/f", "bytes");
      await repo.unlink(id);
      await repo.backup({ keep: 2 });
      await repo.expire(id);
      const collect = async (): Promise<number> => (await repo.collect({ graceMs: 0 }), await repo.collect({ graceMs: 0 }), (await l.main.objects()).length);
      expect(await collect()).toBe(1);
      await repo.backup({ keep: 2 });
      expect(await collect()).toBe(1);
      await repo.backup({ keep: 2 });
      expect(await collect()).toBe(0);
      for (let n = 0; n < 3; n++) {
        await repo.backup({ keep: 2 });
        expect(await repo.backups()).toHaveLength(2);
      }
    });

    test("S3R25 without a backup store, offline, or where the store fails there is no backup, and none counts", async () => {
      await using l = await lab(places);
      const repo = await l.create({ backupsBeforeDelete: 1 });
      const id = await published(repo, "/f", "bytes");
      await repo.unlink(id);
      await repo.expire(id);
      expect(await failure(repo.backup())).toMatchObject({ code: "config" });
      await repo.close();
      const failing = await l.open({ backupStore: borrow(l.other.store), buckets: {} });
      l.other.fault = ({ operation }) => (operation === "write" ? { code: "unavailable" } : undefined);
      expect(await failure(failing.backup())).toMatchObject({ code: "unavailable" });
      await failing.collect({ graceMs: 0 });
      await failing.collect({ graceMs: 0 });
      expect(await l.main.objects()).toHaveLength(1);
      await failing.close();
      const offline = await l.open({ backupStore: borrow(l.other.store), buckets: {}, offline: true });
      expect(await failure(offline.backup())).toMatchObject({ code: "offline" });
      expect(await failure(offline.unknownObjects())).toMatchObject({ code: "offline" });
    });

    test("S3R28 what was added after the backup is listed, and goes on request alone", async () => {
      await using l = await lab(places);
      // The bucket is the backup store as well.
      const backupStore = l.main.store;
      const repo = await l.create({ backupStore: borrow(backupStore) });
      await published(repo, "/kept", "kept");
      await repo.backup();
      await published(repo, "/later", "later bytes");
      const other = await repo.addFile("/later too", { bucket: "other" });
      await repo.write(other, "more");
      await repo.publish(other);
      expect(await repo.unknownObjects()).toEqual([]);
      await repo.close();
      await using again = await restored(l, backupStore);
      const unknown = await again.unknownObjects();
      expect(unknown).toMatchObject([
        { bucket: "main", size: 11 },
        { bucket: "other", size: 4 },
      ]);
      await again.collect({ graceMs: 0 });
      expect(await again.unknownObjects()).toEqual(unknown);
      const kept = (await l.main.objects()).find((path) => path.includes("kept")) as string;
      const [backup] = await again.backups();
      const given = [...unknown, { bucket: "main", path: kept }, { bucket: "main", path: backup?.path as string }];
      expect(await again.removeUnknownObjects(given)).toEqual({ removed: 2, known: 2, failures: [] });
      expect(await again.unknownObjects()).toEqual([]);
      expect(await again.verify({ deep: true })).toMatchObject({ objects: 1, good: 1 });
    });

    test("what was under way when the backup was made is neither lost nor deleted by a guess", async () => {
      await using l = await lab(places);
      await using backupStore = memory();
      let during: (() => Promise<unknown>) | undefined;
      const gate = layer("gate", (inner) => ({
        backend: uniform(inner, {
          around: async (call, next) => {
            if (call.operation === "write") await during?.();
            return await next(call);
          },
        }),
        identity: () => "gate:1",
      }));
      const repo = await l.create({ store: stack(borrow(l.main.store), gate), backupStore: borrow(backupStore) });
      const slow = await added(repo, "/slow", "sent while the backup is made");
      const expired = await published(repo, "/expired", "published again later");
      await repo.expire(expired);
      const transaction = repo.begin();
      const pending = await transaction.addLocalFile("/pending", l.source("committed later"));
      await transaction.publish(pending);
      // Between the row of the object and the object.
      during = async () => {
        during = undefined;
        await repo.backup();
      };
      await repo.publish(slow);
      await transaction.commit();
      await repo.publish(expired);
      const bytes = await l.main.objects();
      for (const id of [slow, expired, pending]) await repo.unlink(id);
      await repo.close();
      rmSync(join(l.base, "hosts", "one"), { recursive: true });

      await using again = await restored(l, backupStore, "two");
      // It counts, until somebody looked.
      expect((await again.info(slow)).uploadedMs).not.toBeNull();
      expect(await again.text(slow)).toBe("sent while the backup is made");
      expect(await again.text(expired)).toBe("published again later");
      await l.clock.advance(30 * 86_400_000);
      for (let n = 0; n < 2; n++) await again.collect();
      expect(await l.main.objects()).toEqual(bytes);
      expect((await again.unknownObjects()).map(({ path }) => path)).toEqual(bytes.filter((path) => path.includes("pending")));
      expect(await again.verify({ deep: true })).toMatchObject({ missing: [], wrong: [] });
    });
  });
}
