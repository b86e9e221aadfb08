/** The local index as the rest of the layer sees it. */
import { parentOf, nameOf } from "../../../store/index.ts";
import type { StorePath } from "../../../store/index.ts";
import { payloadOf } from "../format/records.ts";
import type { ArchiveRecord, Manifest, Tombstone } from "../format/records.ts";
import type { Rules } from "../rules.ts";
import type { StepHook } from "../steps.ts";
import { Archives } from "./archives.ts";
import { IndexDatabase } from "./database.ts";
import { Join } from "./join.ts";
import { Owners } from "./owners.ts";
import { View } from "./view.ts";

export type { ArchiveRow, IntentKind, IntentRow, UnreadRow } from "./archives.ts";
export type { ClaimRow } from "./owners.ts";
export type { RecordRow, ShownRow } from "./view.ts";
export { DIRECTORY, FILE, IMPLIED, entryOf, extraOf, isDirectory, stampOfRow } from "./view.ts";

export interface LearnedArchive {
  readonly manifest: Manifest;
  readonly object: string;
  readonly bytes: number;
  readonly dataEnd: number;
  /** Now, by the local clock. */
  readonly learnedMs: number;
}
/** A group that is being evaluated. */
export interface Draft {
  /** The number of the archive to be. */
  readonly archive: number;
  addRecord(record: ArchiveRecord): void;
  addTombstone(tombstone: Tombstone): void;
  /** Takes back what this draft said of a path. */
  removeRecord(path: StorePath): void;
}

export class Index {
  readonly db: IndexDatabase;
  readonly view: View;
  readonly archives: Archives;
  readonly owners: Owners;
  readonly #join: Join;
  #learnedSince = new Set<string>();

  private constructor(db: IndexDatabase, rules: Rules, isOwn: (writer: string) => boolean) {
    this.db = db;
    this.view = new View(db);
    this.archives = new Archives(db);
    this.owners = new Owners(db);
    this.#join = new Join(db, this.view, rules, isOwn);
  }

  static async open(directory: string, nowMs: number, rules: Rules, step: StepHook, isOwn: (writer: string) => boolean): Promise<Index> {
    return new Index(await IndexDatabase.open(directory, nowMs, step), rules, isOwn);
  }

  meta(key: string): unknown {
    return this.db.get<{ readonly value: unknown }>("select value from meta where key = ?", key)?.value;
  }
  number(key: string): number {
    const value = this.meta(key);
    return typeof value === "number" ? value : 0;
  }
  setMeta(key: string, value: string | number): void {
    this.db.run("insert or replace into meta(key, value) values(?, ?)", key, value);
  }

  /** All of it or nothing. */
  transaction<T>(work: () => T): T {
    this.#join.begin();
    try {
      return this.db.transaction(() => {
        const result = work();
        this.#join.shown.settle(true);
        return result;
      });
    } catch (error) {
      this.#takenBack();
      throw error;
    }
  }

  #takenBack(): void {
    this.#join.shown.settle(false);
    this.view.forgetNumbers();
    this.owners.changed();
  }

  /** Ids of all archives that are learned from now on. */
  watchLearned(): ReadonlySet<string> {
    return (this.#learnedSince = new Set());
  }

  /** One archive, all of it. Again: nothing happens. */
  learn(learned: LearnedArchive): void {
    const { manifest } = learned;
    this.#learnedSince.add(manifest.id);
    if (this.archives.byName(manifest.id) !== undefined) return;
    this.transaction(() => {
      const id = this.#addArchive(learned);
      for (const tombstone of manifest.tombstones) this.#join.addTombstone(id, tombstone);
      for (const record of manifest.records) this.#join.addRecord(id, record);
      for (const { writer, stamp, bornMs } of manifest.claims)
        this.owners.add({ writer, by: stamp[1], t: stamp[0], born: bornMs, learned: learned.learnedMs, archive: id });
      this.#join.completeReferences(id, manifest.id);
      this.archives.dropUnread(learned.object);
    });
  }

  #addArchive({ manifest, object, bytes, dataEnd, learnedMs }: LearnedArchive): number {
    return this.db.insert(
      "insert into archive(name, object, bytes, data, time, writer, learned, records, payload) values(?, ?, ?, ?, ?, ?, ?, ?, ?)",
      manifest.id,
      object,
      bytes,
      dataEnd,
      manifest.timeMs,
      manifest.writer,
      learnedMs,
      manifest.records.length,
      manifest.records.reduce((sum, record) => sum + payloadOf(record), 0),
    );
  }

  /** As if it had never been known. */
  forget(id: number): void {
    const row = this.archives.byId(id);
    if (row === undefined) return;
    this.transaction(() => this.#join.removeArchive(id, row.name));
    this.owners.changed();
  }

  /** Evaluates operations on the view as if their archive were learned already; nothing of it stays. */
  draft<T>(archive: Pick<Manifest, "id" | "timeMs" | "writer">, work: (draft: Draft) => T): T {
    this.#join.begin();
    try {
      return this.db.draft(() => {
        const manifest: Manifest = { ...archive, records: [], tombstones: [], claims: [] };
        const id = this.#addArchive({ manifest, object: "", bytes: 0, dataEnd: 0, learnedMs: 0 });
        return work({
          archive: id,
          addRecord: (record) => {
            // A second record of one path in one archive takes the place of the first.
            this.#join.removeRecord(id, this.#place(record.path));
            this.#join.addRecord(id, record);
          },
          addTombstone: (tombstone) => this.#join.addTombstone(id, tombstone),
          removeRecord: (path) => this.#join.removeRecord(id, this.#place(path)),
        });
      });
    } finally {
      this.#takenBack();
    }
  }

  #place(path: StorePath): { readonly dir: number; readonly name: string } {
    return { dir: this.view.madeDir(parentOf(path)), name: nameOf(path) };
  }

  /** After claims came into force. */
  rehome(): void {
    this.transaction(() => this.#join.rehome());
  }

  /** Directories that nothing speaks of any more. */
  dropEmptyDirectories(): void {
    this.transaction(() => {
      const gone = `delete from dir where id <> 1 and children = 0
        and not exists(select 1 from dir d where d.parent = dir.id) and not exists(select 1 from entry e where e.dir = dir.id)
        and not exists(select 1 from shadow s where s.dir = dir.id) and not exists(select 1 from tomb t where t.dir = dir.id)`;
      // Each round takes the deepest ones; bounded, for a path may be deep, and the next call goes on.
      for (let round = 0; round < 64 && this.db.run(gone) > 0; round++);
    });
    this.view.forgetNumbers();
  }

  /** One that lives in memory, to compare with. */
  static async inMemory(rules: Rules, isOwn: (writer: string) => boolean): Promise<Index> {
    return new Index(await IndexDatabase.inMemory(), rules, isOwn);
  }

  close(): void {
    this.db.close();
  }
}
