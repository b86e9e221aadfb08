/** Bytes as the index knows them: size and hash once, links at hosts, counted by the files that name them; links to be removed; uploads under way. */
import type { HostLink } from "./links.ts";
import { transaction } from "./sqlite.ts";
import type { Sqlite, Statement } from "./sqlite.ts";

export interface Content {
  readonly id: number;
  readonly refs: number;
  readonly size: number;
  readonly sha256: string;
}
export interface LinkRow extends HostLink {
  readonly id: number;
  readonly content: number;
  /** When the host last gave or confirmed it; null: never since it was made. */
  readonly checked: number | null;
  /** When the host first said that it is gone; null: alive as far as is known. */
  readonly dead: number | null;
}
/** A link that nobody needs and that its host still has. */
export interface Removal extends HostLink {
  readonly id: number;
  readonly since: number;
  readonly due: number | null;
  readonly tries: number;
  /** Why it is not tried again by itself. */
  readonly stuck: string | null;
}
/** An upload that ended without anybody knowing whether the host has the bytes. */
export interface Flight {
  readonly id: number;
  readonly host: string;
  readonly name: string;
  readonly size: number;
  readonly started: number;
  readonly ended: number | null;
}

/** Of the possible orphans the newest are kept. */
const FLIGHTS_KEPT = 10_000;

export class Contents {
  readonly #db: Sqlite;
  readonly #prepared = new Map<string, Statement>();
  /** Called in the transaction that put something into the list of removals. */
  onRemoval: () => void = () => {};

  constructor(db: Sqlite) {
    this.#db = db;
  }

  #sql(text: string): Statement {
    let statement = this.#prepared.get(text);
    if (statement === undefined) this.#prepared.set(text, (statement = this.#db.prepare(text)));
    return statement;
  }

  /** After a process that did not end well: what it held is nobody's, what it had under way may be anywhere. */
  recover(now: number): void {
    transaction(this.#db, () => {
      this.#sql("update removal set due = ? where due is null and stuck is null").run(now);
      this.#sql("update flight set ended = ? where ended is null").run(now);
      this.#trim();
      this.#sql("delete from content where refs = 0 and not exists (select 1 from link where link.content = content.id)").run();
    });
  }

  /* ------------------------------------------------------------ uploads */

  startFlight(host: string, name: string, size: number, now: number): number {
    return Number(this.#sql("insert into flight(host, name, size, started) values(?, ?, ?, ?)").run(host, name, size, now).lastInsertRowid);
  }
  /** The upload is over: its links are held until a file names them, and removed if none does. */
  landed(flight: number, links: readonly HostLink[], now: number): number[] {
    return transaction(this.#db, () => {
      this.#sql("delete from flight where id = ?").run(flight);
      return links.map(({ host, url, remove, admin }) =>
        Number(this.#sql("insert into removal(host, url, remove, admin, since) values(?, ?, ?, ?, ?)").run(host, url, remove, admin, now).lastInsertRowid),
      );
    });
  }
  /** It may be there and it may not. */
  lost(flight: number, now: number): void {
    transaction(this.#db, () => {
      this.#sql("update flight set ended = ? where id = ?").run(now, flight);
      this.#trim();
    });
  }
  /** By number and not by id: uploads that went well have used ids too. */
  #trim(): void {
    this.#sql("delete from flight where id <= (select id from flight where ended is not null order by id desc limit 1 offset ?) and ended is not null").run(
      FLIGHTS_KEPT,
    );
  }
  forgetFlight(id: number): boolean {
    return this.#sql("delete from flight where id = ? and ended is not null").run(id).changes > 0;
  }
  flights(): Flight[] {
    return this.#sql("select * from flight where ended is not null order by id").all() as Flight[];
  }

  /** Held links nobody wants: they are removed at the next opportunity. */
  letGo(held: readonly number[], now: number): void {
    if (held.length === 0) return;
    transaction(this.#db, () => {
      for (const id of held) this.#sql("update removal set due = ? where id = ? and due is null and stuck is null").run(now, id);
    });
    this.onRemoval();
  }
  /** Held links become links of this content. */
  attach(content: number, held: readonly number[], now: number): void {
    for (const id of held) {
      const { host, url, remove, admin } = this.#sql("delete from removal where id = ? returning host, url, remove, admin").get(id) as HostLink;
      this.#sql("insert into link(content, host, url, remove, admin, made, checked) values(?, ?, ?, ?, ?, ?, ?)").run(
        content,
        host,
        url,
        remove,
        admin,
        now,
        now,
      );
    }
  }

  /* ----------------------------------------------------------- contents */

  add(size: number, sha256: string): number {
    return Number(this.#sql("insert into content(refs, size, sha256) values(0, ?, ?)").run(size, sha256).lastInsertRowid);
  }
  get(id: number): Content | undefined {
    return this.#sql("select * from content where id = ?").get(id) as Content | undefined;
  }
  retain(id: number): void {
    this.#sql("update content set refs = refs + 1 where id = ?").run(id);
  }
  /** With the last file its links go to the list of removals. */
  release(id: number, now: number): void {
    const { refs } = this.#sql("update content set refs = refs - 1 where id = ? returning refs").get(id) as { readonly refs: number };
    if (refs > 0) return;
    this.#sql("insert into removal(host, url, remove, admin, since, due) select host, url, remove, admin, ?, ? from link where content = ? order by id").run(
      now,
      now,
      id,
    );
    this.#sql("delete from link where content = ?").run(id);
    this.#sql("delete from content where id = ?").run(id);
    this.onRemoval();
  }
  /** Contents after this one, for walks that other calls may change meanwhile. */
  after(id: number, most: number): Content[] {
    return this.#sql("select * from content where id > ? order by id limit ?").all(id, most) as Content[];
  }
  usedBytes(): number {
    return (this.#sql("select coalesce(sum(size), 0) as bytes from content").get() as { readonly bytes: number }).bytes;
  }

  links(content: number): LinkRow[] {
    return this.#sql("select * from link where content = ? order by id").all(content) as LinkRow[];
  }
  alive(link: number, now: number): void {
    // Once an hour is enough to know it by: a flush of the disk for each read is not.
    this.#sql("update link set checked = ?, dead = null where id = ? and (dead is not null or checked is null or checked < ?)").run(now, link, now - 3_600_000);
  }
  dead(link: number, now: number): void {
    this.#sql("update link set dead = coalesce(dead, ?) where id = ?").run(now, link);
  }
  /** A link whose bytes are not the file's, or that living ones have replaced: its place is the list of removals. */
  reject(link: number, now: number): void {
    transaction(this.#db, () => {
      this.#sql("insert into removal(host, url, remove, admin, since, due) select host, url, remove, admin, ?, ? from link where id = ?").run(now, now, link);
      this.#sql("delete from link where id = ?").run(link);
    });
    this.onRemoval();
  }
  forgetHost(host: string): number {
    return transaction(this.#db, () => {
      // What is held belongs to an upload that runs, of another store over this index.
      this.#sql("delete from removal where host = ? and not (due is null and stuck is null)").run(host);
      this.#sql("delete from flight where host = ? and ended is not null").run(host);
      return this.#sql("delete from link where host = ?").run(host).changes;
    });
  }

  /* ----------------------------------------------------------- removals */

  dueRemovals(now: number, most: number): Removal[] {
    return this.#sql("select * from removal where due <= ? order by due, id limit ?").all(now, most) as Removal[];
  }
  isDue(removal: number, now: number): boolean {
    return this.#sql("select 1 from removal where id = ? and due <= ?").get(removal, now) !== undefined;
  }
  nextRemoval(): number | null {
    return (this.#sql("select min(due) as due from removal").get() as { readonly due: number | null }).due;
  }
  /** Another file has the same link, or an upload that is not a file yet. */
  isNeeded({ id, url, remove }: Removal): boolean {
    const link = this.#sql("select 1 from link where url = ? or remove = ? limit 1").get(url, remove);
    const held = this.#sql("select 1 from removal where id <> ? and due is null and stuck is null and (url = ? or remove = ?) limit 1").get(id, url, remove);
    return link !== undefined || held !== undefined;
  }
  removed(id: number): void {
    this.#sql("delete from removal where id = ?").run(id);
  }
  postpone(id: number, due: number): void {
    this.#sql("update removal set tries = tries + 1, due = ? where id = ?").run(due, id);
  }
  stuck(id: number, why: string): void {
    this.#sql("update removal set tries = tries + 1, due = null, stuck = ? where id = ?").run(why, id);
  }
  /** All that wait are due now; the stuck ones too where asked. */
  hurry(now: number, stuckToo: boolean): void {
    this.#sql("update removal set due = ? where due is not null").run(now);
    if (stuckToo) this.#sql("update removal set due = ?, stuck = null where stuck is not null").run(now);
  }
  removals(): Removal[] {
    return this.#sql("select * from removal where due is not null or stuck is not null order by id").all() as Removal[];
  }

  counts(copies: number): Readonly<Record<"files" | "contents" | "bytes" | "links" | "dead" | "short" | "lost" | "pending" | "stuck" | "unknown", number>> {
    return this.#sql(`select
      (select count(*) from node where kind = 1) as files,
      (select count(*) from content) as contents,
      (select coalesce(sum(size), 0) from content) as bytes,
      (select count(*) from link) as links,
      (select count(*) from link where dead is not null) as dead,
      (select count(*) from content where (select count(distinct host) from link where link.content = content.id and dead is null) < ?) as short,
      (select count(*) from content where not exists (select 1 from link where link.content = content.id and dead is null)) as lost,
      (select count(*) from removal where due is not null) as pending,
      (select count(*) from removal where stuck is not null) as stuck,
      (select count(*) from flight where ended is not null) as unknown`).get(copies) as ReturnType<Contents["counts"]>;
  }
}
