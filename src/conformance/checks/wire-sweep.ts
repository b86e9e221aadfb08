/**
 * The fault sweep: runs a scenario once to count its requests, then once per request and kind of fault, and judges what came out.
 *
 *   await sweep(t, { kinds: ["resetAfter"], scenario: { changes: true, prepare, act, look } });
 *
 * What must hold, whatever breaks: the result is right, or a typed error that tells the truth about what happened; seen by a connection that nothing
 * broke; nothing stays under way; and the store goes on working, since the next step begins on it.
 */
import { StoreError, hasCode } from "../../store/index.ts";
import type { ErrorCode, Store } from "../../store/index.ts";
import { CheckFailure, complete, fail, ok, show } from "../assert.ts";
import type { CheckContext } from "../check.ts";
import type { Exchange, FaultKind, Wire } from "../wire/wire.ts";

/** What is there after a change: all of it, nothing of it, or (trees only) some of it. */
export type State = "before" | "after" | "partly";

export interface Scenario {
  /** Sets up a step of its own, with nothing broken. */
  prepare(step: number): Promise<void>;
  /** The operation. @throws CheckFailure for a result that is wrong */
  act(store: Store, step: number, signal: AbortSignal): Promise<void>;
  /** For changes: what is there now. @throws CheckFailure for anything that neither the old nor the new version explains */
  look?(step: number, failed: boolean): Promise<State>;
  /** Requests that pass while a fault lasts: giving up what was begun, which only a service that hears of it can do. */
  spares?(request: { readonly method: string; readonly target: string }): boolean;
  /** Codes that are the truth where the request happened and its answer did not arrive: `already-exists` for a create that may be one's own. Never with `applied: false`. */
  readonly ambiguous?: readonly ErrorCode[];
}

export interface Sweep {
  readonly scenario: Scenario;
  /** Default: all that mean something for it. */
  readonly kinds?: readonly FaultKind[];
  /** Which requests and faults. Default: all. */
  readonly only?: (exchange: Exchange, kind: FaultKind) => boolean;
  /** Faults that are played three times in a row as well, from each request on: what is tried again by the provider itself fails at last, and what comes after it works. Default: unavailable. */
  readonly lasting?: readonly FaultKind[];
  /** Requests broken per kind outside the torture tier, spread evenly, the first and the last among them. Default 6. */
  readonly most?: number;
}

export const everyKind: readonly FaultKind[] = [
  "refused",
  "resetBefore",
  "resetAfter",
  "failedAfter",
  "throttled",
  "unavailable",
  "stall",
  "truncated",
  "short",
  "wrongRange",
  "wholeForRange",
  "expired",
  "twice",
];
/** The service did it, or may have, and the client does not get to hear of it. */
export const answerLost: ReadonlySet<FaultKind> = new Set<FaultKind>(["resetAfter", "failedAfter", "stall", "truncated", "short", "twice"]);

/** Requests that change nothing, by their method alone: of services that are asked by POST this says nothing. */
const QUESTIONS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PROPFIND"]);

/** What becomes of the request nobody is told. */
const UNANSWERED: ReadonlySet<FaultKind> = new Set<FaultKind>(["resetAfter", "failedAfter", "stall"]);

/** How long a call may take that nothing holds up: tries again and pauses of the provider included. */
const patienceMs = 30_000;

export async function sweep(t: CheckContext, { scenario, kinds = everyKind, lasting = ["unavailable"], only = () => true, most = 6 }: Sweep): Promise<void> {
  const wire = wireOf(t);
  let step = 0;
  // Twice: the first run may say hello (log in, look at the root), the second is what is counted.
  for (let calm = 0; calm < 2; calm += 1) {
    step += 1;
    await scenario.prepare(step);
    wire.clear();
    await scenario.act(t.store, step, t.signal);
    if (scenario.look !== undefined) ok((await scenario.look(step, false)) === "after", "with nothing broken the change is there");
  }
  const counted = [...wire.exchanges].filter(({ fault }) => fault === null);
  ok(counted.length > 0, "the operation makes requests that the wire sees: does the subject give `place.route(url)` to its provider?");
  const requests = t.tier === "torture" ? counted : spread(counted, most);
  let played = 0;
  const broken = async (kind: FaultKind, exchange: Exchange, lasts: boolean): Promise<void> => {
    if (!only(exchange, kind)) return;
    step += 1;
    played += await breakAt(t, scenario, step, { kind, at: exchange.index - (counted[0]?.index ?? 0), lasts });
  };
  for (const kind of kinds) for (const exchange of requests) await broken(kind, exchange, false);
  for (const kind of lasting) for (const exchange of t.tier === "torture" ? requests : spread(requests, 4)) await broken(kind, exchange, true);
  ok(played > 0, "at least one fault was played");
  t.note(`${counted.length} requests, ${played} faults played`);
}

export function wireOf(t: CheckContext): Wire {
  return t.wire ?? fail("a check of the wire has a wire");
}

function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))] as T);
}

interface Broken {
  readonly kind: FaultKind;
  readonly at: number;
  readonly lasts: boolean;
}

async function breakAt(t: CheckContext, scenario: Scenario, step: number, { kind, at, lasts }: Broken): Promise<number> {
  const wire = wireOf(t);
  const where = `${kind}${lasts ? " three times" : ""} at request ${at + 1}`;
  await prepareAgain(t, scenario, step, where);
  wire.clear();
  const hits = ({ method, target, index }: { readonly method: string; readonly target: string; readonly index: number }): boolean =>
    index >= at && scenario.spares?.({ method, target }) !== true;
  wire.break({ kind, retryAfterSeconds: 0, ...(lasts ? { at: hits, times: 3 } : { at }) });
  const outcome = await attempt(t, scenario, step, kind);
  const played = wire.exchanges.some(({ fault }) => fault !== null);
  const asked = wire.exchanges.every(({ method }) => QUESTIONS.has(method));
  const open = wire.exchanges.some(({ method, fault }) => method === "DELETE" && fault !== null && UNANSWERED.has(fault));
  const story = wire.exchanges
    .map(({ method, target, status, fault }) => `${method} ${target} ${status ?? "no answer"}${fault === null ? "" : ` [${fault}]`}`)
    .join("; ");
  wire.mend();
  try {
    await judge(scenario, step, kind, outcome, { asked, open });
    await settled(wire, where);
  } catch (error) {
    if (error instanceof CheckFailure)
      throw new CheckFailure(`${where}: ${error.what}`, error.expected, `${error.actual === "" ? "" : `${error.actual}; `}requests: ${story}`, error);
    throw new CheckFailure(`${where}: a look afterwards succeeds`, "success", `${show(error)}; requests: ${story}`, error);
  }
  return played ? 1 : 0;
}

/** The step before must not have spoiled the store. Credentials that were refused for good are taken up again by `reconnect`, as the contract says. */
async function prepareAgain(t: CheckContext, scenario: Scenario, step: number, where: string): Promise<void> {
  try {
    await scenario.prepare(step);
  } catch (error) {
    if (!hasCode(error, "unauthenticated", "permission-denied"))
      throw new CheckFailure(`before "${where}": the store works again after what was broken before`, "success", show(error), error);
    await t.store.reconnect();
    await scenario.prepare(step);
  }
}

interface Failed {
  readonly error: unknown;
}

async function attempt(t: CheckContext, scenario: Scenario, step: number, kind: FaultKind): Promise<Failed | undefined> {
  const wire = wireOf(t);
  const giveUp = new AbortController();
  const acting = scenario.act(t.store, step, AbortSignal.any([giveUp.signal, t.signal])).then(
    () => undefined,
    (error: unknown): Failed => ({ error }),
  );
  const ended = new AbortController();
  void acting.then(() => ended.abort());
  if (kind === "stall") {
    // Gives up once the answer is known to hang, as a caller does whose patience is over.
    while (!ended.signal.aborted && !wire.exchanges.some(({ fault }) => fault === "stall")) await wait(5, ended.signal);
    await wait(40, ended.signal);
    giveUp.abort(new Error("the check gives up"));
  }
  return await within(acting, patienceMs, kind === "stall" ? "a call ends when its signal fires" : "a call ends, with a result or an error");
}

/** `asked`: all requests were questions. `open`: a deletion had no answer that says what became of it. */
async function judge(
  scenario: Scenario,
  step: number,
  kind: FaultKind,
  outcome: Failed | undefined,
  { asked, open }: { readonly asked: boolean; readonly open: boolean },
): Promise<void> {
  const state = await scenario.look?.(step, outcome !== undefined);
  if (outcome === undefined) {
    if (state !== undefined) ok(state === "after", "a change that is reported as done is there", state);
    return;
  }
  const { error } = outcome;
  if (error instanceof CheckFailure) throw error;
  if (!StoreError.is(error)) return fail("what fails is a StoreError", "a StoreError", show(error), error);
  complete(error, "the error");
  const honest = codesFor(kind, scenario);
  if (!honest.includes(error.code)) fail("the code says what happened on the way", `one of ${honest.join(", ")}`, show(error), error);
  if (state === undefined) {
    ok(error.applied === false, "a question changes nothing, and its error says so", error);
    return;
  }
  if (asked) ok(error.applied === false, "a change that has only asked so far has changed nothing, and its error says so", error);
  if (open) ok(error.applied !== "partly", 'what has no answer can still happen, so the error says "unknown"', error);
  // The service answered twice and only the second answer arrived: nobody can know.
  if (kind === "twice") return;
  const { applied } = error;
  if (applied === false) ok(state === "before", "`applied` is false only where nothing was changed", `${state}; ${show(error)}`);
  if (applied === true) ok(state === "after", "`applied` is true only where the change is there", `${state}; ${show(error)}`);
  if (state === "partly") ok(applied === "partly" || applied === "unknown", "a change that is there in part is reported as such", show(error));
}

function codesFor(kind: FaultKind, scenario: Scenario): readonly ErrorCode[] {
  const lost = answerLost.has(kind) ? (scenario.ambiguous ?? []) : [];
  switch (kind) {
    case "throttled":
      return ["rate-limited", "unavailable"];
    case "unavailable":
      return ["unavailable", "rate-limited"];
    case "expired":
      return ["unauthenticated", "permission-denied"];
    case "stall":
      return ["aborted", "timeout", ...lost];
    case "twice":
      return ["conflict", "unavailable", "integrity", "not-found", "already-exists", "precondition-failed", "unauthenticated", ...lost];
    case "short":
    case "wrongRange":
    case "wholeForRange":
      return ["integrity", "unavailable", "conflict", ...lost];
    default:
      return ["unavailable", "timeout", "conflict", "integrity", ...lost];
  }
}

/** Nothing is under way any more: connections of a call that ended were let go. */
export async function settled(wire: Wire, what: string): Promise<void> {
  const end = performance.now() + 3000;
  for (let ms = 1; wire.busy > 0; ms = Math.min(ms * 2, 50)) {
    if (performance.now() > end) fail(`${what}: a call that has ended lets go of its connection`, "nothing under way", `${wire.busy} requests under way`);
    await wait(ms);
  }
}

/** What the promise gives, or a failure when it takes longer. */
export async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new CheckFailure(what, `within ${ms} ms`, "it goes on")), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The time of the wire is real, whatever clock the store has. */
export function wait(ms: number, ended?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (ended?.aborted === true) return done();
    const timer = setTimeout(finish, ms);
    ended?.addEventListener("abort", finish, { once: true });
    function finish(): void {
      clearTimeout(timer);
      ended?.removeEventListener("abort", finish);
      done();
    }
  });
}
