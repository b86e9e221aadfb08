/**
 * Runs one check against one subject, alone or under a stack, and says what came out. Never throws for what the store does.
 *
 *   const outcome = await runCheck(check, subject, { seed: 7 });
 *   if (outcome.status === "fail") console.log(failureText(outcome));
 */
import { CheckFailure } from "./failure.ts";
import { StoreError } from "../store/index.ts";
import type { Capabilities, Clock } from "../store/index.ts";
import type { Check, SupportKey, Tier } from "./check.ts";
import { groupOf } from "./checks/index.ts";
import { HarnessError, connections } from "./connections.ts";
import { createContext } from "./context.ts";
import { emptyPlace } from "./clean-up.ts";
import { docOf } from "./doc.ts";
import { startWatch } from "./leaks.ts";
import { metered } from "./meter.ts";
import type { Budget } from "./meter.ts";
import type { Failure, FailureKind, Outcome } from "./outcome.ts";
import { openSite, runName } from "./place.ts";
import type { Site } from "./place.ts";
import { freshSeed } from "./random.ts";
import { createRecorder } from "./recorder.ts";
import { show } from "./show.ts";
import { proveRefused } from "./refusals.ts";
import type { Subject } from "./subject.ts";

export interface RunOptions {
  /** Null or left out: the subject as it is. */
  readonly stack?: string | null | undefined;
  readonly tier?: Tier | undefined;
  readonly seed?: number | undefined;
  /** First part of the ids of all places. Default: a fresh one. */
  readonly run?: string | undefined;
  readonly clock?: Clock | undefined;
  /** For live services: what may be spent, and everything at the place is deleted afterwards through the store itself. */
  readonly budget?: Budget | undefined;
  readonly cleanUp?: boolean | undefined;
  /** Called once the store stands, with its description and what it declares. */
  readonly opened?: ((store: string, declared: Capabilities) => void) | undefined;
}

const defaultTimeoutMs = 30_000;
/** Beyond the time of the check: closing, leak checks, clean-up. What the runner must allow on top. */
export const overheadMs = 60_000;

export function timeoutOf(check: Check): number {
  return check.timeoutMs ?? defaultTimeoutMs;
}

export async function runCheck(check: Check, subject: Subject, options: RunOptions = {}): Promise<Outcome> {
  const { stack = null, tier = "full", seed = freshSeed(), run = runName() } = options;
  const started = performance.now();
  const failures: Failure[] = [];
  const notes: string[] = [];
  const noted = (kind: FailureKind, error: unknown): void => void failures.push(failureOf(kind, error));
  let refused: readonly SupportKey[] = [];
  const watch = await startWatch();
  let site: Site;
  try {
    site = await openSite({ run, seed, label: `${check.id} ${stack ?? ""}`, wire: subject.wire === true, clock: options.clock });
  } catch (error) {
    await watch.end("");
    return outcome({ failures: [failureOf("harness", error)] });
  }
  const meter = site.proxy === undefined ? undefined : metered(site.proxy);
  const { budget } = options;
  const recorder = createRecorder({ wire: meter?.wire, gate: budget === undefined ? undefined : () => budget.gate(meter?.total().requests ?? null) });
  const open = connections({ subject, stack, site, recorder, mustCount: budget !== undefined, outside: (action) => watch.outside(action) });
  const over = new AbortController();

  try {
    const store = await open.open(0);
    options.opened?.(String(store), store.capabilities);
    const missing = (check.needs ?? []).filter((key) => store.capabilities[key] === false);
    const context = createContext({
      check,
      subject,
      stack,
      store,
      tier,
      connections: open,
      place: await site.place(0),
      random: site.random,
      signal: over.signal,
      wire: meter?.wire,
      note: (text) => void notes.push(text),
    });
    refused = missing;
    await inTime(() => watch.run(() => (missing.length === 0 ? check.run(context) : proveRefused(context, missing))), timeoutOf(check), over);
  } catch (error) {
    noted(kindOf(error, refused.length > 0), error);
  }
  over.abort(new Error("the check is over"));
  meter?.wire.mend();
  if (options.cleanUp === true) {
    const problem = await emptyPlace(() => open.cleaner(), subject, site);
    if (problem !== undefined) noted("leftover", problem);
  }
  for (const problem of await watch.run(() => open.close())) noted("close", problem);
  if (subject.leftovers !== undefined) {
    try {
      for (const left of await subject.leftovers(await site.place(0))) noted("leftover", `left over at the service: ${left}`);
    } catch (error) {
      noted(
        "harness",
        new HarnessError(`the subject could not look for leftovers: ${error instanceof Error ? error.message : String(error)}`, { cause: error }),
      );
    }
  }
  const traffic = meter?.total();
  budget?.settle(traffic?.requests ?? null, recorder.calls);
  const sockets = site.proxy === undefined ? 0 : await drained(site.proxy);
  if (sockets > 0)
    noted("leak", `${sockets} connections to the service are still open after close (of the global fetch? Give the provider place.fetch: its pool is known)`);
  const transcript = failures.length === 0 ? [] : [...recorder.lines];
  await site.cut();
  for (const leak of await watch.end(site.base)) noted("leak", leak);
  await site.remove();
  return outcome({ failures, calls: recorder.calls, traffic, transcript });

  function outcome(found: {
    readonly failures: readonly Failure[];
    readonly calls?: number;
    readonly traffic?: { readonly requests: number; readonly bytesUp: number; readonly bytesDown: number } | undefined;
    readonly transcript?: readonly string[];
  }): Outcome {
    const first = found.failures[0];
    return {
      check: check.id,
      group: groupOf(check.id),
      title: check.title,
      why: check.why,
      stack,
      status: first === undefined ? (refused.length > 0 ? "refused" : "pass") : first.kind === "harness" ? "infra-error" : "fail",
      ms: Math.round(performance.now() - started),
      calls: found.calls ?? 0,
      requests: found.traffic?.requests ?? null,
      bytesUp: found.traffic?.bytesUp ?? null,
      bytesDown: found.traffic?.bytesDown ?? null,
      seed,
      notes,
      refused,
      failures: found.failures,
      transcript: found.transcript ?? [],
      expected: null,
      doc: docOf(check.id),
    };
  }
}

class TimeoutFailure extends CheckFailure {}

/** Ends the wait, not the check: what it does afterwards meets a fired signal and closed stores. */
async function inTime(action: () => Promise<void>, ms: number, over: AbortController): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const failure = new TimeoutFailure("the check ends in time", `at most ${ms} ms`, "it still runs");
    over.abort(failure);
    late.reject(failure);
  }, ms);
  try {
    await Promise.race([action(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function kindOf(error: unknown, refusing: boolean): FailureKind {
  if (error instanceof HarnessError) return "harness";
  if (error instanceof TimeoutFailure) return "timeout";
  if (error instanceof CheckFailure) return refusing ? "not-refused" : "assertion";
  return "error";
}

function failureOf(kind: FailureKind, error: unknown): Failure {
  const stack =
    error instanceof Error
      ? (error.stack ?? "")
          .split("\n")
          .filter((line) => /^\s+at /.test(line))
          .slice(0, 12)
          .join("\n")
      : "";
  if (error instanceof CheckFailure) return { kind, what: error.what, expected: error.expected, found: error.actual, stack };
  if (StoreError.is(error)) return { kind, what: "a call that must succeed succeeds", expected: "success", found: show(error), stack };
  if (kind === "error") return { kind, what: "the check runs to its end", expected: "nothing else is thrown", found: show(error), stack };
  return { kind, what: error instanceof Error ? error.message : String(error), expected: "", found: "", stack };
}

/** Connections end a moment after the close that ends them. */
async function drained(proxy: { readonly held: number }): Promise<number> {
  const end = performance.now() + 1500;
  for (let wait = 5; proxy.held > 0 && performance.now() < end; wait = Math.min(wait * 2, 100)) await new Promise((next) => setTimeout(next, wait));
  return proxy.held;
}
