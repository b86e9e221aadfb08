/** Backups on PostgreSQL, and from one database to the other in both directions. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { backupCatalogue, postgresCatalogue, restoreCatalogue, sqliteCatalogue } from "../../src/catalogue/index.ts";
import type { Catalogue } from "../../src/catalogue/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { scratch } from "../scratch.ts";
import { notProvedBy } from "../servers/shared.ts";
import { usePostgres } from "./postgres-server.ts";
import { backupTests } from "./backup-suite.ts";
import { component, everything, filled } from "./backup-things.ts";

const why = notProvedBy("postgres", "backups on PostgreSQL");

describe.skipIf(why !== undefined)("with a server", () => {
  const server = usePostgres();
  let schemas = 0;
  const postgres = (): Catalogue => postgresCatalogue({ connectionString: server.url, schema: `b${(schemas += 1)}` });
  const base = mkdtempSync(join(scratch(), "backup-"));
  const sqlite = (): Catalogue => sqliteCatalogue({ file: join(base, `${(schemas += 1)}.db`), flush: false });

  backupTests("postgres", postgres);

  for (const [from, to, back] of [
    [sqlite, postgres, sqlite],
    [postgres, sqlite, postgres],
  ] as const)
    test(`S3R26 from ${from === sqlite ? "SQLite to PostgreSQL" : "PostgreSQL to SQLite"} and back: all rows and the next id are equal`, async () => {
      await using store = memory();
      await using one = await filled(from());
      const rows = { ...((await everything(one)) as object), passing: [] };
      const first = await backupCatalogue({ catalogue: one, components: [component], store });
      await using two = to();
      await restoreCatalogue({ catalogue: two, components: [component], store });
      expect(await everything(two)).toEqual(rows);
      const second = await backupCatalogue({ catalogue: two, components: [component], store });
      expect(second.tables).toEqual(first.tables);
      await using three = back();
      await restoreCatalogue({ catalogue: three, components: [component], store, name: second.name });
      expect(await everything(three)).toEqual(rows);
      for (const db of [two, three]) expect(await db.query("insert into thing(name) values('next') returning id")).toEqual([{ id: 2301 }]);
    });
});
