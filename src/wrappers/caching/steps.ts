/** The points at which a crash is tried: named once, called where they are, and nothing unless a crash run listens. */
export const stepNames = [
  "open.owned",
  "open.journal",
  "open.session",
  "open.doubt",
  "open.sweep",
  "write.spool.created",
  "write.spool.half",
  "write.spool.written",
  "write.spool.synced",
  "group.dirs",
  "group.committed",
  "group.synced",
  "group.acked",
  "group.unlinked",
  "delete.committed",
  "tree.committed",
  "leaf.flight",
  "leaf.flushed",
  "leaf.sent.half",
  "leaf.sent",
  "leaf.answered",
  "leaf.recorded",
  "look.answered",
  "doubt.resolved",
  "conflict.copied",
  "conflict.based",
  "barrier.run",
  "barrier.step",
  "barrier.answered",
  "barrier.ended",
  "fill.half",
  "fill.renamed",
  "fill.committed",
  "evict.committed",
  "evict.unlinked",
  "checkpoint",
  "vacuum.step",
  "reserve.given",
  "close.flushed",
  "close.clean",
] as const;
export type StepName = (typeof stepNames)[number];

/** What crash runs and models put into the layer; nobody else. */
export interface Instruments {
  /** Called at each step, in the middle of whatever happens there: it may end the process, and must not throw. */
  readonly step?: ((name: StepName) => void) | undefined;
  /** Called when what earlier sessions left behind has been swept, unless the store was closed before. */
  readonly swept?: (() => void) | undefined;
  /**
   * When it fires the layer is as dead as its process would be: nothing more is written or sent, its locks are free, and the same directory can be
   * opened again. Requests that are under way below go on; what they answer is heard by nobody.
   */
  readonly killed?: AbortSignal | undefined;
  /** Size of the reserve for a full disk: thousands of short programs need none. Default 4 MiB. */
  readonly reserveBytes?: number | undefined;
}
