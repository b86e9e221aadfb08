/** Backups of the catalogue in the life of a pool, the same for both databases. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Pool } from "../../src/pool/index.ts";
import type { PoolOptions } from "../../src/pool/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { borrow } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { failure, lab, sha } from "./lab.ts";
import type { Lab, Places } from "./lab.ts";

function restored(l: Lab, backupStore: Store | undefined, node: string, catalogue: string, name?: string): Promise<Pool> {
  const options: PoolOptions = {
    catalogue: l.catalogueOf(catalogue),
    directory: join(l.base, "nodes", node),
    capacityBytes: 10_000,
    hosts: Object.fromEntries(Object.entries(l.hosts).map(([host, { store }]) => [host, borrow(store)])),
    copies: 2,
    backupStore: backupStore === undefined ? undefined : borrow(backupStore),
    clock: l.clock,
  };
  return Pool.restore(options, { name });
}

export function backupTests(kind: string, places?: Places): void {
  describe(`backups of a pool on ${kind}`, () => {
    test("a lost catalogue comes back by its newest backup, or by a named one, on a new node too", async () => {
      await using l = await lab(places);
      await using backupStore = memory();
      const pool = await l.open({ backupStore: borrow(backupStore) });
      await pool.upload("first");
      await pool.sync();
      const one = await pool.backup();
      await pool.upload("second");
      await pool.sync();
      const two = await pool.backup();
      expect((await pool.backups()).map(({ name }) => name)).toEqual([two.name, one.name]);
      expect(two.name).toMatch(/^pool\./);
      await pool.upload("third, and waiting");
      await pool.close();
      {
        await using again = await restored(l, backupStore, "one", "newest");
        expect(again.opened).toEqual({ adopted: [sha("third, and waiting")], missing: [] });
        for (const text of ["first", "second", "third, and waiting"]) expect(readFileSync(await again.warmUp(sha(text)), "utf8")).toBe(text);
        expect(await again.sync()).toMatchObject({ complete: 1 });
      }
      rmSync(join(l.base, "nodes", "one"), { recursive: true });
      await using old = await restored(l, backupStore, "two", "named", one.name);
      expect(readFileSync(await old.warmUp(sha("first")), "utf8")).toBe("first");
      expect(await old.exists(sha("second"))).toBe(false);
      expect(await old.backup({ keep: 1 })).toMatchObject({ removed: [two.name, one.name] });
    });

    test("into a catalogue with files, without a backup, without a backup store: refused, and nothing is changed", async () => {
      await using l = await lab(places);
      await using backupStore = memory();
      const pool = await l.open();
      const hash = await pool.upload("bytes");
      expect(await failure(pool.backup())).toMatchObject({ code: "config" });
      expect(await failure(pool.backups())).toMatchObject({ code: "config" });
      await pool.close();
      expect(await failure(restored(l, undefined, "two", "other"))).toMatchObject({ code: "config" });
      expect(await failure(restored(l, backupStore, "two", "other"))).toMatchObject({ name: "BackupError", code: "no-backup" });
      const again = await l.open({ backupStore: borrow(backupStore) });
      await again.backup();
      await again.close();
      expect(await failure(restored(l, backupStore, "two", "catalogue"))).toMatchObject({ name: "BackupError", code: "not-empty" });
      expect(await failure(restored(l, backupStore, "two", "other", "pool.nothing"))).toMatchObject({ name: "BackupError", code: "no-backup" });
      const last = await l.open();
      expect(readFileSync(await last.warmUp(hash), "utf8")).toBe("bytes");
    });
  });
}
