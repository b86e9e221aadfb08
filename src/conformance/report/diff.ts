/** What changed since another run: newly failing, fixed, vanished. A check that vanished fails, for nobody may make a failure go away by losing its test. */
import type { Tier } from "../check.ts";
import { isGood } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import type { Report, SubjectReport } from "./report.ts";

export interface Change {
  readonly subject: string;
  readonly stack: string | null;
  readonly check: string;
  readonly before: string;
  readonly after: string;
}
export interface Diff {
  /** When the run was made that this one is compared with. */
  readonly baseline: string;
  readonly newlyFailing: readonly Change[];
  readonly fixed: readonly Change[];
  /** Was run then, and is not among the checks now. */
  readonly vanished: readonly Change[];
  /** Held then, and is refused now: an ability was given up. */
  readonly weakened: readonly Change[];
  /** Refused then, and holds now. */
  readonly gained: readonly Change[];
}

const order: Readonly<Record<Tier, number>> = { smoke: 0, full: 1, torture: 2 };

/** `subjects: "present"` compares only subjects of this run; "all" says that one that is not there at all has vanished too. */
export function compare(report: Report, baseline: Report, options: { readonly subjects?: "present" | "all" | undefined } = {}): Diff {
  const changes: Record<"newlyFailing" | "fixed" | "vanished" | "weakened" | "gained", Change[]> = {
    newlyFailing: [],
    fixed: [],
    vanished: [],
    weakened: [],
    gained: [],
  };
  for (const before of baseline.subjects) {
    const after = report.subjects.find((subject) => subject.name === before.name);
    if (after === undefined) {
      if (options.subjects === "all") for (const outcome of before.outcomes) changes.vanished.push(change(before, outcome, undefined));
      continue;
    }
    for (const old of before.outcomes) {
      const now = after.outcomes.find((outcome) => outcome.check === old.check && outcome.stack === old.stack);
      if (now === undefined) {
        if (mustBeThere(before, after)) changes.vanished.push(change(before, old, undefined));
      } else if (isGood(old.status) && !isGood(now.status)) changes.newlyFailing.push(change(before, old, now));
      else if (!isGood(old.status) && isGood(now.status)) changes.fixed.push(change(before, old, now));
      else if (old.status === "pass" && now.status === "refused") changes.weakened.push(change(before, old, now));
      else if (old.status === "refused" && now.status === "pass") changes.gained.push(change(before, old, now));
    }
    for (const now of after.outcomes) {
      const known = before.outcomes.some((outcome) => outcome.check === now.check && outcome.stack === now.stack);
      if (!known && !isGood(now.status)) changes.newlyFailing.push(change(before, undefined, now));
    }
  }
  return { baseline: baseline.createdAt, ...changes };
}

/** A smaller tier or a filter leaves checks out on purpose; what they name then is no loss. */
function mustBeThere(before: SubjectReport, after: SubjectReport): boolean {
  return after.only.length === 0 && order[after.tier] >= order[before.tier];
}

function change(subject: SubjectReport, before: Outcome | undefined, after: Outcome | undefined): Change {
  const one = (before ?? after) as Outcome;
  return { subject: subject.name, stack: one.stack, check: one.check, before: before?.status ?? "not there", after: after?.status ?? "not there" };
}
