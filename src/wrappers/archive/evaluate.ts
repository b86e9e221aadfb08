/**
 * What the operations of a group do, one after the other, on the view as it is when the group is sealed. Each is done whole or refused alone. Nothing of it
 * stays in the index: it is a draft, of which the manifest is made.
 */
import { StoreError, parentOf, rebase, root } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import { mayRefer, nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { NewRecord } from "./format/build.ts";
import type { ArchiveRecord, Claim, Extra, Tombstone } from "./format/records.ts";
import { compareStamps } from "./format/stamp.ts";
import type { Stamp } from "./format/stamp.ts";
import { DIRECTORY, FILE, entryOf, extraOf, isDirectory, stampOfRow } from "./index/index.ts";
import type { Draft, RecordRow, ShownRow } from "./index/index.ts";
import type { Uploads } from "./uploads.ts";

export interface Body {
  readonly bytes: Uint8Array;
  /** base64url. */
  readonly sha256: string;
}
export type Change =
  | {
      readonly type: "write";
      readonly path: StorePath;
      readonly body: Body;
      readonly modifiedMs: number;
      readonly extra: Extra | undefined;
      readonly nowMs: number;
    }
  | { readonly type: "mkdir"; readonly path: StorePath; readonly existOk: boolean; readonly nowMs: number }
  | { readonly type: "delete"; readonly path: StorePath; readonly recursive: boolean }
  | { readonly type: "copy" | "move"; readonly path: StorePath; readonly to: StorePath; readonly nowMs: number }
  | { readonly type: "claim"; readonly writer: string };

export type Outcome =
  | { readonly done: Entry | undefined }
  | { readonly refused: unknown }
  /** Bytes of others stand in the way of a reference: they are taken over first. */
  | { readonly take: readonly StorePath[] }
  /** The manifest would grow too long: in the next group. */
  | { readonly later: true };

export interface Evaluated {
  readonly outcomes: readonly Outcome[];
  readonly records: readonly NewRecord[];
  readonly tombstones: readonly Tombstone[];
  readonly claims: readonly Claim[];
  /** Archives that the records refer into. */
  readonly referred: ReadonlySet<number>;
  /** All paths of records and tombstones. */
  readonly paths: ReadonlySet<StorePath>;
}

/** Unpacked manifest of one archive; below what every reader accepts. */
const MAX_MANIFEST_BYTES = 48 << 20;
/** Of a line beside its path. */
const LINE_BYTES = 200;

export function evaluate(
  core: Core,
  uploads: Uploads,
  archive: { readonly id: string; readonly timeMs: number; readonly writer: string },
  changes: readonly Change[],
): Evaluated {
  return core.index.draft(archive, (draft) => new Evaluation(core, uploads, [archive.timeMs, archive.writer], draft).all(changes));
}

class Evaluation {
  readonly #core: Core;
  readonly #uploads: Uploads;
  readonly #stamp: Stamp;
  readonly #draft: Draft;
  readonly #bodies: Uint8Array[] = [];
  readonly #tombstones = new Map<StorePath, Tombstone>();
  readonly #claims: Claim[] = [];
  /** Which change had the last word on a path. */
  readonly #last = new Map<StorePath, number>();
  #turn = 0;
  #manifestBytes = 0;

  constructor(core: Core, uploads: Uploads, stamp: Stamp, draft: Draft) {
    this.#core = core;
    this.#uploads = uploads;
    this.#stamp = stamp;
    this.#draft = draft;
  }

  all(changes: readonly Change[]): Evaluated {
    const outcomes: Outcome[] = [];
    for (const change of changes) {
      this.#turn = outcomes.length;
      try {
        outcomes.push(this.#one(change));
      } catch (error) {
        // A rule of the contract, which is looked at before anything is changed; a defect ends the group.
        if (!StoreError.is(error)) throw error;
        outcomes.push({ refused: error });
      }
    }
    const found = this.#found();
    return {
      ...found,
      outcomes: outcomes.map((outcome, turn) => ("done" in outcome ? { done: this.#answer(outcome.done, turn) } : outcome)),
      tombstones: [...this.#tombstones.values()],
      claims: this.#claims,
      paths: new Set([...found.records.map(({ path }) => path), ...this.#tombstones.keys()]),
    };
  }

  /** A version that was replaced before anybody could see it is told from the one that took its place. */
  #answer(entry: Entry | undefined, turn: number): Entry | undefined {
    if (entry?.kind !== "file" || this.#last.get(entry.path) === turn) return entry;
    return { ...entry, etag: `${entry.etag}.${turn}` };
  }

  #one(change: Change): Outcome {
    switch (change.type) {
      case "write":
        return this.#write(change);
      case "mkdir":
        return this.#mkdir(change);
      case "delete":
        return this.#delete(change.path, change.recursive);
      case "copy":
      case "move":
        return this.#transfer(change);
      case "claim":
        if (this.#core.index.owners.claimOf(change.writer) === undefined)
          this.#claims.push({ writer: change.writer, stamp: this.#stamp, bornMs: nowOf(this.#core) });
        return { done: undefined };
    }
  }

  #row(path: StorePath): ShownRow | undefined {
    return this.#core.index.view.row(path);
  }

  #write({ path, body, modifiedMs, extra, nowMs }: Change & { readonly type: "write" }): Outcome {
    const before = this.#row(path);
    if (before !== undefined && isDirectory(before)) throw new StoreError("is-a-directory", "there is a directory of this name", { applied: false });
    const parents = this.#missingParents(path);
    if (!this.#hasRoom([path, ...parents])) return { later: true };
    this.#makeDirectories(parents, nowMs);
    const offset = this.#bodies.push(body.bytes) - 1;
    this.#record({ kind: "file", path, stamp: this.#stamp, modifiedMs, offset, size: body.bytes.byteLength, sha256: body.sha256, extra });
    return { done: this.#entry(path) };
  }

  #mkdir({ path, existOk, nowMs }: Change & { readonly type: "mkdir" }): Outcome {
    const before = this.#row(path);
    if (before !== undefined) {
      if (existOk && isDirectory(before)) return { done: entryOf(path, before) };
      throw new StoreError("already-exists", "something of this name is there", { entry: entryOf(path, before), applied: false });
    }
    const made = [path, ...this.#missingParents(path)];
    if (!this.#hasRoom(made)) return { later: true };
    this.#makeDirectories(made, nowMs);
    return { done: this.#entry(path) };
  }

  #delete(path: StorePath, recursive: boolean): Outcome {
    const before = this.#row(path);
    if (before !== undefined && before.children > 0 && !recursive) throw new StoreError("not-empty", "the directory has children", { applied: false });
    const paths = recursive ? this.#tree(path, before === undefined ? [] : this.#inside(path)) : [path];
    if (!this.#hasRoom(paths)) return { later: true };
    for (const one of paths.reverse()) this.#kill(one);
    return { done: undefined };
  }

  /** All that must not be there any more when `path` has gone: what is shown inside, and what is on its way there. */
  #tree(path: StorePath, inside: readonly { readonly path: StorePath }[]): StorePath[] {
    return [...new Set([path, ...inside.map((one) => one.path), ...this.#uploads.doubtfulInside(path)])];
  }

  #inside(path: StorePath): { readonly path: StorePath; readonly row: ShownRow }[] {
    return [...this.#core.index.view.below(path)];
  }

  #transfer({ type, path, to, nowMs }: Change & { readonly type: "copy" | "move" }): Outcome {
    const source = this.#row(path);
    if (source === undefined) throw new StoreError("not-found", "nothing is there", { applied: false });
    const parents = this.#missingParents(to);
    this.#mayReplace(source, to);
    const moved = [{ path, row: source }, ...(isDirectory(source) ? this.#inside(path) : [])];
    const foreign = moved.filter(({ row }) => row.kind === FILE && !this.#mayRefer(row)).map((one) => one.path);
    if (foreign.length > 0) return { take: foreign };
    const targets = moved.map((one) => rebase(one.path, path, to));
    const left = type === "move" ? this.#tree(path, moved) : [];
    if (!this.#hasRoom([...targets, ...parents, ...left])) return { later: true };
    this.#makeDirectories(parents, nowMs);
    moved.forEach(({ row }, i) => this.#record(this.#copyOf(row, targets[i] as StorePath, nowMs)));
    for (const one of left.reverse()) this.#kill(one);
    return { done: this.#entry(to) };
  }

  /** The rules of rename(2). */
  #mayReplace(source: ShownRow, to: StorePath): void {
    const target = this.#row(to);
    if (target === undefined) return;
    if (isDirectory(target) && !isDirectory(source)) throw new StoreError("is-a-directory", "the target is a directory", { applied: false });
    if (!isDirectory(target) && isDirectory(source)) throw new StoreError("not-a-directory", "the target is a file", { applied: false });
    if (target.children > 0) throw new StoreError("not-empty", "the target has children", { applied: false });
  }

  /** Whether its bytes are this installation's to refer to. */
  #mayRefer({ at, home }: RecordRow): boolean {
    if (at === null) throw new StoreError("unavailable", "the bytes of a file are in an archive that is not known yet", { applied: false });
    if (at === this.#draft.archive && home === this.#draft.archive) return true;
    const archive = this.#core.index.archives.byId(at);
    if (archive === undefined) throw new StoreError("corrupt", "the local index has lost an archive", { applied: false });
    return mayRefer(this.#core, archive);
  }

  #copyOf(row: ShownRow, path: StorePath, nowMs: number): ArchiveRecord {
    const stamp = this.#stamp;
    if (row.kind !== FILE) return { kind: "directory", path, stamp, modifiedMs: row.kind === DIRECTORY ? (row.modified ?? nowMs) : nowMs };
    const facts = { path, stamp, modifiedMs: row.modified ?? nowMs, offset: row.off ?? 0, size: row.size, sha256: row.hash ?? "", extra: extraOf(row) };
    if (row.at === this.#draft.archive) return { kind: "file", ...facts };
    const archive = this.#core.index.archives.byId(row.at ?? 0);
    // A live row makes its archive needed, so that this never happens.
    if (archive === undefined || archive.sent !== 0) throw new Error("a reference into an archive whose deletion was sent");
    return { kind: "reference", at: archive.name, ...facts };
  }

  /** Nearest first. Throws where one of them is a file. */
  #missingParents(path: StorePath): StorePath[] {
    const missing: StorePath[] = [];
    for (let at = parentOf(path); at !== root; at = parentOf(at)) {
      const row = this.#row(at);
      if (row === undefined) missing.push(at);
      else if (isDirectory(row)) break;
      else throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
    }
    return missing;
  }

  #makeDirectories(paths: readonly StorePath[], nowMs: number): void {
    for (const path of [...paths].reverse()) this.#record({ kind: "directory", path, stamp: this.#stamp, modifiedMs: nowMs });
  }

  #record(record: ArchiveRecord): void {
    this.#draft.addRecord(record);
    this.#last.set(record.path, this.#turn);
  }

  /** What this group wrote is taken back; what was seen before it gets a tombstone, and what may still land as well. */
  #kill(path: StorePath): void {
    const { rules } = this.#core;
    this.#draft.removeRecord(path);
    this.#last.set(path, this.#turn);
    const row = this.#row(path);
    let upTo =
      row === undefined || (row.kind !== FILE && row.kind !== DIRECTORY) ? undefined : rules.tombstoneUpTo({ shown: stampOfRow(row), own: this.#stamp });
    const doubt = rules.deletesCoverDoubt ? this.#uploads.doubtOf(path) : undefined;
    if (doubt !== undefined && (upTo === undefined || compareStamps(doubt, upTo) > 0)) upTo = doubt;
    const before = this.#tombstones.get(path)?.upTo;
    if (upTo === undefined || (before !== undefined && compareStamps(before, upTo) >= 0)) return;
    const tombstone: Tombstone = { path, upTo, bornMs: nowOf(this.#core) };
    this.#tombstones.set(path, tombstone);
    this.#draft.addTombstone(tombstone);
  }

  /** What alone is too much never has room. */
  #hasRoom(paths: readonly StorePath[]): boolean {
    let bytes = 0;
    for (const path of paths) bytes += Buffer.byteLength(path) + LINE_BYTES;
    if (bytes > MAX_MANIFEST_BYTES) throw new StoreError("too-large", "one step over so many files does not fit into one archive", { applied: false });
    if (this.#manifestBytes + bytes > MAX_MANIFEST_BYTES) return false;
    this.#manifestBytes += bytes;
    return true;
  }

  #entry(path: StorePath): Entry {
    return entryOf(path, this.#row(path) as ShownRow);
  }

  /** The records that are left, with their bodies; and what they refer to. */
  #found(): Pick<Evaluated, "records" | "referred"> {
    const { db, view, archives } = this.#core.index;
    const { archive } = this.#draft;
    const dirs = new Map<number, StorePath>();
    const records: NewRecord[] = [];
    const referred = new Set<number>();
    const rows = db.all<RecordRow>("select * from entry where home = ? union all select * from shadow where home = ?", archive, archive);
    for (const row of rows) {
      let dir = dirs.get(row.dir);
      if (dir === undefined) dirs.set(row.dir, (dir = view.pathOfDir(row.dir)));
      const base = { path: (dir === root ? `/${row.name}` : `${dir}/${row.name}`) as StorePath, stamp: stampOfRow(row), modifiedMs: row.modified ?? 0 };
      if (row.kind === DIRECTORY) {
        records.push({ kind: "directory", ...base });
        continue;
      }
      const facts = { ...base, sha256: row.hash ?? "", extra: extraOf(row) };
      if (row.at === archive) {
        records.push({ kind: "new", ...facts, bytes: this.#bodies[row.off ?? -1] as Uint8Array });
        continue;
      }
      referred.add(row.at as number);
      records.push({ kind: "reference", ...facts, at: archives.byId(row.at as number)?.name ?? "", offset: row.off ?? 0, size: row.size });
    }
    return { records, referred };
  }
}
