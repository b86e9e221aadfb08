/**
 * The decisions of the protocol, one by one, with their reasons: each that seems superfluous has a one-bug variant in test/broken-layers that shows what goes wrong
 * without it. The layer takes them from here; only tests give it others.
 */
import { StoreError, hasCode, parentOf, root } from "../../store/index.ts";
import type { Capabilities, Entry, Operation, Page, ReadReply, StorePath } from "../../store/index.ts";
import type { Fact } from "./fact.ts";
import type { Hold, Holds } from "./holds.ts";
import type { Touches } from "./touches.ts";
import type { Directory, Tree } from "./tree.ts";

export interface Rules {
  /** A question with `fresh` goes to the service: the caller knows that something changed elsewhere. */
  fromMemory(fresh: boolean): boolean;
  /** From `at` on a fact grows old; looked at by each answer, not when somebody cleans up. */
  isAlive(at: number, ttlMs: number, now: number): boolean;
  /** What a running upload is about to replace must not vanish under it (CF61): until the change ends, its path has its old fact, however old. */
  isPinned(holds: Holds, path: StorePath, fact: Fact): boolean;
  /** An absence that is known, by itself or from a complete listing, is an answer as good as a file (CF59). */
  answersAbsence(): boolean;
  /** A basic question needs what every listing tells; a full one what only `stat` tells. A reply that told less answers neither. */
  suffices(fact: Fact, detail: "basic" | "full"): boolean;

  /**
   * An answer is remembered only if no own change of its path ended since it was asked: a listing asked before a write and answered after it would hide the new
   * file for as long as it is believed. What is learnt while a change is under way may be of before or after it; the end of the change decides, and sets or forgets it.
   */
  remembers(touches: Touches, since: number, path: StorePath): boolean;
  /** The same for a listing: of a directory that itself came, went or moved meanwhile nothing is remembered. */
  remembersListing(touches: Touches, since: number, directory: StorePath): boolean;
  /** And for its names: those of which own changes ended meanwhile keep what is known of them by those. */
  disturbed(touches: Touches, since: number, directory: StorePath, deep: boolean): ReadonlySet<StorePath>;
  /** Who asks after an own change must see it: the answer of a question that was asked before is not good for him. */
  joins(touches: Touches, since: number, path: StorePath, what: "stat" | "list" | "list recursive"): boolean;
  /** The call that several wait for ends when the last of them has gone, not when one has. */
  signalOf(shared: AbortSignal, own: AbortSignal | undefined): AbortSignal | undefined;
  /** Only this says that nothing is there. A service that cannot be reached says nothing about files. */
  saysAbsent(error: unknown): boolean;
  /** What a read tells of the file: the entry, which is that of the whole file, whatever part of it was read. */
  readEntry(reply: ReadReply): Entry;
  /** A fact that was asked for after the listing began knows better than the listing. */
  isNewer(known: Fact, at: number): boolean;

  /** A listing is whole when its last page has come, each asked for by the cursor of the one before. One that broke off or was left says nothing about other names. */
  endsListing(page: Page): boolean;
  /** Where listings come late and single questions do not, a name that a listing lacks is asked for. */
  absentByListing(capabilities: Capabilities): boolean;
  /** An answer that is on its way while an own change ends is brought up to date before it goes out. */
  patchesPages(): boolean;
  /** A late listing lacks what was made here a moment ago (CF47): it is added. */
  addsOwn(): boolean;
  /** A late listing has what was deleted here a moment ago: it is taken out. */
  removesOwn(): boolean;

  /**
   * A write makes the parents that are missing. Those not known to exist are held like the path itself, and what is told of them forgotten: a remembered
   * absence of the directory would outlive the write below it.
   */
  heldParents(path: StorePath, isKnown: (directory: StorePath) => boolean): StorePath[];
  /** Where directories exist only while something lies in them, the last child that goes takes those above it along: they are asked for again. */
  vanishing(path: StorePath, capabilities: Capabilities): StorePath[];
  /** Two own changes of one path at once: which came last, only the service knows. */
  knowsOrder(hold: Hold): boolean;
  /** The reply of a change says what is there now, whatever was known. */
  setOwn(tree: Tree, path: StorePath, fact: Fact): void;
  /** What was below a path that was deleted, moved, or copied over is of another tree. */
  dropBelow(tree: Tree, path: StorePath): void;
  /** A directory in which something came or went may have another time; services do not say which of them keep one. */
  agesDirectory(tree: Tree, directory: StorePath): void;
  /** Unless it is certain that nothing was changed, nothing is certain (CF62). An error without a call does not know that it ended a change. */
  mayHaveHappened(error: unknown, operation: Operation): boolean;

  /** A directory that made room no longer knows all its names. */
  evict(tree: Tree, directory: Directory): void;
  /** What is invalidated must not come back by an answer that is on its way. */
  noteInvalidation(touches: Touches, path: StorePath): void;
}

const NONE: ReadonlySet<StorePath> = new Set();

export const rules: Rules = {
  fromMemory: (fresh) => !fresh,
  isAlive: (at, ttlMs, now) => at + ttlMs > now,
  isPinned: (holds, path, fact) => holds.size > 0 && !fact.isAbsent && holds.isWritten(path),
  answersAbsence: () => true,
  suffices: (fact, detail) => !fact.thin && (detail === "basic" || fact.complete),

  remembers: (touches, since, path) => !touches.touched(since, path),
  remembersListing: (touches, since, directory) => !touches.replaced(since, directory),
  disturbed: (touches, since, directory, deep) => (touches.any(since) ? touches.below(since, directory, deep) : NONE),
  joins(touches, since, path, what) {
    if (!touches.any(since)) return true;
    if (what === "stat") return !touches.touched(since, path);
    return !touches.replaced(since, path) && touches.below(since, path, what === "list recursive").size === 0;
  },
  signalOf: (shared) => shared,
  saysAbsent: (error) => hasCode(error, "not-found"),
  readEntry: (reply) => reply.entry,
  isNewer: (known, at) => known.at > at,

  endsListing: ({ cursor }) => cursor === undefined || cursor === null,
  absentByListing: ({ consistency }) => consistency.list === "strong" || consistency.read === "eventual",
  patchesPages: () => true,
  addsOwn: () => true,
  removesOwn: () => true,

  heldParents(path, isKnown) {
    const held: StorePath[] = [];
    for (let at = parentOf(path); at !== root && !isKnown(at); at = parentOf(at)) held.push(at);
    return held;
  },
  vanishing(path, { directories }) {
    const chain: StorePath[] = [];
    if (directories === "implied") for (let at = parentOf(path); at !== root; at = parentOf(at)) chain.push(at);
    return chain;
  },
  knowsOrder: (hold) => !hold.overlapped,
  setOwn: (tree, path, fact) => tree.set(path, fact),
  dropBelow: (tree, path) => tree.drop(path),
  agesDirectory: (tree, directory) => tree.thin(directory),
  mayHaveHappened: (error, operation) => !StoreError.is(error) || error.with({ operation: error.operation ?? operation }).applied !== false,

  evict: (tree, directory) => tree.evict(directory),
  noteInvalidation: (touches, path) => touches.add(path, "tree"),
};
