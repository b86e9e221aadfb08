/**
 * Tries the suite itself: is each one-bug store killed by the checks that say so, and does each strange but legal one pass?
 *
 *   const verdict = await judgeBroken(store);       // { id: "M07", killed: ["writes.overwrite.shorter"], missed: [] }
 *   const { failed } = await judgeLegal(store, checks);
 */
import type { Check, Tier } from "../check.ts";
import { groupOf } from "../checks/index.ts";
import { failureText } from "../failure-text.ts";
import { isGood } from "../outcome.ts";
import type { Outcome } from "../outcome.ts";
import { runCheck } from "../run.ts";
import { offers } from "../plan.ts";
import type { BrokenStore } from "./broken.ts";
import { laws } from "./laws.ts";
import type { LegalStore } from "./legal.ts";

/** The same random numbers every time: a kill that depends on luck is none. */
const seed = 20261121;

export interface BrokenVerdict {
  readonly id: string;
  readonly bug: string;
  /** Checks that failed for the right reason. */
  readonly killed: readonly string[];
  /** Checks that are said to kill it and did not, with what happened instead. */
  readonly missed: readonly { readonly check: string; readonly instead: string }[];
  /** Why each of `killed` failed, in one line. */
  readonly reasons: readonly string[];
  readonly ms: number;
}

/** Runs the given checks; `expected` are those that must fail. */
export async function judgeBroken(store: BrokenStore, expected: readonly string[], checks: readonly Check[]): Promise<BrokenVerdict> {
  const started = performance.now();
  const killed: string[] = [];
  const reasons: string[] = [];
  const missed: { readonly check: string; readonly instead: string }[] = [];
  for (const check of checks) {
    const subject = store.subject();
    if (!(check.offers ?? []).every((offer) => offers(subject, offer))) {
      if (expected.includes(check.id)) missed.push({ check: check.id, instead: `not run: the store does not offer ${(check.offers ?? []).join(", ")}` });
      continue;
    }
    const outcome = await runCheck(check, subject, { seed, tier: tierFor(check) });
    const why = reason(outcome, store);
    if (why.kill) {
      killed.push(check.id);
      reasons.push(why.text);
    } else if (expected.includes(check.id)) missed.push({ check: check.id, instead: why.text });
  }
  for (const id of expected) if (!checks.some((check) => check.id === id)) missed.push({ check: id, instead: "there is no such check" });
  return { id: store.id, bug: store.bug, killed, missed, reasons, ms: Math.round(performance.now() - started) };
}

/** A check that fails in any other way than by what it looks for has not seen the bug. */
function reason(outcome: Outcome, store: BrokenStore): { readonly kill: boolean; readonly text: string } {
  const [first] = outcome.failures;
  if (outcome.status !== "fail" || first === undefined) return { kill: false, text: outcome.status };
  const text = `${first.kind}: ${first.what}`;
  switch (first.kind) {
    case "assertion":
    case "leak":
    case "leftover":
    case "close":
    case "not-refused":
      return { kill: true, text };
    case "error":
      // A call of the store was refused; anything else thrown is a crash of the check.
      return { kill: first.what === "a call that must succeed succeeds", text };
    case "timeout":
      return { kill: store.hangs === true, text };
    case "harness":
      return { kill: false, text };
  }
}

export interface LegalVerdict {
  readonly id: string;
  readonly strange: string;
  readonly passed: number;
  readonly refused: number;
  readonly failed: readonly { readonly check: string; readonly text: string }[];
  readonly ms: number;
  /** The slowest checks, for whoever wants the run to be shorter. */
  readonly slow: readonly { readonly check: string; readonly ms: number }[];
}

/** Checks that take long take it from the machine, whatever the store: they are tried on the first legal store, and on the others where there is time. */
export function isLong(check: Check): boolean {
  return (check.timeoutMs ?? 0) >= 120_000 && groupOf(check.id) !== "wire" && groupOf(check.id) !== "model";
}

export async function judgeLegal(store: LegalStore, checks: readonly Check[]): Promise<LegalVerdict> {
  const started = performance.now();
  let passed = 0;
  let refused = 0;
  const failed: { readonly check: string; readonly text: string }[] = [];
  const subject = store.subject();
  const times: { readonly check: string; readonly ms: number }[] = [];
  for (const check of checks) {
    if (check.stackOnly === true || !(check.offers ?? []).every((offer) => offers(subject, offer))) continue;
    const outcome = await runCheck(check, subject, { seed, tier: tierFor(check) });
    times.push({ check: check.id, ms: outcome.ms });
    if (!isGood(outcome.status)) failed.push({ check: check.id, text: failureText(outcome) });
    else if (outcome.status === "refused") refused += 1;
    else passed += 1;
  }
  return {
    id: store.id,
    strange: store.strange,
    passed,
    refused,
    failed,
    ms: Math.round(performance.now() - started),
    slow: times.sort((a, b) => b.ms - a.ms).slice(0, 12),
  };
}

/** In the tier it belongs to: a smoke check does no more than smoke. */
function tierFor(check: Check): Tier {
  return check.tier === "torture" ? "torture" : "full";
}

export interface Claims {
  /** Checks by one-bug store: those that it names, and those that name it. */
  readonly of: (store: BrokenStore) => readonly string[];
  /** Checks that name a store that does not exist. */
  readonly unknown: readonly string[];
  /** Checks that name no store, and are marked as laws. */
  readonly laws: readonly string[];
  /** Checks that name no store and are not marked, and marks that are out of date. */
  readonly unmarked: readonly string[];
}

/** "M23" in a check means M23 and its variants M23b, M23c: at least one of them must confirm it. */
export function claimsOf(stores: readonly BrokenStore[], checks: readonly Check[], marked: Readonly<Record<string, string>> = laws): Claims {
  const silent = checks.filter(({ kills }) => kills.length === 0).map(({ id }) => id);
  const rowOf = (id: string): string => id.replace(/(?<=\d)[a-z]$/, "");
  return {
    of: (store) => store.killedBy,
    unknown: checks.flatMap(({ id, kills }) =>
      kills
        .filter((kill) => !stores.some((store) => store.id === kill || rowOf(store.id) === kill))
        .map((kill) => `${id} claims to kill ${kill}, and there is no such store`),
    ),
    laws: silent.filter((id) => Object.hasOwn(marked, id)),
    unmarked: [
      ...silent.filter((id) => !Object.hasOwn(marked, id)).map((id) => `${id} kills nothing, and is not marked as a law`),
      ...Object.keys(marked)
        .filter((id) => !silent.includes(id))
        .map((id) => `${id} is marked as a law, and ${checks.some((check) => check.id === id) ? "claims kills" : "does not exist"}`),
    ],
  };
}

/** Claims of checks that no store confirms. */
export function unconfirmed(verdicts: readonly BrokenVerdict[], checks: readonly Check[]): string[] {
  const rowOf = (id: string): string => id.replace(/(?<=\d)[a-z]$/, "");
  return checks.flatMap(({ id, kills }) =>
    kills
      .filter((kill) => !verdicts.some((verdict) => (verdict.id === kill || rowOf(verdict.id) === kill) && verdict.killed.includes(id)))
      .map((kill) => `${id} claims to kill ${kill}, and does not`),
  );
}
