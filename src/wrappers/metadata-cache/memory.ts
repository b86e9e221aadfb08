/** What all parts of the layer share: the tree, what is under way, the time, and how facts get in and out. */
import { nameOf, root } from "../../store/index.ts";
import type { Capabilities, Clock, Entry, StorePath } from "../../store/index.ts";
import { absent, addsNothing, factOf } from "./fact.ts";
import type { Fact } from "./fact.ts";
import { Flights } from "./flights.ts";
import { Holds } from "./holds.ts";
import { namingOf } from "./naming.ts";
import type { Naming } from "./naming.ts";
import { OwnResults } from "./own-results.ts";
import type { Rules } from "./rules.ts";
import type { MetadataCacheSettings } from "./settings.ts";
import { Touches } from "./touches.ts";
import { Tree } from "./tree.ts";
import type { Directory, Known, TreeJournal } from "./tree.ts";

export interface MemoryParts {
  readonly capabilities: Capabilities;
  readonly clock: Clock;
  readonly rules: Rules;
  /** Those in force now. */
  readonly settings: () => Readonly<MetadataCacheSettings>;
  readonly journal?: TreeJournal | undefined;
}
/** When a question was asked: what may be remembered of its answer depends on it. */
export interface Asked {
  /** Touches counted then. */
  readonly since: number;
  readonly at: number;
}

export class MetadataMemory {
  readonly capabilities: Capabilities;
  readonly rules: Rules;
  readonly naming: Naming;
  readonly tree: Tree;
  readonly touches: Touches = new Touches();
  readonly holds: Holds = new Holds(this.touches);
  readonly flights: Flights = new Flights();
  /** Only where answers come late. */
  readonly own: OwnResults | undefined;
  readonly counts = { hits: 0, negativeHits: 0, misses: 0, prefetches: 0 };
  readonly #clock: Clock;
  readonly #settings: () => Readonly<MetadataCacheSettings>;

  constructor({ capabilities, clock, rules, settings, journal }: MemoryParts) {
    this.capabilities = capabilities;
    this.rules = rules;
    this.#clock = clock;
    this.#settings = settings;
    this.naming = namingOf(capabilities);
    const { read, list } = capabilities.consistency;
    this.own = read === "eventual" || list === "eventual" ? new OwnResults() : undefined;
    this.tree = new Tree({
      strict: capabilities.strictHierarchy,
      maxEntries: () => settings().maxEntries,
      alive: (fact, path, now) => this.#isAlive(fact, now) || this.rules.isPinned(this.holds, path, fact),
      whole: (directory, now) => this.isWhole(directory, now),
      mayEvict: (directory) => this.holds.size === 0 || !this.#isHeld(directory.path),
      evicted: (directory) => this.rules.evict(this.tree, directory),
      journal,
    });
  }

  /** Whole milliseconds: small numbers, of which a million cost nothing. Never later than it is. */
  get now(): number {
    return Math.floor(this.#clock.monotonic());
  }
  get settings(): Readonly<MetadataCacheSettings> {
    return this.#settings();
  }
  asked(): Asked {
    return { since: this.touches.now, at: this.now };
  }

  /** A question that has been under way for longer than its answer may be remembered is no better than what was forgotten. */
  mayJoin({ since, at }: Asked, key: StorePath, what: "stat" | "list" | "list recursive"): boolean {
    const { ttlMs, negativeTtlMs } = this.#settings();
    return this.now - at <= Math.min(ttlMs, negativeTtlMs) && this.rules.joins(this.touches, since, key, what);
  }

  #isAlive(fact: Fact, now: number): boolean {
    const { ttlMs, negativeTtlMs } = this.#settings();
    return this.rules.isAlive(fact.at, fact.isAbsent ? Math.min(ttlMs, negativeTtlMs) : ttlMs, now);
  }

  isWhole(directory: Directory, now: number): boolean {
    return directory.complete && this.rules.isAlive(directory.at, this.#settings().ttlMs, now);
  }

  isAlive(fact: Fact, now: number): boolean {
    return this.#isAlive(fact, now);
  }

  #isHeld(directory: StorePath): boolean {
    return this.holds.busy(directory) || this.holds.busyIn(directory);
  }

  look(key: StorePath): Known {
    const known = this.tree.look(key, this.now);
    return known === null && !this.rules.answersAbsence() ? undefined : known;
  }

  mayRemember(key: StorePath, since: number): boolean {
    return this.#settings().ttlMs > 0 && this.rules.remembers(this.touches, since, key);
  }

  fact(entry: Entry, at: number): Fact {
    const spelling = this.naming.exact ? null : nameOf(entry.path);
    return factOf(entry, this.capabilities, at, spelling);
  }

  /** What a question told of one path. */
  learn(key: StorePath, entry: Entry, { since, at }: Asked): void {
    if (!this.mayRemember(key, since)) return;
    const fact = this.fact(entry, at);
    const known = this.tree.look(key, this.now);
    if (known !== undefined && known !== null && (addsNothing(fact, known) || this.rules.isNewer(known, at))) return;
    // Where files and directories stand side by side, a directory is told only where there is no file.
    if (!this.capabilities.strictHierarchy && fact.isDirectory && key !== root) this.tree.setAbsent(key, "file", at);
    this.tree.set(key, fact);
  }

  /** A question told that nothing is there. */
  learnAbsent(key: StorePath, { since, at }: Asked): void {
    if (key === root || !this.mayRemember(key, since)) return;
    const known = this.tree.look(key, this.now);
    // In a directory that is known as a whole, an older answer would be believed for as long as that.
    if (known === undefined || known === null || !this.rules.isNewer(known, at)) this.tree.set(key, absent(at));
  }

  invalidate(key: StorePath): void {
    this.rules.noteInvalidation(this.touches, key);
    this.tree.forget(key);
    this.doubt(key, "tree");
  }

  /** Where answers come late, listings are not believed in this name for a while; tree: nor in what is below it; came: which may be another one. */
  doubt(key: StorePath, reach: "self" | "tree" | "came"): void {
    const { now } = this;
    this.own?.doubt(key, reach, now + this.#settings().settleMs, now);
  }

  mayRememberListing(directory: StorePath, since: number): boolean {
    if (this.own?.inTree(directory, this.now) === true) return false;
    return this.#settings().ttlMs > 0 && this.rules.remembersListing(this.touches, since, directory);
  }

  /** Names below it that the end of an own change decided since. */
  disturbed(directory: StorePath, deep: boolean, since: number): ReadonlySet<StorePath> {
    return this.rules.disturbed(this.touches, since, directory, deep);
  }

  /** Below this directory something lies that is known to be there. */
  hasKnownChild(directory: StorePath): boolean {
    const node = this.tree.find(directory);
    const { now } = this;
    for (const fact of node?.kids.values() ?? []) if (!fact.isAbsent && this.#isAlive(fact, now)) return true;
    return false;
  }

  /** Is this directory known to be there? */
  isKnownDirectory(directory: StorePath): boolean {
    const known = this.tree.lookDirectory(directory, this.now);
    return known !== undefined && known !== null && known.isDirectory;
  }
}
