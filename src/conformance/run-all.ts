/**
 * The whole suite without a runner: for the command line, for scripts, for live services.
 *
 *   const report = await runConformance(subject, { tier: "smoke", onProgress: (event) => console.log(event.outcome?.check) });
 */
import { systemClock } from "../store/index.ts";
import type { Capabilities } from "../store/index.ts";
import type { Check, Tier } from "./check.ts";
import { checkOf } from "./checks/index.ts";
import { judge, validateExpectations } from "./expect.ts";
import { provePlaces } from "./live.ts";
import { createBudget } from "./meter.ts";
import type { Outcome } from "./outcome.ts";
import { runName } from "./place.ts";
import { planOf } from "./plan.ts";
import type { Planned } from "./plan.ts";
import { freshSeed } from "./random.ts";
import { createReport } from "./report/report.ts";
import type { Report, StackReport } from "./report/report.ts";
import { runCheck } from "./run.ts";
import type { Subject } from "./subject.ts";

export interface ConformanceOptions {
  /** Default: the subject's own, else STRATUS_TIER, else "full". */
  readonly tier?: Tier | undefined;
  /** Ids, groups or beginnings of ids. Default: all. */
  readonly only?: readonly string[] | undefined;
  /** Names of stacks; null means the subject as it is. Default: all. */
  readonly stacks?: readonly (string | null)[] | undefined;
  /** Further checks beside the suite's. */
  readonly extra?: readonly Check[] | undefined;
  /** Default: a fresh one, which is in the report. */
  readonly seed?: number | undefined;
  /**
   * Somebody else's service: proves first that places are separate, empties each place after its check through the store itself, and keeps the
   * budget. Nothing but what lies in the suite's own places is ever deleted.
   */
  readonly live?: boolean | undefined;
  /** Empties each place after its check through the store itself. Default: only with `live`, which proves first that places are separate. */
  readonly cleanUp?: boolean | undefined;
  /** For `live`. Requests where they are seen, calls of the store elsewhere. Default 20,000: smoke makes about 4,500 calls, over WebDAV 12,000 requests. */
  readonly maxRequests?: number | undefined;
  /** For `live`. Default 10. */
  readonly requestsPerSecond?: number | undefined;
  readonly onProgress?: ((event: Progress) => void) | undefined;
  /** Stops before the next check; what was not run is in the report. */
  readonly signal?: AbortSignal | undefined;
}

/** Enough for the tier smoke over a service that needs three requests a call. */
export const defaultMaxRequests = 20_000;

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly item: Planned;
  /** Undefined: it begins. */
  readonly outcome: Outcome | undefined;
  /** Requests or calls spent so far, for `live`. */
  readonly spent: number | undefined;
}

/** @throws TypeError for options or a subject that can never be right; never for what the store does */
export async function runConformance(subject: Subject, options: ConformanceOptions = {}): Promise<Report> {
  const extra = options.extra ?? [];
  validateExpectations(subject, (id) => checkOf(id) !== undefined || extra.some((check) => check.id === id));
  const plan = planOf(subject, options);
  const seed = options.seed ?? freshSeed();
  const run = runName();
  const budget =
    options.live === true
      ? createBudget({ maxRequests: options.maxRequests ?? defaultMaxRequests, requestsPerSecond: options.requestsPerSecond ?? 10 })
      : undefined;
  const stacks = new Map<string | null, StackReport>();
  for (const { stack } of plan.items) stacks.set(stack, { name: stack, store: null, declared: null });
  const opened = (stack: string | null) => (store: string, declared: Capabilities) => void stacks.set(stack, { name: stack, store, declared });
  const cleanUp = options.cleanUp ?? options.live === true;
  if (options.live === true) await provePlaces(subject, { run, seed });

  const outcomes: Outcome[] = [];
  const notRun: { readonly check: string; readonly stack: string | null }[] = [];
  for (const item of plan.items) {
    const { check, stack } = item;
    if (options.signal?.aborted === true || budget?.exhausted === true || hopeless(outcomes)) {
      notRun.push({ check: check.id, stack });
      continue;
    }
    const tell = (outcome: Outcome | undefined): void =>
      options.onProgress?.({ done: outcomes.length, total: plan.items.length, item, outcome, spent: budget?.spent });
    tell(undefined);
    const found = await runCheck(check, subject, { stack, tier: plan.tier, seed, run, budget, cleanUp, opened: opened(stack) });
    const outcome = judge(found, subject, systemClock.now());
    outcomes.push(outcome);
    tell(outcome);
  }
  return createReport(
    [{ name: subject.name, tier: plan.tier, seed, only: options.only ?? [], stacks: [...stacks.values()], notOffered: plan.notOffered, notRun, outcomes }],
    systemClock.now(),
  );
}

/** The subject has never been opened, three times for one reason: hundreds of further tries would say the same. The rest is named as not run. */
function hopeless(outcomes: readonly Outcome[]): boolean {
  const reasons = new Set(outcomes.map((outcome) => (outcome.status === "infra-error" ? outcome.failures[0]?.what : undefined)));
  return outcomes.length >= 3 && reasons.size === 1 && !reasons.has(undefined);
}
