/** Backups on SQLite. */
import { mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { backupCatalogue, restoreCatalogue, sqliteCatalogue } from "../../src/catalogue/index.ts";
import type { Catalogue } from "../../src/catalogue/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { scratch } from "../scratch.ts";
import { backupTests } from "./backup-suite.ts";
import { component, filled } from "./backup-things.ts";

const base = mkdtempSync(join(scratch(), "backup-"));
let count = 0;
const empty = (): Catalogue => sqliteCatalogue({ file: join(base, `${(count += 1)}.db`), flush: false });

backupTests("sqlite", empty);

test("nothing stays in the directory for temporary files, and one that cannot be written says so", async () => {
  await using store = memory();
  await using db = await filled(empty(), 20);
  const temporaryDirectory = mkdtempSync(join(base, "tmp-"));
  await backupCatalogue({ catalogue: db, components: [component], store, temporaryDirectory });
  await using other = empty();
  await restoreCatalogue({ catalogue: other, components: [component], store, temporaryDirectory });
  expect(readdirSync(temporaryDirectory)).toEqual([]);
  const nowhere = { catalogue: db, components: [component], store, temporaryDirectory: join(base, "nowhere") };
  await expect(backupCatalogue(nowhere)).rejects.toMatchObject({ code: "config" });
  const signal = AbortSignal.abort();
  await expect(backupCatalogue({ ...nowhere, temporaryDirectory, signal })).rejects.toMatchObject({ code: "aborted" });
  expect(readdirSync(temporaryDirectory)).toEqual([]);
});
