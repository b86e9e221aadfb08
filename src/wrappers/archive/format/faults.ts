/** What can be wrong with an archive. */
import { StoreError } from "../../../store/index.ts";

/** Nothing of it is believed. */
export function damaged(reason: string): StoreError {
  return new StoreError("corrupt", reason);
}

/** Said in a format that this version does not know. */
export function newer(reason: string): StoreError {
  return new StoreError("unsupported", reason, { applied: false });
}
