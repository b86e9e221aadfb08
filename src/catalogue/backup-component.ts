/** What a component (pool, repository) tells of its tables, so that it can be backed up. */
import type { Migration, Transaction } from "./types.ts";

export interface BackupTable {
  readonly name: string;
  /**
   * "kept", the default: backed up, and a catalogue with such rows is not empty. "replaced": backed up, but rows that are there at a restore do not count, and go: an opening makes them.
   * "left-out": what an older state must not know any more; empty after a restore.
   */
  readonly rows?: "kept" | "replaced" | "left-out" | undefined;
}
export interface BackupComponent {
  /** As `migrate` knows it. */
  readonly name: string;
  readonly migrations: readonly Migration[];
  /** All that the migrations ever made, those first that others refer to. */
  readonly tables: readonly BackupTable[];
  /** At the end of a restore, in its transaction: what is true no more of a state that time has passed over. */
  readonly settle?: ((tx: Transaction, nowMs: number) => Promise<void>) | undefined;
}
