/** Which failures belong to one host, and which end the whole work. */
import { StoreError } from "../store/index.ts";

/** Errors of hosts as StoreErrors: a store throws nothing else but TypeErrors, which are defects of ours and go through. */
export function ourError(error: unknown): StoreError {
  if (!StoreError.is(error)) throw error;
  return error;
}

/** A failure of this host is given back. Thrown on where the caller gave up, and where it is one of our own disk or catalogue: those know no store. */
export function ofOneHost(error: unknown, signal: AbortSignal | undefined): StoreError {
  const known = ourError(error);
  if (signal?.aborted === true || known.store === null) throw known;
  return known;
}
