/** What a crash run needs to know of a stack that keeps something on disk. A module gives one as its default export, because a child process loads it too. */
import type { Store } from "../../store/index.ts";

export interface CrashPlace {
  /** Exists, is this run's alone, and outlives the processes that are killed: cache directory, index and local remote lie in it. */
  readonly directory: string;
  /** A number for what a run wants different from the next one: settings that make other steps happen. Counts from 0. */
  readonly scenario: number;
}
export interface CrashSubject {
  readonly name: string;
  /** The stack. `step` is to be called at every instrumented step, with its name: that is where the process dies. */
  open(place: CrashPlace, step: (name: string) => void): Store | Promise<Store>;
  /** What the remote holds, seen without anything that the stack keeps on disk. Called when the stack is closed. */
  remote(place: CrashPlace): Store | Promise<Store>;
  /** Everything acknowledged is at the remote when it resolves. */
  flush(store: Store): Promise<void>;
  /** How much the remote has not got yet. Default: nothing, as for a layer that acknowledges nothing before. */
  pending?(store: Store): number;
  /** Work that only the stack can do and that makes more steps happen: evict what was read, expire it. Called by the child now and then, between changes. */
  stir?(store: Store): Promise<void>;
  /** Faults of what lies on disk after a clean end. */
  check?(place: CrashPlace): readonly string[];
  /**
   * False: a copy or recursive delete of a directory that is cut off may be half done, so that none is tried; and a change that makes directories above it
   * may leave some of those. Default true.
   */
  readonly wholeTrees?: boolean;
  /** Names of the instrumented steps; each is where some process has to die. */
  readonly steps: readonly string[];
  /** Scenarios there are. Default 1. */
  readonly scenarios?: number;
}
