/** Rows of archives, of what could not be read, and of uploads. */
import type { IndexDatabase } from "./database.ts";

export interface ArchiveRow {
  readonly id: number;
  /** What manifests call it. */
  readonly name: string;
  /** Its object in the folder. */
  readonly object: string;
  readonly bytes: number;
  /** Members end at or before this offset. */
  readonly data: number;
  readonly time: number;
  readonly writer: string;
  readonly learned: number;
  readonly missing: number | null;
  readonly unneeded: number | null;
  readonly sent: number;
  readonly records: number;
  readonly payload: number;
  readonly liveRecords: number;
  readonly liveBytes: number;
}
export interface UnreadRow {
  readonly object: string;
  readonly name: string;
  readonly bytes: number;
  readonly newer: number;
  readonly reason: string;
  readonly since: number;
}
export type IntentKind = "group" | "solo" | "repack" | "take" | "claim";
export interface IntentRow {
  readonly name: string;
  readonly object: string;
  readonly bytes: number;
  readonly kind: IntentKind;
  /** Of the stamp; null: not stamped yet. */
  readonly time: number | null;
  readonly began: number;
  /** Null: running in this process. Else: it may land until then. */
  readonly until: number | null;
  /** JSON. */
  readonly paths: string;
}

export class Archives {
  readonly #db: IndexDatabase;

  constructor(db: IndexDatabase) {
    this.#db = db;
  }

  all(): ArchiveRow[] {
    return this.#db.all<ArchiveRow>("select * from archive order by time, writer, id");
  }
  byId(id: number): ArchiveRow | undefined {
    return this.#db.get<ArchiveRow>("select * from archive where id = ?", id);
  }
  byName(name: string): ArchiveRow | undefined {
    return this.#db.get<ArchiveRow>("select * from archive where name = ?", name);
  }
  setFound(id: number): void {
    this.#db.run("update archive set missing = null where id = ?", id);
  }
  setMissing(id: number, sinceMs: number): void {
    this.#db.run("update archive set missing = ? where id = ? and missing is null", sinceMs, id);
  }
  /** Null: it is needed. What was sent stays sent. */
  setUnneeded(id: number, sinceMs: number | null): void {
    this.#db.run("update archive set unneeded = ? where id = ? and sent = 0", sinceMs, id);
  }
  setSent(id: number): void {
    this.#db.run("update archive set sent = 1 where id = ?", id);
  }
  /** The clock jumped: nobody knows how long anything has been so. */
  restartWaiting(nowMs: number): void {
    this.#db.run("update archive set unneeded = ? where unneeded is not null", nowMs);
    this.#db.run("update archive set missing = ? where missing is not null", nowMs);
    this.#db.run("update claim set learned = ?", nowMs);
  }

  unread(): UnreadRow[] {
    return this.#db.all<UnreadRow>("select * from unread order by object");
  }
  unreadOf(object: string): UnreadRow | undefined {
    return this.#db.get<UnreadRow>("select * from unread where object = ?", object);
  }
  putUnread(row: UnreadRow): void {
    const { object, name, bytes, newer, reason, since } = row;
    this.#db.run(
      "insert or replace into unread(object, name, bytes, newer, reason, since) values(?, ?, ?, ?, ?, ?)",
      object,
      name,
      bytes,
      newer,
      reason,
      since,
    );
  }
  dropUnread(object: string): void {
    this.#db.run("delete from unread where object = ?", object);
  }
  hasNewer(): boolean {
    return this.#db.get("select 1 from unread where newer = 1 limit 1") !== undefined;
  }

  intents(): IntentRow[] {
    return this.#db.all<IntentRow>("select * from intent order by began, name");
  }
  intentOf(name: string): IntentRow | undefined {
    return this.#db.get<IntentRow>("select * from intent where name = ?", name);
  }
  putIntent({ name, object, bytes, kind, time, began, until, paths }: IntentRow): void {
    this.#db.run(
      "insert or replace into intent(name, object, bytes, kind, time, began, until, paths) values(?, ?, ?, ?, ?, ?, ?, ?)",
      name,
      object,
      bytes,
      kind,
      time,
      began,
      until,
      paths,
    );
  }
  dropIntent(name: string): void {
    this.#db.run("delete from intent where name = ?", name);
  }
}
