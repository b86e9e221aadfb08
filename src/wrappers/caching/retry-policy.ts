/** What happens after an attempt failed without changing anything, and when the next one comes. */
import { StoreError } from "../../store/index.ts";
import type { ErrorCode } from "../../store/index.ts";

const FIRST_MS = 1000;
const LONGEST_MS = 300_000;
/** A defect or a damaged transfer may pass by itself, a few times. */
const MOST_OF_A_DEFECT = 8;

/** Twice as long each time, a random part less, so that many do not come back together; never sooner than the service asks. Whole: the journal keeps no fractions. */
export function backOffMs(tries: number, error: StoreError, random: () => number): number {
  const own = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(tries - 1, 20)) * (0.5 + 0.5 * random());
  return Math.ceil(Math.max(own, error.retryAfterMs ?? 0));
}

export type Verdict =
  /** Tried again after a pause of its own. */
  | "back-off"
  /** The remote is full: no new files for a while. */
  | "no-space"
  /** Nothing can be sent before somebody mends something. */
  | "failed"
  /** This one waits for a person; the others go on. */
  | "parked"
  /** What is there is not what was expected. */
  | "conflict";

const PARKED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["invalid-path", "too-large", "permission-denied", "bad-body", "unsupported", "corrupt"]);
const FAILED: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["unauthenticated", "config", "closed"]);
const CONFLICT: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["is-a-directory", "not-a-directory", "already-exists", "precondition-failed", "not-empty"]);

/** `tries`: this one included. */
export function verdictOn(error: StoreError, tries: number): Verdict {
  const { code } = error;
  if (code === "no-space") return "no-space";
  if (FAILED.has(code)) return "failed";
  if (CONFLICT.has(code)) return "conflict";
  if (PARKED.has(code)) return "parked";
  if (error.transient || code === "aborted") return "back-off";
  return tries >= MOST_OF_A_DEFECT ? "parked" : "back-off";
}

export function asStoreError(error: unknown): StoreError {
  return StoreError.is(error) ? error : new StoreError("unknown", "something failed that nobody expected", { cause: error, applied: "unknown" });
}

export function errorText({ code, reason }: StoreError): string {
  return JSON.stringify({ code, reason });
}

export function errorOf(text: string | null): { readonly code: ErrorCode; readonly reason: string } | null {
  return text === null ? null : (JSON.parse(text) as { readonly code: ErrorCode; readonly reason: string });
}
