/**
 * The conformance suite: every check of the contract against your provider or your stack, in your runner or without one.
 *
 *   import { describe, test } from "vitest";                      // or from "node:test"
 *   import { conformance } from "stratus/conformance";
 *   import { createStore } from "stratus/author";
 *
 *   conformance({ describe, test }, {
 *     name: "acme",
 *     open: (place) => createStore(acme({ bucket: place.id })),
 *   });
 */
import { systemClock } from "../store/index.ts";
import { checkOf, groups } from "./checks/index.ts";
import { judge, validateExpectations } from "./expect.ts";
import { failureText } from "./failure-text.ts";
import { isGood } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { runName } from "./place.ts";
import { planOf } from "./plan.ts";
import type { Planned } from "./plan.ts";
import { freshSeed } from "./random.ts";
import { collector } from "./report/collect.ts";
import type { Collector } from "./report/collect.ts";
import { overheadMs, runCheck, timeoutOf } from "./run.ts";
import type { Runner, Subject } from "./subject.ts";

/** The check failed; the message is the whole story, the stack is that of the assertion. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(failureText(outcome));
    this.outcome = outcome;
    const stack = outcome.failures[0]?.stack ?? "";
    this.stack = stack === "" ? `${this.name}: ${this.message}` : `${this.name}: ${this.message}\n${stack}`;
  }
}

/**
 * Registers every check with the runner, synchronously. Capabilities are read from the store that `open` gives: a check whose capability is
 * not declared runs as the proof that the call is refused. There is no skip.
 * Environment: STRATUS_TIER (smoke, full, torture) where the subject names none, STRATUS_SEED, STRATUS_REPORT (a directory for the outcomes).
 * @throws TypeError for a subject that can never be right: an unknown tier, an `expectFail` of a check that does not exist
 */
export function conformance(runner: Runner, subject: Subject): void {
  validateExpectations(subject, (id) => checkOf(id) !== undefined);
  const plan = planOf(subject);
  const seed = seedFromEnvironment() ?? freshSeed();
  const run = runName();
  const collect = collector(subject, plan, seed, run);
  const stacks = [...new Set(plan.items.map((item) => item.stack))];
  for (const stack of stacks) {
    runner.describe(stack === null ? `conformance of ${subject.name}` : `conformance of ${subject.name} under ${stack}`, () => {
      for (const group of new Set(plan.items.map((item) => item.group))) {
        const items = plan.items.filter((item) => item.stack === stack && item.group === group);
        if (items.length === 0) continue;
        runner.describe(titleOf(group), () => {
          for (const item of items) register(item);
        });
      }
    });
  }

  function register({ check, stack }: Planned): void {
    runner.test(`${check.id}: ${check.title}`, { timeout: timeoutOf(check) + overheadMs }, async () => {
      const declared: Parameters<Collector["opened"]>[] = [];
      const found = await runCheck(check, subject, {
        stack,
        tier: plan.tier,
        seed,
        run,
        opened: (store, capabilities) => void declared.push([stack, store, capabilities]),
      });
      const outcome = judge(found, subject, systemClock.now());
      for (const one of declared) await collect?.opened(...one);
      await collect?.add(outcome);
      if (!isGood(outcome.status)) throw new ConformanceError(outcome);
    });
  }
}

/** @throws TypeError where STRATUS_SEED is set and no whole number */
function seedFromEnvironment(): number | undefined {
  const text = process.env["STRATUS_SEED"];
  if (text === undefined || text === "") return undefined;
  const seed = Number(text);
  if (!Number.isSafeInteger(seed)) throw new TypeError(`STRATUS_SEED must be a whole number, not ${JSON.stringify(text)}`);
  return seed;
}

function titleOf(group: string): string {
  return groups.find(({ name }) => name === group)?.title ?? group;
}

/** What checks assert with, for checks of your own: `assert.equal`, `assert.rejects`, `assert.pattern` ... */
export * as assert from "./assert.ts";
export { crashRuns } from "./crash/index.ts";
export type { CrashFigures, CrashOptions, CrashPlace, CrashSubject } from "./crash/index.ts";
export { CheckFailure } from "./failure.ts";
export { checkOf, checks, groupOf, groups } from "./checks/index.ts";
export type { Group } from "./checks/index.ts";
export { HarnessError } from "./connections.ts";
export { probeSubject } from "./probe/probe.ts";
export type { Finding, Verdict } from "./probe/probe.ts";
export { docOf } from "./doc.ts";
export { guarantees } from "./guarantees.ts";
export type { Guarantee } from "./guarantees.ts";
export { failureText, replayLine } from "./failure-text.ts";
export { isGood } from "./outcome.ts";
export type { Failure, FailureKind, Outcome, Status } from "./outcome.ts";
export { isPlaceId, madeAt, runName } from "./place.ts";
export { offers, planOf, tierOf } from "./plan.ts";
export type { Plan, PlanOptions, Planned } from "./plan.ts";
export { runCheck } from "./run.ts";
export { defaultMaxRequests, runConformance } from "./run-all.ts";
export type { ConformanceOptions, Progress } from "./run-all.ts";
export { compare } from "./report/diff.ts";
export type { Change, Diff } from "./report/diff.ts";
export { toJson, parseReport } from "./report/json.ts";
export { columnsOf, rowsOf } from "./report/columns.ts";
export type { Cell, Column, Row } from "./report/columns.ts";
export { toHtml } from "./report/html.ts";
export { toMarkdown } from "./report/markdown.ts";
export { collected } from "./report/collect.ts";
export { count, countText, createReport, isGreen } from "./report/report.ts";
export type { Counts, Report, StackReport, SubjectReport } from "./report/report.ts";
export type { RunOptions } from "./run.ts";
export type { Check, CheckContext, Offer, SupportKey, Tier } from "./check.ts";
export type { Place, Runner, SecondChannel, Subject } from "./subject.ts";
export type { Exchange, Fault, FaultKind, Wire } from "./wire/wire.ts";
