/** A pool over a catalogue that was put back from a backup. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sqliteCatalogue } from "../../src/catalogue/index.ts";
import { backupCatalogue, poolTables, restoreCatalogue } from "../../src/pool/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { bytes, down, lab, sha } from "./lab.ts";

test("the list of tables names all that the migrations make", async () => {
  await using l = await lab();
  await using db = sqliteCatalogue({ file: join(l.base, "names.db") });
  await db.migrate("pool", poolTables.migrations);
  const made = await db.query<{ readonly name: string }>("select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name");
  expect(poolTables.tables.map(({ name }) => name).toSorted()).toEqual(made.map(({ name }) => name).filter((name) => name !== "catalogue_migration"));
});

test("a lost catalogue comes back: nothing that was acknowledged is lost, whatever was under way then", async () => {
  await using l = await lab();
  await using elsewhere = memory();
  const pool = await l.open();
  const early = bytes("early", 300);
  const underway = bytes("under way", 3000);
  const removed = bytes("removed", 200);
  await pool.upload(early);
  await pool.upload(removed);
  await pool.sync();
  await pool.upload(underway);
  await pool.sync();
  await pool.remove(sha(removed));
  await pool.close();
  {
    await using db = l.catalogueOf();
    await db.migrate("pool", poolTables.migrations);
    // As a backup finds it while the file is being sent.
    await db.run("update copy set state = 0, node = (select id from node) where file = (select id from file where hash = ?)", sha(underway));
    await backupCatalogue({ catalogue: db, components: [poolTables], store: elsewhere });
    await db.run("update copy set state = 1, node = null where state = 0");
  }
  const later = await l.open();
  await l.clock.advance(2 * 86_400_000);
  await later.upload("later, and waiting");
  await later.upload(removed);
  await later.close();

  await using db = l.catalogueOf("restored");
  await restoreCatalogue({ catalogue: db, components: [poolTables], store: elsewhere, clock: l.clock });
  await db.close();
  const again = await l.open({}, "one", "restored");
  expect(again.opened).toMatchObject({ missing: [], adopted: [sha("later, and waiting")] });
  // Removed in the backup, put in again since: its grace began with the restore, and not long ago.
  expect((await again.collect()).collected).toEqual([]);
  await l.clock.advance(3 * 86_400_000);
  expect(await again.verify({ deep: true })).toMatchObject({ damaged: 0, lost: [] });
  await again.sync();
  expect(await again.verify({ deep: true })).toMatchObject({ dead: 0, short: [], lost: [] });
  expect((await again.collect({ graceMs: 86_400_000 })).collected).toEqual([sha(removed)]);
  for (const host of Object.values(l.hosts).slice(0, 1)) host.fault = down;
  for (const body of [early, underway, Buffer.from("later, and waiting")]) expect(readFileSync(await again.warmUp(sha(body)))).toEqual(body);
});
