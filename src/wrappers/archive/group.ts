/** One archive that is being filled: the calls that wait for it. */
import { isInside } from "../../store/index.ts";
import type { Entry, StorePath } from "../../store/index.ts";
import type { Change } from "./evaluate.ts";
import { headerBytesAtMost, padded } from "./format/tar.ts";

/**
 * waiting: for what is on its way at its paths. joined: in a group that is not sealed; may be taken out. sealed: part of an archive, for better or worse.
 */
export type PendingState = "waiting" | "joined" | "sealed" | "done";

export interface Pending {
  readonly change: Change;
  readonly paths: readonly StorePath[];
  state: PendingState;
  /** Its caller has gone away since it was sealed: "unknown" was the answer. */
  left: boolean;
  /** How often bytes were taken over for it. */
  rounds: number;
  readonly settle: (outcome: { readonly done: Entry | undefined } | { readonly error: unknown }) => void;
}

export function pathsOf(change: Change): readonly StorePath[] {
  if (change.type === "claim") return [];
  return change.type === "copy" || change.type === "move" ? [change.path, change.to] : [change.path];
}

/** Of a manifest line beside its path, unpacked. */
const LINE_BYTES = 160;

/** What a change adds to an archive, at most. Records of trees are counted when they are known. */
export function bytesOf(change: Change): number {
  if (change.type === "claim") return LINE_BYTES;
  const line = LINE_BYTES + Buffer.byteLength(change.path);
  if (change.type !== "write") return line;
  const size = change.body.bytes.byteLength;
  return line + headerBytesAtMost(change.path.slice(1)) + padded(size);
}

export class Group {
  readonly pending: Pending[] = [];
  /** Ends the timer of an open group. */
  readonly timer: AbortController = new AbortController();
  bytes = 0;
  /** Resolves when all its calls have their answers. */
  readonly settled: Promise<void>;
  readonly markSettled: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.markSettled = resolve;
  }

  get size(): number {
    return this.pending.length;
  }

  add(pending: Pending): void {
    pending.state = "joined";
    this.pending.push(pending);
    this.bytes += bytesOf(pending.change);
  }

  remove(pending: Pending): void {
    const at = this.pending.indexOf(pending);
    if (at < 0) return;
    this.pending.splice(at, 1);
    this.bytes -= bytesOf(pending.change);
  }

  touches(path: StorePath): boolean {
    return this.pending.some((one) => concerns(one, path));
  }

  /** Has a caller of one that was sealed gone away, who may ask now what became of it? */
  wasLeftAt(path: StorePath): boolean {
    return this.pending.some((one) => one.left && concerns(one, path));
  }
}

function concerns({ paths }: Pending, path: StorePath): boolean {
  return paths.some((other) => isInside(other, path) || isInside(path, other));
}
