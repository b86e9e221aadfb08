/** What goes wrong with a file of the repository. What goes wrong with a store, the disk or the catalogue is a StoreError. */

/** Closed. */
export type RepositoryErrorCode =
  | "no-repository" //       the catalogue has none: `create` it, or restore it from a backup
  | "repository-exists" //   of `create`
  | "in-use" //              another host is at work; of `destroy`, `flush`, `decommission`
  | "unknown-file" //        no such file, or one that was collected
  | "unknown-bucket" //      no bucket of this name is among the options
  | "unknown-host" //        no host of this name
  | "file-exists" //         bucket and key are taken
  | "illegal-transition" //  this state does not lead there
  | "purging-published" //   expire it first
  | "read-only" //           published and expired files keep their bytes: add another version
  | "no-content" //          nothing was written to this file yet
  | "not-origin" //          only the host that added an unpublished file can write to it
  | "not-local" //           the bytes are on another host, and no store has them
  | "not-uploaded" //        the only bytes are these: no store has them
  | "locked" //              somebody else has locked it; transient
  | "damaged" //             the local bytes are not those that were written, and no store has others; they are left as they are
  | "object-missing" //      the store has no such object any more
  | "object-wrong" //        the store gives other bytes, twice
  | "offline" //             only a store has these bytes, and none may be asked
  | "host-in-use" //         the host has the only bytes of some files
  | "bad-source" //          the local file to be added is no regular file, or cannot be read
  | "bad-query"; //          an argument of a search that means nothing

/** `message` names the file by path and number, never a directory or a secret. Nothing was changed, unless the call says otherwise. */
export class RepositoryError extends Error {
  override readonly name = "RepositoryError" as const;
  readonly code: RepositoryErrorCode;
  /** Id of the file it is about. */
  readonly file: number | null;
  /** The same call may succeed later by itself. */
  readonly transient: boolean;

  constructor(code: RepositoryErrorCode, reason: string, details: { readonly file?: number | undefined; readonly cause?: unknown } = {}) {
    const { file, cause } = details;
    super(file === undefined ? reason : `file ${file}: ${reason}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.file = file ?? null;
    this.transient = code === "locked";
  }

  /** Also true for an error of a second installed copy of this package. */
  static is(value: unknown): value is RepositoryError {
    return value instanceof RepositoryError || (value instanceof Error && value.name === "RepositoryError" && "file" in value && "transient" in value);
  }
}
