/**
 * The join of all known archives, kept row by row: a record is live if its stamp is the greatest of its path and above every tombstone of it. Learning
 * archives in any order, and forgetting some, gives what a rebuild of the remaining ones would.
 */
import { nameOf, parentOf } from "../../../store/index.ts";
import type { StorePath } from "../../../store/index.ts";
import { compareStamps } from "../format/stamp.ts";
import type { Stamp } from "../format/stamp.ts";
import type { ArchiveRecord, Tombstone } from "../format/records.ts";
import type { Holder, Rules } from "../rules.ts";
import type { IndexDatabase } from "./database.ts";
import { ShownRows } from "./shown.ts";
import { DIRECTORY, FILE, stampOfRow } from "./view.ts";
import type { RecordRow, View } from "./view.ts";

interface Place {
  readonly dir: number;
  readonly name: string;
}

export class Join {
  readonly shown: ShownRows;
  readonly #db: IndexDatabase;
  readonly #view: View;
  readonly #rules: Pick<Rules, "wins" | "isBetterHome">;
  /** Whether this installation owns the archives of a writer. */
  readonly #isOwn: (writer: string) => boolean;
  /** Numbers of archives by their ids, within one transaction. */
  readonly #holders = new Map<number, Holder>();

  constructor(db: IndexDatabase, view: View, rules: Pick<Rules, "wins" | "isBetterHome">, isOwn: (writer: string) => boolean) {
    this.#db = db;
    this.#view = view;
    this.#rules = rules;
    this.#isOwn = isOwn;
    this.shown = new ShownRows(db);
  }

  /** Before a transaction: ownership may have changed since the last one. */
  begin(): void {
    this.#holders.clear();
  }

  #place(path: StorePath): Place {
    return { dir: this.#view.madeDir(parentOf(path)), name: nameOf(path) };
  }

  addRecord(home: number, record: ArchiveRecord): void {
    const place = this.#place(record.path);
    const [at, ref] = record.kind === "file" ? [home, null] : record.kind === "reference" ? this.#where(record.at) : [null, null];
    const { stamp, modifiedMs: modified } = record;
    const base = { ...place, t: stamp[0], w: stamp[1], home, modified };
    this.addRow(
      record.kind === "directory"
        ? { ...base, kind: DIRECTORY, at: null, ref: null, off: null, size: 0, hash: null, extra: null }
        : {
            ...base,
            kind: FILE,
            at,
            ref,
            off: record.offset,
            size: record.size,
            hash: record.sha256,
            extra: record.extra === undefined ? null : JSON.stringify(record.extra),
          },
    );
  }

  /** A reference into an archive that is not known keeps its id until it is. */
  #where(id: string): readonly [at: number | null, ref: string | null] {
    const known = this.#db.get<{ readonly id: number }>("select id from archive where name = ?", id);
    return known === undefined ? [null, id] : [known.id, null];
  }

  addRow(row: RecordRow): void {
    const floor = this.floor(row);
    const before = this.shown.record(row.dir, row.name);
    const stamp = stampOfRow(row);
    if (floor !== undefined && compareStamps(stamp, floor) <= 0) this.shown.hide(row);
    else if (before === undefined) this.shown.put(row);
    else if (this.#isAbove(row, before)) {
      this.shown.hide(before);
      this.shown.put(row);
    } else this.shown.hide(row);
  }

  #isAbove(row: RecordRow, other: RecordRow): boolean {
    if (compareStamps(stampOfRow(row), stampOfRow(other)) === 0) return this.#rules.isBetterHome(this.#holder(row.home), this.#holder(other.home));
    return this.#rules.wins(stampOfRow(row), stampOfRow(other));
  }

  #holder(archive: number): Holder {
    const known = this.#holders.get(archive);
    if (known !== undefined) return known;
    const { time, writer } = this.#db.get("select time, writer from archive where id = ?", archive) as { time: number; writer: string };
    const holder: Holder = { own: this.#isOwn(writer), stamp: [time, writer] };
    this.#holders.set(archive, holder);
    return holder;
  }

  addTombstone(archive: number, { path, upTo, bornMs }: Tombstone): void {
    const place = this.#place(path);
    this.#db.run("insert or replace into tomb(dir, name, t, w, born, archive) values(?, ?, ?, ?, ?, ?)", place.dir, place.name, ...upTo, bornMs, archive);
    const row = this.shown.record(place.dir, place.name);
    if (row === undefined || compareStamps(stampOfRow(row), upTo) > 0) return;
    this.shown.hide(row);
    this.shown.drop(place.dir, place.name);
  }

  /** Everything of `path` up to this is deleted. */
  floor({ dir, name }: Place): Stamp | undefined {
    const tomb = this.#db.get<{ readonly t: number; readonly w: string }>(
      "select t, w from tomb where dir = ? and name = ? order by t desc, w desc limit 1",
      dir,
      name,
    );
    return tomb === undefined ? undefined : [tomb.t, tomb.w];
  }

  /** Takes away the record of one archive at a path, and shows what is left. */
  removeRecord(archive: number, place: Place): void {
    this.#db.run("delete from shadow where dir = ? and name = ? and home = ?", place.dir, place.name, archive);
    const row = this.shown.record(place.dir, place.name);
    if (row?.home !== archive) return;
    this.shown.drop(place.dir, place.name);
    this.showBest(place);
  }

  /** Looks again which record of a path is to be shown. */
  showBest(place: Place): void {
    let best = this.shown.record(place.dir, place.name);
    const floor = this.floor(place);
    const before = best;
    for (const row of this.#db.all<RecordRow>("select * from shadow where dir = ? and name = ?", place.dir, place.name)) {
      if (floor !== undefined && compareStamps(stampOfRow(row), floor) <= 0) continue;
      if (best === undefined || this.#isAbove(row, best)) best = row;
    }
    if (best === undefined || best === before) return;
    if (before !== undefined) this.shown.hide(before);
    this.#db.run("delete from shadow where dir = ? and name = ? and home = ?", place.dir, place.name, best.home);
    this.shown.put(best);
  }

  /** Takes away everything that one archive said. */
  removeArchive(id: number, name: string): void {
    const tombs = this.#db.all<Place>("select dir, name from tomb where archive = ?", id);
    this.#db.run("delete from tomb where archive = ?", id);
    this.#db.run("delete from claim where archive = ?", id);
    this.#db.run("delete from shadow where home = ?", id);
    for (const place of this.#db.all<Place>("select dir, name from entry where home = ?", id)) {
      this.shown.drop(place.dir, place.name);
      this.showBest(place);
    }
    for (const place of tombs) this.showBest(place);
    // What is left refers into it from elsewhere; its bytes are gone until it is seen again.
    this.#db.run("update entry set at = null, ref = ? where at = ? and at <> home", name, id);
    this.#db.run("update shadow set at = null, ref = ? where at = ? and at <> home", name, id);
    this.#db.run("delete from archive where id = ?", id);
  }

  /** References that waited for an archive which is known now. */
  completeReferences(id: number, name: string): void {
    const { bytes } = this.#db.get("select total(size) as bytes from entry where ref = ?", name) as { bytes: number };
    this.#db.run("update entry set at = ?, ref = null where ref = ?", id, name);
    this.#db.run("update shadow set at = ?, ref = null where ref = ?", id, name);
    this.shown.countBytes(id, bytes);
  }

  /** After ownership changed: which copy is home depends on it. */
  rehome(): void {
    const places = this.#db.all<Place>(
      "select distinct s.dir, s.name from shadow s join entry e on e.dir = s.dir and e.name = s.name and e.t = s.t and e.w = s.w and e.kind <> 3",
    );
    for (const place of places) this.showBest(place);
  }
}
