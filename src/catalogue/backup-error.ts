/** What goes wrong with backups themselves. What goes wrong with the store, the disk or the database is a StoreError. */

/** Closed. */
export type BackupErrorCode =
  | "no-backup" //        the store has none, or none of this name
  | "not-empty" //        the catalogue to be filled has rows already; nothing was changed
  | "bad-backup" //       damaged, cut off, of another program or of other tables; nothing was changed
  | "unknown-version"; // of a format or of tables that only a newer release knows; nothing was changed

/** `message` names the backup, never a row of it. */
export class BackupError extends Error {
  override readonly name = "BackupError" as const;
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, reason: string, details: { readonly cause?: unknown } = {}) {
    super(reason, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
  }

  /** Also true for an error of a second installed copy of this package. */
  static is(value: unknown): value is BackupError {
    return value instanceof BackupError || (value instanceof Error && value.name === "BackupError" && "code" in value);
  }
}
