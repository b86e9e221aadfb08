/** Failures that belong to one file of a longer work, and those that end it. */
import { StoreError } from "../store/index.ts";
import { RepositoryError } from "./errors.ts";

export interface FileFailure {
  /** Id of the file. */
  readonly file: number;
  readonly error: StoreError | RepositoryError;
}

/** Thrown on where the caller gave up, and where it is one of our own disk or catalogue: those know no store. */
export function ofOneFile(file: number, error: unknown, signal: AbortSignal | undefined): FileFailure {
  if (signal?.aborted === true) throw error;
  if (RepositoryError.is(error)) return { file, error };
  if (!StoreError.is(error) || error.store === null) throw error;
  return { file, error };
}
