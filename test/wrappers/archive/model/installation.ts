/** One installation of the model: its index, its identity, and what it learns from listings. What it writes is in seal.ts and upkeep.ts. */
import type { Bugs } from "./bugs.ts";
import { Join, above, compare, same } from "./join.ts";
import type { Archive, Claim, Rec, Stamp } from "./join.ts";
import { TIMES } from "./store.ts";
import type { ModelStore } from "./store.ts";

/** An own upload whose outcome is not known. */
export interface Intent {
  readonly stamp: Stamp;
  readonly kind: Archive["kind"];
  readonly started: number;
  /** Infinity while it runs. */
  until: number;
  /** What it would bring; undefined where that was forgotten. */
  archive: Archive | undefined;
}
export interface Listing {
  readonly names: ReadonlySet<string>;
  readonly began: number;
  readonly knownBefore: ReadonlySet<string>;
}
/** Where a live record stands and where its bytes do. */
export interface Place {
  readonly home: Archive;
  readonly at: string;
}

interface KnownClaim {
  readonly claim: Claim;
  readonly learned: number;
}

export class Installation {
  readonly store: ModelStore;
  readonly bugs: Bugs;
  readonly #base: string;
  readonly #skew: number;
  /** One for each index: a lost index begins a new line. */
  line: string;
  #generation = 0;

  // In the index: it survives a crash.
  writer: string;
  count: number = 1;
  clock: number = 0;
  readonly known: Map<string, Archive> = new Map();
  readonly missing: Map<string, number> = new Map();
  readonly intents: Map<string, Intent> = new Map();
  readonly unneeded: Map<string, number> = new Map();
  readonly deleteSent: Set<string> = new Set();
  readonly claims: Map<string, KnownClaim> = new Map();
  refreshed: number = -Infinity;

  // In memory: it does not.
  incarnation: number = 0;
  listing: Listing | undefined;
  fresh: boolean = false;
  #join: Join | undefined;
  #own: readonly Archive[] | undefined;
  #holding: ReadonlyMap<string, KnownClaim> | undefined;

  constructor(base: string, store: ModelStore, skew: number, bugs: Bugs) {
    this.#base = base;
    this.#skew = skew;
    this.store = store;
    this.bugs = bugs;
    this.writer = base;
    this.line = base;
  }

  has(bug: Parameters<Bugs["has"]>[0]): boolean {
    return this.bugs.has(bug);
  }

  crash(): void {
    this.incarnation++;
    this.listing = undefined;
    this.fresh = false;
    if (this.has("count-reused") && this.count > 1) this.count--;
    for (const intent of this.intents.values()) {
      if (intent.until === Infinity) intent.until = this.store.now + TIMES.late;
      if (this.has("intent-forgets-paths")) intent.archive = undefined;
    }
  }

  /** The index is lost; the list of own ids is not. */
  wipe(): void {
    this.incarnation++;
    this.listing = undefined;
    this.fresh = false;
    if (!this.has("id-reused")) this.newIdentity();
    this.count = 1;
    this.line = `${this.writer}/${++this.#generation}`;
    this.clock = 0;
    this.refreshed = -Infinity;
    for (const each of [this.known, this.missing, this.intents, this.unneeded, this.claims]) each.clear();
    this.deleteSent.clear();
    this.changed();
  }

  newIdentity(): void {
    this.writer = this.#base + String(++this.#generation);
    this.count = 1;
    this.#own = undefined;
  }

  changed(): void {
    this.#join = undefined;
    this.#own = undefined;
    this.#holding = undefined;
  }

  tick(): Stamp {
    const wall = this.store.now + this.#skew;
    this.clock = Math.max(this.clock + 1, wall);
    return [this.clock, this.writer];
  }

  nextName(): string {
    return `${this.writer}-${this.count++}`;
  }

  intend(archive: Archive): Archive {
    if (!this.has("intent-after-upload"))
      this.intents.set(archive.name, { stamp: archive.stamp, kind: archive.kind, started: this.store.now, until: Infinity, archive });
    return archive;
  }

  /** For those who look on. */
  get name(): string {
    return this.writer;
  }
  at(path: string): Rec | undefined {
    return this.join().at(path);
  }

  join(): Join {
    return (this.#join ??= Join.of(this.known.values()));
  }

  #see(stamp: Stamp): void {
    if (!this.has("clock-ignores-seen")) this.clock = Math.max(this.clock, stamp[0]);
  }

  learn(archive: Archive): void {
    if (this.known.has(archive.name)) return;
    this.known.set(archive.name, archive);
    this.missing.delete(archive.name);
    this.#see(archive.stamp);
    for (const { upTo } of archive.tombs) this.#see(upTo);
    for (const { stamp } of archive.records) this.#see(stamp);
    for (const claim of archive.claims) {
      this.#see(claim.stamp);
      const key = `${claim.of}|${claim.by}|${claim.stamp[0]}`;
      if (!this.claims.has(key)) this.claims.set(key, { claim, learned: this.store.now });
    }
    if (this.#join !== undefined) this.#join.add(archive);
    this.#own = undefined;
    if (archive.claims.length > 0) this.#holding = undefined;
  }

  forget(name: string): void {
    this.known.delete(name);
    this.missing.delete(name);
    this.changed();
  }

  /** What became of an upload is known: both in one step. */
  stored(archive: Archive): void {
    this.learn(archive);
    this.intents.delete(archive.name);
  }

  beginRefresh(stale: readonly number[], half: boolean): void {
    let names = this.store.list(stale);
    if (half) {
      if (!this.has("half-listing")) return; // A page failed: the refresh failed, nothing is judged.
      names = new Set([...names].slice(0, names.size >> 1));
    }
    this.listing = { names, began: this.store.now, knownBefore: new Set(this.known.keys()) };
  }

  endRefresh(): void {
    const { listing } = this;
    if (listing === undefined) return;
    this.listing = undefined;
    for (const name of listing.names) {
      const archive = this.known.has(name) ? undefined : this.store.objects.get(name);
      if (archive !== undefined) this.learn(archive);
      this.missing.delete(name);
    }
    for (const name of this.known.keys()) {
      if (listing.names.has(name) || (!listing.knownBefore.has(name) && !this.has("listing-judges-new"))) continue;
      const since = this.missing.get(name) ?? listing.began;
      this.missing.set(name, since);
      if (listing.began - since >= TIMES.settle || this.has("missing-once-forgotten")) this.forget(name);
    }
    for (const [name, intent] of this.intents) {
      if (intent.until === Infinity) continue;
      const archive = this.store.objects.get(name);
      if (archive !== undefined) this.stored(archive);
      else if (this.store.now >= intent.until) this.intents.delete(name);
    }
    this.refreshed = listing.began;
    this.fresh = true;
    this.#own = undefined;
    if (!this.has("adopted-keeps-id") && this.holding().has(this.writer)) this.newIdentity();
  }

  refresh(stale: readonly number[]): void {
    this.beginRefresh(stale, false);
    this.endRefresh();
  }

  *#knownClaims(): Generator<KnownClaim> {
    for (const archive of this.known.values()) {
      for (const claim of archive.claims) yield this.claims.get(`${claim.of}|${claim.by}|${claim.stamp[0]}`) as KnownClaim;
    }
  }

  /** The claim that holds for each writer: the one with the least stamp, and none that would close a circle. */
  holding(): ReadonlyMap<string, KnownClaim> {
    if (this.#holding !== undefined) return this.#holding;
    const holding = new Map<string, KnownClaim>();
    for (const one of [...this.#knownClaims()].sort((a, b) => compare(a.claim.stamp, b.claim.stamp))) {
      const { of, by } = one.claim;
      let last = by;
      while (last !== of && holding.has(last)) last = (holding.get(last) as KnownClaim).claim.by;
      if (last !== of && !holding.has(of)) holding.set(of, one);
    }
    return (this.#holding = holding);
  }

  /** Who may delete what `writer` wrote; undefined while a claim is not in force yet. */
  owner(writer: string): string | undefined {
    let owner = writer;
    for (let held = this.holding().get(owner); held !== undefined; held = this.holding().get(owner)) {
      // By the last listing, not by the clock: whatever was claimed at the same time must have had the chance to be seen.
      const seen = this.has("claim-by-clock") ? this.store.now : this.refreshed;
      if (!this.has("claim-at-once") && seen - held.learned < TIMES.grace) return undefined;
      owner = held.claim.by;
    }
    return owner;
  }

  mine(archive: Archive): boolean {
    return this.has("repack-foreign") || this.owner(archive.writer) === this.writer;
  }

  /** The last listing showed it, or it was stored since: only such are packed again and referred to, for a missing one may be gone with all it knew. */
  isThere(name: string): boolean {
    return !this.missing.has(name) || this.has("missing-is-used");
  }

  /** Own archives, oldest first. */
  own(): readonly Archive[] {
    return (this.#own ??= [...this.known.values()].filter((archive) => this.mine(archive)).sort((a, b) => compare(a.stamp, b.stamp)));
  }

  /** The newest archive of `among` (oldest first) that has this record. */
  place(record: Rec, among: readonly Archive[]): Place | undefined {
    let found: Place | undefined;
    for (const home of among) {
      const copy = home.records.find((other) => same(other, record));
      if (copy !== undefined && (found === undefined || !this.has("oldest-home"))) found = { home, at: copy.at };
    }
    return found;
  }

  /** Where bytes can be read now, from any archive. */
  readable(record: Rec): boolean {
    for (const archive of this.known.values()) {
      for (const copy of archive.records)
        if (same(copy, record) && this.store.objects.get(copy.at)?.records.some((other) => other.at === copy.at && other.content === record.content) === true)
          return true;
    }
    return false;
  }

  /** The greatest stamp of an upload in doubt that may bring `path`, above `base`. */
  doubt(path: string, base: Stamp | undefined): Stamp | undefined {
    if (this.has("delete-ignores-doubt")) return undefined;
    let most: Stamp | undefined;
    for (const { stamp, kind, archive } of this.intents.values()) {
      if (kind !== "group" && kind !== "solo") continue;
      if (archive !== undefined && !archive.records.some((record) => record.path === path)) continue;
      if (above(stamp, base) && above(stamp, most)) most = stamp;
    }
    return most;
  }

  /** Paths that uploads in doubt may bring. */
  doubtful(): string[] {
    const paths = new Set<string>();
    for (const { archive } of this.intents.values()) for (const { path } of archive?.records ?? []) paths.add(path);
    return [...paths];
  }
}
