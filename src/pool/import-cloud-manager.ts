/** The database of an original cloud-manager (SQLite), read and never written: files, where their uploads are, what was confirmed, meters and the height of its chain. */
import { join } from "node:path";
import { readForeignSqlite } from "../catalogue/index.ts";
import type { ForeignTables } from "../catalogue/index.ts";
import type { Core } from "./core.ts";
import { hashOfFile } from "./disk.ts";
import { parseEntry } from "./dump-format.ts";
import type { DumpedFile } from "./dump-format.ts";
import { PoolError } from "./errors.ts";
import { take } from "./exchange.ts";
import { uploadFile } from "./upload.ts";

export interface ImportReport {
  readonly added: number;
  readonly known: number;
  /** Files that had not been uploaded, and were taken out of its storage directory. */
  readonly uploaded: readonly string[];
  /** Files that had not been uploaded and whose bytes were not found, or were others. Nothing of them is in this pool. */
  readonly notFound: readonly string[];
}

interface OldFile {
  readonly hash: string;
  readonly name: string;
  /** Null: it waits for its upload. */
  readonly dumped: DumpedFile | null;
  readonly confirmed: string | null;
  readonly exportedMs: number | null;
}
interface Old {
  readonly files: readonly OldFile[];
  readonly uploaded: number;
  readonly downloaded: number;
  readonly height: number | null;
}

/** Under which the meters of the imported database stand; a second import replaces them. */
const MONTH = "cloud-manager";

export async function importCloudManager(core: Core, path: string, storage: string | undefined): Promise<ImportReport> {
  const old = readForeignSqlite(path, readOld);
  const waiting = old.files.filter(({ dumped }) => dumped === null);
  const done = await core.db.transaction(async (tx) => {
    let added = 0;
    let known = 0;
    for (const { dumped, confirmed, exportedMs } of old.files) {
      if (dumped === null) continue;
      const { id, added: fresh } = await take(core, tx, dumped);
      if (fresh) added += 1;
      else known += 1;
      await tx.run(
        "update file set confirmed = coalesce(cast(? as text), confirmed), exported_ms = coalesce(cast(? as {int}), exported_ms) where id = ?",
        confirmed,
        exportedMs,
        id,
      );
    }
    await tx.run(
      "insert into meter(month, uploaded, downloaded) values(?, ?, ?) on conflict(month) do update set uploaded = excluded.uploaded, downloaded = excluded.downloaded",
      MONTH,
      old.uploaded,
      old.downloaded,
    );
    if (old.height !== null)
      await tx.run("insert into fact(key, value) values('height', ?) on conflict(key) do update set value = excluded.value", String(old.height));
    return { added, known };
  });
  const uploaded: string[] = [];
  const notFound: string[] = [];
  for (const { hash, name } of waiting) {
    const file = storage === undefined ? undefined : join(storage, `${hash.slice(0, 7)}_${name.replace(/^[0-9a-f]{7}_/, "")}`);
    const found = file === undefined ? null : await hashOfFile(file);
    if (file !== undefined && found?.hash === hash) uploaded.push(await uploadFile(core, file, { name: name.replace(/^[0-9a-f]{7}_/, "") }));
    else notFound.push(hash);
  }
  return { ...done, uploaded, notFound };
}

function readOld(tables: ForeignTables): Old {
  const columns = tables.columns("files");
  for (const name of ["name", "size", "hash", "payload"])
    if (!columns.includes(name)) throw new PoolError("bad-database", "this is no database of cloud-manager");
  const files = tables.rows("select * from files").map(oldFile);
  const sum = (column: string): number =>
    tables.columns("transfer_meter").includes(column) ? whole(tables.rows(`select coalesce(sum(${column}), 0) as n from transfer_meter`)[0]?.["n"]) : 0;
  const height = tables.columns("blockchain_state").includes("last_known_block")
    ? tables.rows("select max(last_known_block) as n from blockchain_state")[0]?.["n"]
    : null;
  return { files, uploaded: sum("uploaded"), downloaded: sum("downloaded"), height: height === null || height === undefined ? null : whole(height) };
}

function oldFile(row: Readonly<Record<string, unknown>>, index: number): OldFile {
  const { hash, name, payload, blockchain_hash: confirmed, exported_timestamp: exported } = row;
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash) || typeof name !== "string" || /[/\\\0]/.test(name))
    throw new PoolError("bad-database", `row ${index} of files has no hash or no name`);
  const waits = payload === null || payload === undefined || payload === "";
  const dumped = waits ? null : parsed(payload, index);
  if (dumped !== null && dumped.hash !== hash) throw new PoolError("bad-database", `row ${index} of files has the payload of another file`);
  return { hash, name, dumped, confirmed: typeof confirmed === "string" && confirmed !== "" ? confirmed : null, exportedMs: timeOf(exported) };
}

function parsed(payload: unknown, index: number): DumpedFile {
  try {
    return parseEntry(JSON.parse(String(payload)), `row ${index} of files`);
  } catch (cause) {
    throw new PoolError("bad-database", `row ${index} of files has a payload that cannot be read`, { cause });
  }
}

/** "2014-04-01 12:00:00", with or without a fraction, in UTC. It only says until when the file is not exported again. */
function timeOf(value: unknown): number | null {
  if (typeof value !== "string") return null;
  const ms = Date.parse(
    `${value
      .trim()
      .replace(" ", "T")
      .replace(/(?:Z|[+-]\d\d(?::?\d\d)?)$/, "")}Z`,
  );
  return Number.isNaN(ms) ? null : ms;
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new PoolError("bad-database", "a number of this database is out of range");
  return value as number;
}
