/** What must hold in the model whatever happens (archive.md 1, P1 to P5, and 11, I1 to I10). Each throws with what is wrong. */
import type { Installation } from "./installation.ts";
import { Join, above, compare, isBelow, same } from "./join.ts";
import type { Archive, Rec } from "./join.ts";
import { keyOf } from "./seal.ts";
import type { Sealed } from "./seal.ts";
import { violation } from "./violation.ts";

/** What a store shows to whoever watches all of it. */
export interface Observed {
  readonly now: number;
  readonly objects: ReadonlyMap<string, Archive>;
  /** Everything that ever landed, in order, when it did, and its join: what must be shown if nothing is lost. */
  readonly landed: readonly Archive[];
  readonly landedAt: readonly number[];
  readonly ever: Join;
  /** Changes with the objects. */
  readonly version: number;
}
/** An acknowledged delete. */
export interface Gone {
  readonly path: string;
  readonly tree: boolean;
  readonly line: string;
  /** What its writer sealed before this stamp is deleted. */
  readonly at: Archive["stamp"];
}
/** One installation, as far as it is looked at. */
export interface Viewer {
  readonly line: string;
  readonly name: string;
  at(path: string): Rec | undefined;
}

const text = (record: Rec): string => `${record.path} of ${record.stamp.join("/")}`;

export class Checks {
  readonly #store: Observed;
  readonly #settle: number;
  readonly #acknowledged: Set<string> = new Set();
  readonly #gone: Gone[] = [];
  /** Records that a line of an index wrote and was told of. */
  readonly #own: { readonly line: string; readonly record: Rec }[] = [];
  /** Which line of which index made an archive. */
  readonly lines: Map<string, string> = new Map();
  readonly #names: Set<string> = new Set();
  readonly #stamps: Set<string> = new Set();
  readonly #sealed: Map<string, Sealed> = new Map();
  #version = -1;

  /** `settle`: for so long a listing may be late. */
  constructor(store: Observed, settle: number) {
    this.#store = store;
    this.#settle = settle;
  }

  /** Before it is sent: names and stamps are new (I9), and a version that was seen is written over with a greater stamp (I10). */
  sent(archive: Archive, line: string, sealed?: Sealed): void {
    this.lines.set(archive.name, line);
    if (this.#names.has(archive.name)) throw violation(`name used twice: ${archive.name}`);
    this.#names.add(archive.name);
    const stamp = archive.stamp.join("/");
    if (this.#stamps.has(stamp)) throw violation(`stamp used twice: ${stamp}`);
    this.#stamps.add(stamp);
    if (sealed === undefined) return;
    this.#sealed.set(archive.name, sealed);
    for (const [path, seen] of sealed.over) {
      const record = archive.records.find((each) => each.path === path);
      if (record !== undefined && compare(record.stamp, seen) <= 0)
        throw violation(`stamp order: ${path} of ${seen.join("/")} written over with ${record.stamp.join("/")}`);
    }
  }

  /** A move that landed took nothing away that is not at its target (I3). */
  landed(archive: Archive): void {
    for (const [from, to] of this.#sealed.get(archive.name)?.moves ?? []) {
      if (!archive.tombs.some(({ path }) => path === from) || archive.records.some(({ path }) => path === from)) continue;
      const there = archive.records.some(({ path }) => path === to) || archive.tombs.some(({ path }) => path === to);
      if (!there) throw violation(`move apart: ${from} is gone and ${to} is not there`);
    }
  }

  acknowledged(archive: Archive): void {
    const line = this.lines.get(archive.name) as string;
    const sealed = this.#sealed.get(archive.name);
    for (const op of sealed?.done ?? []) {
      if (op.op === "delete" || op.op === "delete-tree") this.deleted({ path: op.path, tree: op.op === "delete-tree", line, at: archive.stamp });
    }
    if (sealed !== undefined && archive.tombs.length > 0) this.#killedUnseen(archive, sealed);
    for (const record of archive.records) this.wrote(line, record);
  }

  /** A line of an index was told that this record is stored. */
  wrote(line: string, record: Rec): void {
    this.#acknowledged.add(keyOf(record));
    this.#own.push({ line, record });
  }

  deleted(gone: Gone): void {
    this.#gone.push(gone);
  }

  /** A delete removes what its writer had seen, and own uploads in doubt; nothing else (P4). */
  #killedUnseen(archive: Archive, { saw }: Sealed): void {
    const others = this.#store.landed.filter((other) => other !== archive);
    for (const { path, upTo, doubt } of archive.tombs) {
      if (doubt) continue;
      const records = others.flatMap((other) =>
        other.kind === "group" || other.kind === "solo" ? other.records.filter((record) => record.path === path) : [],
      );
      for (const record of records) {
        if (!this.#acknowledged.has(keyOf(record)) || saw.has(keyOf(record)) || compare(record.stamp, upTo) > 0) continue;
        const dead = others.some(({ tombs }) => tombs.some((tomb) => tomb.path === path && compare(tomb.upTo, record.stamp) >= 0));
        const replaced = records.some((other) => compare(other.stamp, record.stamp) > 0 && compare(other.stamp, upTo) <= 0);
        if (!dead && !replaced) throw violation(`killed unseen: delete of ${path} up to ${upTo.join("/")} by ${archive.writer} killed ${text(record)}`);
      }
    }
  }

  /** After every step: nothing lost (P5), nothing returned (P4). */
  store(): void {
    const { ever, objects, version } = this.#store;
    if (this.#version === version) return;
    this.#version = version;
    const now = Join.of(objects.values());
    for (const gone of this.#gone) {
      for (const record of gone.tree ? ever.live() : [ever.at(gone.path)]) {
        if (record === undefined || (record.path !== gone.path && !isBelow(record.path, gone.path))) continue;
        const origin = this.#origin(record);
        if (origin?.line === gone.line && compare(origin.stamp, gone.at) < 0)
          throw violation(`returned: ${text(record)}, deleted later by its own writer at ${gone.at.join("/")}`);
      }
    }
    for (const record of ever.live()) {
      const shown = now.at(record.path);
      if (shown === undefined || !same(shown, record))
        throw violation(`lost: ${text(record)} is gone; the store shows ${shown === undefined ? "nothing" : text(shown)}`);
      if (!this.#whole(record)) throw violation(`bytes lost: ${text(record)} (${record.content})`);
    }
    for (const record of now.live()) if (ever.at(record.path) === undefined) throw violation(`returned: ${text(record)} was deleted and is visible again`);
  }

  /** Who wrote a record, and with which stamp: that of the record, or, where a copy was given another one, that of the same bytes under this path. */
  #origin(record: Rec): { readonly line: string | undefined; readonly stamp: Archive["stamp"] } | undefined {
    let first: Archive | undefined;
    for (const archive of this.#store.landed) {
      if (archive.kind !== "group" && archive.kind !== "solo") continue;
      if (compare(archive.stamp, record.stamp) === 0) return { line: this.lines.get(archive.name), stamp: archive.stamp };
      if (record.kind === "file" && archive.records.some(({ path, content }) => path === record.path && content === record.content)) first ??= archive;
    }
    return first === undefined ? undefined : { line: this.lines.get(first.name), stamp: first.stamp };
  }

  #whole(record: Rec): boolean {
    if (record.kind === "directory") return true;
    const { objects } = this.#store;
    for (const archive of objects.values()) {
      for (const copy of archive.records) {
        if (!same(copy, record)) continue;
        const bytes = objects.get(copy.at);
        if (bytes?.records.some((other) => other.at === bytes.name && other.content === record.content) === true) return true;
      }
    }
    return false;
  }

  /** Own changes are seen, always (P1). */
  own(me: Viewer): void {
    const { ever } = this.#store;
    for (const { line, record } of this.#own) {
      if (line !== me.line) continue;
      const live = ever.at(record.path);
      if (live !== undefined && same(live, record) && me.at(record.path) === undefined) throw violation(`own write not seen: ${text(record)} by ${me.name}`);
    }
  }

  /** After a refresh: nothing that has been there for long is missing (I4). */
  refreshed(me: Viewer): void {
    this.own(me);
    const { ever, landed, landedAt, now } = this.#store;
    const long = new Join();
    for (const [i, archive] of landed.entries()) if ((landedAt[i] as number) <= now - 2 * this.#settle - 1) long.add(archive);
    for (const record of long.live()) {
      const live = ever.at(record.path);
      if (live !== undefined && same(live, record) && !above(me.at(record.path)?.stamp, record.stamp) && !sameAs(me.at(record.path), record)) {
        throw violation(`hole: ${me.name} does not see ${text(record)}`);
      }
    }
  }

  /** After long quiet: no tombstones, bounded waste, everybody sees the same (I4, I8). */
  quiet(all: readonly Installation[], owners: number): void {
    const { objects } = this.#store;
    const now = Join.of(objects.values());
    const live = [...now.live()];
    let records = 0;
    for (const archive of objects.values()) {
      if (archive.tombs.length > 0) throw violation(`never collected: tombstone of ${archive.tombs[0]?.path} in ${archive.name}`);
      records += archive.records.length;
    }
    if (records > live.length * (owners + 1)) throw violation(`garbage: ${records} records for ${live.length}`);
    if (objects.size > live.length * owners + 3 * owners + 1) throw violation(`garbage: ${objects.size} archives for ${live.length} records`);
    const shown = live.map(keyOf).sort().join();
    for (const me of all) {
      if (me.intents.size > 0) throw violation(`an intent of ${me.writer} for ever: ${[...me.intents.keys()].join()}`);
      const seen = [...me.join().live()].map(keyOf).sort().join();
      if (seen !== shown) throw violation(`views differ: ${me.writer} sees ${seen}, the store has ${shown}`);
    }
  }
}

function sameAs(a: Rec | undefined, b: Rec): boolean {
  return a !== undefined && same(a, b);
}
