/** Changes of single rows of `entry`, with what hangs on them: implied directories, counts of children, live bytes of archives. */
import type { IndexDatabase } from "./database.ts";
import { COLUMNS } from "./schema.ts";
import { DIRECTORY, FILE, IMPLIED } from "./view.ts";
import type { RecordRow } from "./view.ts";

const INSERT = `(${COLUMNS}) values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

function values(row: RecordRow): readonly unknown[] {
  return [row.dir, row.name, row.kind, row.t, row.w, row.home, row.at, row.ref, row.off, row.size, row.modified, row.hash, row.extra];
}

interface Live {
  records: number;
  bytes: number;
}

export class ShownRows {
  readonly #db: IndexDatabase;
  /** Changes of the counters of archives, written once at the end of a transaction. */
  #live = new Map<number, Live>();

  constructor(db: IndexDatabase) {
    this.#db = db;
  }

  get(dir: number, name: string): RecordRow | undefined {
    return this.#db.get<RecordRow>("select * from entry where dir = ? and name = ?", dir, name);
  }

  /** The row of a record; undefined for a directory that is only implied. */
  record(dir: number, name: string): RecordRow | undefined {
    const row = this.get(dir, name);
    return row?.kind === IMPLIED ? undefined : row;
  }

  /** What is shown at a path from now on. */
  put(row: RecordRow): void {
    const before = this.get(row.dir, row.name);
    this.#db.run(`insert or replace into entry${INSERT}`, ...values(row));
    this.#count(row, 1);
    if (before === undefined) this.#added(row.dir);
    else this.#count(before, -1);
  }

  /** Nothing has this path any more; the directory stays as long as something lies below it. */
  drop(dir: number, name: string): void {
    const before = this.get(dir, name);
    if (before === undefined || before.kind === IMPLIED) return;
    this.#count(before, -1);
    const below = this.#db.get<{ readonly children: number }>("select children from dir where parent = ? and name = ?", dir, name)?.children ?? 0;
    if (below > 0) {
      this.#db.run(`insert or replace into entry${INSERT}`, ...values(implied(dir, name)));
      return;
    }
    this.#db.run("delete from entry where dir = ? and name = ?", dir, name);
    this.#removed(dir);
  }

  hide(row: RecordRow): void {
    this.#db.run(`insert or replace into shadow${INSERT}`, ...values(row));
  }

  /** One child more: the directory is shown, and those above it. */
  #added(dir: number): void {
    for (let at = dir; at !== 0;) {
      const { parent, name, children } = this.#dirRow(at);
      this.#db.run("update dir set children = children + 1 where id = ?", at);
      if (children > 0 || parent === 0 || this.get(parent, name) !== undefined) return;
      this.#db.run(`insert into entry${INSERT}`, ...values(implied(parent, name)));
      at = parent;
    }
  }

  /** One child less: a directory that was only implied goes with its last one. */
  #removed(dir: number): void {
    for (let at = dir; at !== 0;) {
      const { parent, name, children } = this.#dirRow(at);
      this.#db.run("update dir set children = children - 1 where id = ?", at);
      if (children > 1 || parent === 0 || this.get(parent, name)?.kind !== IMPLIED) return;
      this.#db.run("delete from entry where dir = ? and name = ?", parent, name);
      at = parent;
    }
  }

  #dirRow(id: number): { readonly parent: number; readonly name: string; readonly children: number } {
    return this.#db.get("select parent, name, children from dir where id = ?", id) as { parent: number; name: string; children: number };
  }

  #count(row: RecordRow, by: 1 | -1): void {
    if (row.kind !== FILE && row.kind !== DIRECTORY) return;
    this.#liveOf(row.home).records += by;
    if (row.at !== null) this.#liveOf(row.at).bytes += by * row.size;
  }

  /** Bytes that become known, or unknown, without a change of the row's record. */
  countBytes(archive: number, bytes: number): void {
    this.#liveOf(archive).bytes += bytes;
  }

  #liveOf(archive: number): Live {
    let live = this.#live.get(archive);
    if (live === undefined) this.#live.set(archive, (live = { records: 0, bytes: 0 }));
    return live;
  }

  /**
   * At the end of every transaction that changed something; `keep` false: it is taken back. Sizes of references are anybody's word: the counters stay
   * within what can be counted.
   */
  settle(keep: boolean): void {
    const live = this.#live;
    this.#live = new Map();
    if (!keep) return;
    for (const [archive, { records, bytes }] of live)
      if (records !== 0 || bytes !== 0)
        this.#db.run(
          "update archive set liveRecords = liveRecords + ?, liveBytes = max(min(liveBytes + ?, 9007199254740991), -9007199254740991) where id = ?",
          records,
          Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, bytes)),
          archive,
        );
  }
}

function implied(dir: number, name: string): RecordRow {
  return { dir, name, kind: IMPLIED, t: 0, w: "", home: 0, at: null, ref: null, off: null, size: 0, modified: null, hash: null, extra: null };
}
