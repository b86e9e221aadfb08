/** The Store: what everybody holds. Only `createStore`, `layer` and `combine` make one. */
import type { Body } from "./body.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Control } from "./control.ts";
import type { Entry } from "./entry.ts";
import type {
  Account,
  CallOptions,
  CopyOptions,
  DeleteOptions,
  ListOptions,
  Listing,
  MkdirOptions,
  ReadOptions,
  ReadResult,
  Space,
  StatOptions,
  WriteOptions,
} from "./options.ts";

declare const made: unique symbol;
export type Made = typeof made;
/**
 * Every member exists on every store. Nothing throws synchronously. What the capabilities do not declare rejects with `unsupported`, an
 * option that does not exist with TypeError: nothing is ignored. All paths are checked as by `parsePath`.
 */
export interface Store extends AsyncDisposable {
  /** Type only: nobody writes a Store by hand. For a double in tests take `memory()`, with layers that misbehave on top. */
  readonly [made]: true;
  /** Of this layer: its kind ("s3", "caching") or the name it was given. */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** What this layer wraps; closing this closes them. Empty for a provider. */
  readonly inner: readonly Store[];
  /** The run-time side of every layer of this stack, this one included, innermost first: settings, report and what the layer adds. The provider is under its kind. */
  readonly layers: Readonly<Record<string, Control>>;

  /** `not-found` if nothing is there. The root is always there. */
  stat(path: string, options?: StatOptions): Promise<Entry>;
  /**
   * The bytes of one version of a file, never a mix of two: one that changes meanwhile ends in `conflict`. A range is clamped to the end; one
   * that starts at or past the end is `bad-range`, except at offset 0; length 0 is empty. A body that breaks off is an error, never a short
   * result. A directory is `is-a-directory`.
   */
  read(path: string, options?: ReadOptions): Promise<ReadResult>;
  /**
   * Creates or replaces a file whole. Missing parents are created. Nothing of it is visible before the promise resolves. If it rejects, the old
   * version or nothing is there and no unfinished upload is left behind; only where `applied` is "unknown" the new version may be there, whole.
   * Over a directory: `is-a-directory`; below a file: `not-a-directory`.
   */
  write(path: string, body: Body, options?: WriteOptions): Promise<Entry>;
  /**
   * Direct children, each exactly once, in any order unless `listSorted`. What is there throughout the listing is in it. A page that fails is
   * an error, never the end. Missing: `not-found`; a file: `not-a-directory`.
   */
  list(dir: string, options?: ListOptions): Listing;
  /** Success if nothing is there. A directory that is not empty needs `recursive`, else `not-empty`. The root is `invalid-path`. */
  delete(path: string, options?: DeleteOptions): Promise<void>;
  /** Parents too. An existing path is `already-exists`, unless `existOk` and a directory. The directory stays although it is empty. */
  mkdir(path: string, options?: MkdirOptions): Promise<Entry>;
  /**
   * A file or a whole tree, contents and properties. Missing parents are created. What is at the target, by the rules of rename(2): a file replaces
   * a file, a directory replaces an empty directory; else `is-a-directory`, `not-a-directory`, `not-empty`. Never a merge. Onto itself: nothing
   * happens. Into its own subtree, or the root: `invalid-path`. A missing source leaves the target as it was. A tree that fails half way is taken
   * back; where that fails too, `applied` is "partly".
   */
  copy(from: string, to: string, options?: CopyOptions): Promise<Entry>;
  /** As copy, and then nothing is at the source. However it fails, all bytes are still at one of the two. */
  move(from: string, to: string, options?: CopyOptions): Promise<Entry>;
  space(options?: CallOptions): Promise<Space>;
  account(options?: CallOptions): Promise<Account>;

  /**
   * Does now what the first operation would do, innermost first and without asking the service: loads the SDK, opens databases, takes
   * locks, continues pending work. Resolves to this store. If it fails, nothing stays open and the next call tries again.
   */
  open(options?: CallOptions): Promise<this>;
  /** Drops connections and cached credentials and obtains new ones. */
  reconnect(options?: CallOptions): Promise<void>;
  /**
   * Outermost first: ends open bodies with `closed`, waits for running calls, lets each layer bring to the bottom what it has acknowledged.
   * When the signal fires, nothing is waited for any more and what is pending stays on disk; the store is closed all the same. Later calls
   * reject with `closed`; a second close waits for the first. Where several stores fail to close, the error is the outermost one's, its
   * `reason` has the other reasons too, and its `cause` is an AggregateError of all.
   */
  close(options?: CallOptions): Promise<void>;
  /** The stack with its parameters and without secrets: `stats(caching(s3 bucket=photos))`. */
  toString(): string;
}
