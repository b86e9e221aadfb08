/** What goes wrong with a file of the pool. What goes wrong with a host, the disk or the catalogue is a StoreError. */
import type { StoreError } from "../store/index.ts";

/** Closed. */
export type PoolErrorCode =
  | "unknown-hash" //      no file of this hash, or one that was removed
  | "not-uploaded" //      known, but no host has it yet and this cache has not got it (it waits in the cache of another node)
  | "no-room" //           everything in the cache waits for its upload or is in use, so that nothing may leave; or too large for this cache, of a file that is fetched
  | "sources-failed" //    every copy failed; `causes` says how, host by host
  | "too-large" //         larger than 90 % of the capacity; nothing was changed
  | "damaged" //           the cached bytes are not those of the hash any more, and no copy is known to take their place
  | "host-in-use" //       files would have too few copies without this host: repair first
  | "unknown-host" //      no host of this name
  | "bad-dump" //          not the JSON of a dump; nothing was changed
  | "unknown-version" //   an entry of a version that this release cannot read; nothing was changed
  | "bad-database"; //     not a database of cloud-manager; nothing was changed

export interface SourceFailure {
  readonly host: string;
  readonly error: StoreError;
}

/** `message` names the hash, never a link or a path. */
export class PoolError extends Error {
  override readonly name = "PoolError" as const;
  readonly code: PoolErrorCode;
  readonly hash: string | null;
  readonly causes: readonly SourceFailure[];
  /** The same call may succeed later by itself: some source failed for a reason that passes, or room may come with uploads. */
  readonly transient: boolean;

  constructor(
    code: PoolErrorCode,
    reason: string,
    details: { readonly hash?: string | undefined; readonly causes?: readonly SourceFailure[] | undefined; readonly cause?: unknown } = {},
  ) {
    const { hash, causes = [], cause } = details;
    super(hash === undefined ? reason : `${hash}: ${reason}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hash = hash ?? null;
    this.causes = causes;
    this.transient = code === "no-room" || code === "not-uploaded" || causes.some(({ error }) => error.transient);
  }

  /** Also true for an error of a second installed copy of this package. */
  static is(value: unknown): value is PoolError {
    return value instanceof PoolError || (value instanceof Error && value.name === "PoolError" && "causes" in value);
  }
}
