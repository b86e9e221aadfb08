/** What programs are run against: a persistent write-back layer, or something simpler that proves the harness. */
import type { Clock, Store } from "../../../../src/store/index.ts";
import type { Setup } from "./program.ts";

export interface Process {
  readonly store: Store;
  flush(): Promise<void>;
  /** Paths with changes that the remote has not got yet. */
  pending(): readonly string[];
  evict(path: string): Promise<void>;
  refresh(path: string): void;
  /** Gives back what a process that was killed would give back (file descriptors), and does nothing else. */
  abandon(): void;
}
export interface Subject {
  readonly name: string;
  /** Without a memory of its own a crash would prove nothing. */
  readonly persistent: boolean;
  start(given: {
    readonly directory: string;
    readonly remote: Store;
    readonly clock: Clock;
    readonly setup: Setup;
    /** "power" where the program has a power failure. */
    readonly durability: "process" | "power";
    /** To be called at each crash point. */
    readonly point: (name: string) => void;
  }): Promise<Process>;
  /** Faults of a directory that a process has left by a clean end. */
  check?(directory: string): readonly string[];
}
