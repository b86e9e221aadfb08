/** What the holder of a stack sees of its cache: control, pending files, states, conflicts, events. */
import type { Control, ErrorCode, StorePath } from "../../store/index.ts";
import type { CacheSettings } from "./options.ts";

export interface PendingFile {
  readonly path: StorePath;
  /** What is going to happen at the remote. */
  readonly change: "write" | "delete" | "mkdir";
  /** Bytes of the file; 0 for the other two. */
  readonly size: number;
  /** The first change that has not arrived, in milliseconds since 1970. */
  readonly sinceMs: number;
}

export type FileStateName = "absent" | "clean" | "waiting" | "uploading" | "deleting" | "in-doubt" | "blocked" | "parked";
export interface FileState {
  readonly state: FileStateName;
  /** The remote has not got it yet. */
  readonly dirty: boolean;
  /** Bytes; null for what is no file or not known here. */
  readonly size: number | null;
  readonly sinceMs: number | null;
  /** Earliest start of the next attempt; null: none is planned. */
  readonly dueAtMs: number | null;
  /** Failed attempts since the last change. */
  readonly attempts: number;
  readonly error: { readonly code: ErrorCode; readonly reason: string } | null;
  /** Of the transfer that runs now. */
  readonly sentBytes: number;
  readonly totalBytes: number | null;
}

export interface Conflict {
  readonly id: string;
  readonly atMs: number;
  readonly path: StorePath;
  /** Where the other version was put; null: ours gave way, or there was nothing to keep. */
  readonly kept: StorePath | null;
  /** In words: "another client's version was kept under another name". */
  readonly what: string;
}

export type CacheEventName =
  | "pending"
  | "uploading"
  | "progress"
  | "uploaded"
  | "removed"
  | "renamed"
  | "failed"
  | "parked"
  | "conflict"
  | "source-vanished"
  | "torn"
  | "evicted"
  | "limit"
  | "paused"
  | "resumed"
  | "offline"
  | "online"
  | "stuck"
  | "stalled"
  | "recovered"
  | "journal-failed";
/** Told after the transaction that makes it true. What a listener throws is an uncaught exception of the process; the layer goes on. */
export interface CacheEvent {
  readonly name: CacheEventName;
  readonly atMs: number;
  /** Null where it concerns the whole store. */
  readonly path: StorePath | null;
  /** Target of a move or copy; the name a conflict was kept under. */
  readonly to?: StorePath | undefined;
  readonly code?: ErrorCode | undefined;
  readonly reason?: string | undefined;
  /** Bytes: of the file, or sent so far. */
  readonly bytes?: number | undefined;
  readonly total?: number | null | undefined;
}

export interface CacheControl extends Control<CacheSettings> {
  /**
   * Resolves when everything acknowledged before the call is at the remote, or was replaced by something newer; below `path` only, if given. What is
   * parked does not hold it up: all else is finished first, then it rejects with the first parked error, `applied: "partly"`. Waits while paused.
   * Opens the store if nothing has yet: what an earlier process left is pending as well. After `close` it rejects with `closed`.
   */
  flush(options?: { readonly path?: string | undefined; readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** No new uploads; resolves when the running ones have ended. Not kept over a restart. */
  pause(): Promise<void>;
  /** Ends `pause` and every pause that the layer made by itself. */
  resume(): Promise<void>;
  /** What the remote has not got yet, by path, at most `limit` (1,000) of them, after the path `after`. */
  dirty(options?: { readonly path?: string | undefined; readonly after?: string | undefined; readonly limit?: number | undefined }): readonly PendingFile[];
  state(path: string): FileState;
  /** The newest 1,000, newest first. */
  conflicts(): readonly Conflict[];
  /** Forgets the report; the file that was kept stays. */
  dismiss(id: string): void;
  /** Tries again now what failed or is parked, below `path` if given. */
  retry(path?: string): void;
  /** Drops the local change of one file: the remote's version shows again. `conflict` while a request of it is under way, `not-found` if nothing is pending there. */
  discard(path: string): Promise<void>;
  /**
   * Copies the bytes that lie here to a new local file, those of a parked one too, as they are.
   * @throws StoreError `not-found` if none are here, `already-exists` rather than to replace a file, `unavailable` if it cannot be written: then a part may lie there
   */
  exportTo(path: string, localPath: string): Promise<void>;
  /** What is kept below `path` counts as expired from now on. */
  refresh(path?: string): void;
  /** Clean content below `path` leaves now. */
  evict(path?: string): Promise<void>;
  /** Gives the function that ends it. */
  on(listener: (event: CacheEvent) => void): () => void;
}
