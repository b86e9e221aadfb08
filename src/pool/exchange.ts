/** Dumps out of the catalogue and into it. */
import type { Transaction } from "../catalogue/index.ts";
import type { Core } from "./core.ts";
import { parseDump, toEntry } from "./dump-format.ts";
import type { DumpVersion, DumpedCopy, DumpedFile } from "./dump-format.ts";
import { PoolError } from "./errors.ts";
import type { CopyRow, FileRow } from "./rows.ts";
import { DEAD, FAILED, STORED } from "./schema.ts";

export interface LoadReport {
  /** Files that were not known. */
  readonly added: number;
  readonly known: number;
  /** Places of copies that were not known. */
  readonly copies: number;
}

/** How long an exported file is not exported again, unless it was confirmed. */
const LEASE_MS = 3_600_000;
const PAGE = 500;

interface Exported {
  readonly id: number;
  readonly text: string;
  readonly bytes: number;
}

export async function dump(core: Core, limitBytes: number, version: DumpVersion): Promise<string | null> {
  return await core.db.transaction(async (tx) => {
    // Two at once would export the same files twice.
    await tx.lock("pool export");
    const chosen = await smallest(core, tx, limitBytes, version);
    if (chosen.length === 0) return null;
    const now = core.now();
    for (const { id } of chosen) await tx.run("update file set exported_ms = ? where id = ?", now, id);
    return `[${chosen.map(({ text }) => text).join(",")}]`;
  });
}

/** Shortest entries first, until the array would pass the limit. Not more of them than that are in memory, beside one page. */
async function smallest(core: Core, tx: Transaction, limitBytes: number, version: DumpVersion): Promise<Exported[]> {
  let best: Exported[] = [];
  for (let last = 0; ;) {
    const page = await tx.query<FileRow>(
      `select * from file f where f.id > ? and f.confirmed is null and f.marked_ms is null and f.queued = 0 and (f.exported_ms is null or f.exported_ms <= ?)
       and exists (select 1 from copy c where c.file = f.id and c.state = ?) order by f.id limit ${PAGE}`,
      last,
      core.now() - LEASE_MS,
      STORED,
    );
    for (const file of page) {
      const text = toEntry(await described(tx, file), version);
      best.push({ id: file.id, text, bytes: Buffer.byteLength(text) });
    }
    best = fitting(
      best.sort((a, b) => a.bytes - b.bytes || a.id - b.id),
      limitBytes,
    );
    if (page.length < PAGE) return best;
    last = (page.at(-1) as FileRow).id;
  }
}

function fitting(sorted: readonly Exported[], limitBytes: number): Exported[] {
  // Brackets, and a comma before each but the first.
  let total = 2;
  return sorted.filter(({ bytes }, index) => (total += bytes + (index === 0 ? 0 : 1)) <= limitBytes);
}

async function described(tx: Transaction, { id, hash, name, size, created_ms: createdMs }: FileRow): Promise<DumpedFile> {
  const rows = await tx.query<CopyRow>("select * from copy where file = ? and state in (?, ?, ?) order by id", id, STORED, DEAD, FAILED);
  const copies: DumpedCopy[] = rows.map(({ host, url, state, made_ms: madeMs }) => ({
    host,
    url: state === FAILED ? null : url,
    dead: state === DEAD,
    madeMs,
  }));
  return { hash, name, size, createdMs, copies };
}

export async function load(core: Core, json: string, confirmation: string | undefined): Promise<LoadReport> {
  const files = parseDump(json);
  return await core.db.transaction(async (tx) => {
    let added = 0;
    let copies = 0;
    for (const file of files) {
      const done = await take(core, tx, file);
      added += done.added ? 1 : 0;
      copies += done.copies;
      if (confirmation !== undefined) await tx.run("update file set confirmed = ? where id = ?", confirmation, done.id);
    }
    return { added, known: files.length - added, copies };
  });
}

/** One file of a dump: added where it is not known; places that are not known are added in any case. Takes back a removal. */
export async function take(core: Core, tx: Transaction, file: DumpedFile): Promise<{ readonly id: number; readonly added: boolean; readonly copies: number }> {
  const { hash, name, size, createdMs } = file;
  const added =
    (await tx.run("insert into file(hash, name, size, created_ms, queued) values(?, ?, ?, ?, 0) on conflict(hash) do nothing", hash, name, size, createdMs)) ===
    1;
  const [row] = await tx.query<FileRow>("select * from file where hash = ? {for update}", hash);
  if (row === undefined || row.size !== size) throw new PoolError("bad-dump", "the size is not the one that is known of this hash", { hash });
  if (row.marked_ms !== null) await tx.run("update file set marked_ms = null where id = ?", row.id);
  let copies = 0;
  for (const { host, url, dead, madeMs } of file.copies)
    copies += await tx.run(
      "insert into copy(file, host, url, state, owned, made_ms) values(?, ?, ?, ?, 0, ?) on conflict(file, host, url) do nothing",
      row.id,
      host,
      url ?? "",
      url === null ? FAILED : dead ? DEAD : STORED,
      madeMs ?? createdMs,
    );
  return { id: row.id, added, copies };
}

export async function confirm(core: Core, hashes: readonly string[], confirmation: string): Promise<number> {
  return await core.db.transaction(async (tx) => {
    let confirmed = 0;
    for (const hash of hashes) confirmed += await tx.run("update file set confirmed = ? where hash = ?", confirmation, hash);
    return confirmed;
  });
}
