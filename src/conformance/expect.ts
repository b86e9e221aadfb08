/**
 * Known failures: a check on the subject's list must fail, and only until its date.
 *
 *   expectFail: [{ check: "writes.modified.kept", reason: "the API has no field for it", until: "2027-06-30" }]
 *
 * "caching/writes.modified.kept" means the stack "caching" only, "/writes.modified.kept" the subject without layers, without a slash all of them.
 */
import type { Outcome } from "./outcome.ts";
import type { Subject } from "./subject.ts";

type Expectation = NonNullable<Subject["expectFail"]>[number];

/** @throws TypeError for an entry that can never mean anything: an unknown check or stack, no reason, no date */
export function validateExpectations(subject: Subject, known: (check: string) => boolean): void {
  for (const expectation of subject.expectFail ?? []) {
    const { stack, check } = addressOf(expectation);
    const where = `expectFail of "${subject.name}": ${JSON.stringify(expectation.check)}`;
    if (!known(check)) throw new TypeError(`${where} is no check of this suite`);
    if (stack !== undefined && stack !== null && subject.stacks?.[stack] === undefined) throw new TypeError(`${where}: there is no stack "${stack}"`);
    if (expectation.reason.trim() === "") throw new TypeError(`${where} gives no reason`);
    if (Number.isNaN(dayAfter(expectation.until)))
      throw new TypeError(`${where}: until must be a date such as "2027-06-30", not ${JSON.stringify(expectation.until)}`);
  }
}

/** The outcome as the list sees it: xfail, xpass, or as it was. What could not be tried stays `infra-error`: it proves nothing about the list. */
export function judge(outcome: Outcome, subject: Subject, now: number): Outcome {
  const expectation = (subject.expectFail ?? []).find((candidate) => applies(candidate, outcome));
  if (expectation === undefined || outcome.status === "infra-error") return outcome;
  // A stack that cannot do what the check is about (one that only reads) says nothing about the list of the store below it.
  if (outcome.status === "refused" && outcome.stack !== null && addressOf(expectation).stack === undefined) return outcome;
  const expected = { reason: expectation.reason, until: expectation.until };
  const late = now >= dayAfter(expectation.until);
  if (outcome.status === "fail")
    return late
      ? { ...outcome, expected, notes: [...outcome.notes, `this failure was expected until ${expectation.until} (${expectation.reason}); the date has passed`] }
      : { ...outcome, expected, status: "xfail" };
  return { ...outcome, expected, status: "xpass" };
}

function applies(expectation: Expectation, outcome: Outcome): boolean {
  const { stack, check } = addressOf(expectation);
  return check === outcome.check && (stack === undefined || stack === outcome.stack);
}

function addressOf({ check }: Expectation): { readonly stack: string | null | undefined; readonly check: string } {
  const slash = check.lastIndexOf("/");
  if (slash === -1) return { stack: undefined, check };
  return { stack: slash === 0 ? null : check.slice(0, slash), check: check.slice(slash + 1) };
}

/** Milliseconds at the end of the day, UTC. */
function dayAfter(date: string): number {
  return /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) + 86_400_000 : Number.NaN;
}
