/** What came out of one check against one subject: the unit of every report. */
import type { SupportKey } from "./check.ts";

/**
 * pass: it holds.   fail: it does not.   refused: the capability is not declared, and the calls were proved to be refused.
 * xfail: fails as the subject says it does.   xpass: passes although the subject says that it fails, which is a failure too: the list is out of date.
 * infra-error: the check could not be tried (the service was never reached, the request budget is used up, the subject misuses its place). Never a success.
 */
export type Status = "pass" | "fail" | "refused" | "xfail" | "xpass" | "infra-error";

/**
 * assertion: what the check says does not hold.   error: a call that must succeed rejected, or something was thrown.   timeout: the check did not end.
 * close: closing failed or did not end.   leak: something is left in this process.   leftover: something is left at the service.
 * not-refused: an undeclared capability was called and not refused.   harness: the subject or the machine, not the store.
 */
export type FailureKind = "assertion" | "error" | "timeout" | "close" | "leak" | "leftover" | "not-refused" | "harness";

export interface Failure {
  readonly kind: FailureKind;
  readonly what: string;
  readonly expected: string;
  readonly found: string;
  /** Where in the check it was noticed; for whoever reads the code. */
  readonly stack: string;
}

export interface Outcome {
  readonly check: string;
  readonly group: string;
  readonly title: string;
  /** Why it matters, as the check says it: with the outcome, so that a report reads the same when the checks have moved on. */
  readonly why: string;
  /** Null: the subject as it is. */
  readonly stack: string | null;
  readonly status: Status;
  readonly ms: number;
  /** Calls of the ten operations by the check itself. */
  readonly calls: number;
  /** Requests and bytes at the wire; null where the subject does not go through the proxy. */
  readonly requests: number | null;
  readonly bytesUp: number | null;
  readonly bytesDown: number | null;
  /** The seed of the run; with it and the id the check sees the same random numbers. */
  readonly seed: number;
  readonly notes: readonly string[];
  /** Which capabilities were proved to be refused. */
  readonly refused: readonly SupportKey[];
  /** The first one says why it failed; further ones were found while cleaning up. */
  readonly failures: readonly Failure[];
  /** Calls and requests in order, for failures only. */
  readonly transcript: readonly string[];
  /** Reason and date of the subject's own list, for xfail and xpass. */
  readonly expected: { readonly reason: string; readonly until: string } | null;
  /** The page that explains the check. */
  readonly doc: string;
}

/** Good news: nothing has to be done about it. */
export function isGood(status: Status): boolean {
  return status === "pass" || status === "refused" || status === "xfail";
}
