/** The report of one or several runs, as data: what conformance.json holds and every other form is made of. */
import type { Capabilities } from "../../store/index.ts";
import type { Offer, Tier } from "../check.ts";
import { checks } from "../checks/index.ts";
import { isGood } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { schemaVersion, suiteVersion } from "../suite.ts";
import type { Diff } from "./diff.ts";

export interface Report {
  readonly schema: number;
  readonly suite: { readonly name: "stratus"; readonly version: string; readonly checks: number; readonly behaviours: number };
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly env: { readonly node: string; readonly platform: string; readonly arch: string };
  /** What was given to `stratus conformance`, for replay lines. Null where a runner ran it. */
  readonly module: string | null;
  readonly subjects: readonly SubjectReport[];
  /** Null where there is nothing to compare with. */
  readonly diff: Diff | null;
}

export interface SubjectReport {
  readonly name: string;
  readonly tier: Tier;
  readonly seed: number;
  /** Filters that were set; empty: everything of the tier. */
  readonly only: readonly string[];
  readonly stacks: readonly StackReport[];
  /** What the subject does not offer, and which checks it therefore cannot have. */
  readonly notOffered: Readonly<Partial<Record<Offer, readonly string[]>>>;
  /** Planned and never run: stopped, filtered by the runner, or the budget was used up. */
  readonly notRun: readonly { readonly check: string; readonly stack: string | null }[];
  readonly outcomes: readonly Outcome[];
}

export interface StackReport {
  /** Null: the subject as it is. */
  readonly name: string | null;
  /** What the store says of itself: `stats(caching(s3 bucket=photos))`. Null where none was ever opened. */
  readonly store: string | null;
  readonly declared: Capabilities | null;
}

export interface Counts {
  readonly total: number;
  readonly pass: number;
  readonly fail: number;
  readonly refused: number;
  readonly xfail: number;
  readonly xpass: number;
  readonly infra: number;
}

export function createReport(subjects: readonly SubjectReport[], now: number, module: string | null = null): Report {
  return {
    schema: schemaVersion,
    suite: { name: "stratus", version: suiteVersion, checks: checks.length, behaviours: new Set(checks.flatMap((check) => check.behaviours)).size },
    createdAt: new Date(now).toISOString(),
    env: { node: process.version, platform: process.platform, arch: process.arch },
    module,
    subjects,
    diff: null,
  };
}

export function count(outcomes: readonly Outcome[]): Counts {
  const of = (status: Outcome["status"]): number => outcomes.filter((outcome) => outcome.status === status).length;
  return {
    total: outcomes.length,
    pass: of("pass"),
    fail: of("fail"),
    refused: of("refused"),
    xfail: of("xfail"),
    xpass: of("xpass"),
    infra: of("infra-error"),
  };
}

/** Nothing failed, nothing vanished. What was not run is judged by whoever knows whether it should have been. */
export function isGreen(report: Report): boolean {
  return (
    report.subjects.every((subject) => subject.outcomes.every((outcome) => isGood(outcome.status))) &&
    (report.diff === null || report.diff.vanished.length === 0)
  );
}

/** "12 pass, 3 refused, 1 fail" */
export function countText(counts: Counts): string {
  const parts: string[] = [`${counts.pass} pass`];
  const more: readonly (readonly [number, string])[] = [
    [counts.refused, "refused as declared"],
    [counts.xfail, "fail as expected"],
    [counts.fail, "fail"],
    [counts.xpass, "pass unexpectedly"],
    [counts.infra, "could not be tried"],
  ];
  for (const [number, words] of more) if (number > 0) parts.push(`${number} ${words}`);
  return parts.join(", ");
}
