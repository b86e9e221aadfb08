/** Failures of a change that was made of many requests. */
import { StoreError } from "./errors.ts";
import type { ErrorDetails } from "./errors.ts";
import type { Operation } from "./operations.ts";

/** It may still happen: the answer of a request was lost. */
export function inDoubt(error: unknown): boolean {
  return StoreError.is(error) && error.applied === "unknown";
}

/**
 * The failure of one request of many, some of which were done. A doubt stays a doubt: whoever is told "partly" may go on at once, and a request without an
 * answer can still land on what was made since.
 */
export function inPart(error: StoreError, operation: Operation, partial?: ErrorDetails["partial"]): StoreError {
  const known = error.operation === null ? error.with({ operation }) : error;
  return error.with({ applied: inDoubt(known) ? "unknown" : "partly", partial, cause: error.cause });
}
