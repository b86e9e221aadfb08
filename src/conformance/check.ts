/**
 * A check is data: what must hold, why, which behaviour and which one-bug store stand behind it, and a function that throws where it does not hold.
 *
 *   export const checks: readonly Check[] = [
 *     { id: "write.overwrite.shorter", title: "a shorter file replaces a longer one whole", why: "…", tier: "smoke", behaviours: [61],
 *       guarantees: ["write.replaces"], kills: ["M07"], async run({ store }) { … } },
 *   ];
 *
 * Ids are stable: lists of expected failures and comparisons of reports name them.
 */
import type { Capabilities, Store } from "../store/index.ts";
import type { Place, SecondChannel, Subject } from "./subject.ts";
import type { Wire } from "./wire/wire.ts";

export type Tier = "smoke" | "full" | "torture";

/** The capabilities that are a `Support`: those a call can be refused for. */
export type SupportKey = {
  [K in keyof Capabilities]: Capabilities[K] extends "native" | "emulated" | false ? (false extends Capabilities[K] ? K : never) : never;
}[keyof Capabilities];

/** What the subject itself must offer, beyond its store. A check that needs one of these is registered only where it is offered; the report names what is not. */
export type Offer = "raw" | "reopens" | "unavailable" | "wire";

export interface Check {
  /** "<group>.<thing>.<case>", lower case; the group is the file it stands in. */
  readonly id: string;
  /** What must hold, one sentence. */
  readonly title: string;
  /** Why it matters: the real bug behind it, in a sentence or two. Shown to whoever fails it. */
  readonly why: string;
  readonly tier: Tier;
  /** Rows of the behaviour table (reference/conformance.md section 2). At least one, unless it is a law of our own. */
  readonly behaviours: readonly number[];
  /** Ids of the guarantees in docs/contract.md that it proves. */
  readonly guarantees: readonly string[];
  /** Rows of docs/rows.md that it proves ("CF6"). */
  readonly rows?: readonly string[];
  /** One-bug stores that it kills. */
  readonly kills: readonly string[];
  /** Where one of these is not declared, the suite runs the proof that the call is refused instead of `run`. */
  readonly needs?: readonly SupportKey[];
  readonly offers?: readonly Offer[];
  /** Laws that compare a stack with what it wraps: registered for stacks only. */
  readonly stackOnly?: boolean;
  /** Default 30,000; large bodies and many files take more. */
  readonly timeoutMs?: number;
  /** Throws where it does not hold. A check decides by `capabilities` where the contract has two legal answers, and asserts the declared one. */
  run(context: CheckContext): Promise<void>;
}

export interface CheckContext {
  /** Opened at a place of its own, empty. Closed by the suite. */
  readonly store: Store;
  readonly capabilities: Capabilities;
  readonly subject: Subject;
  /** The stack that runs on top of the subject; null: the subject as it is. */
  readonly stack: string | null;
  readonly place: Place;
  readonly tier: Tier;
  /** Seeded; the seed is in the report and replays the check. */
  readonly random: () => number;
  /** Fires when the time of the check is over. */
  readonly signal: AbortSignal;
  /** A further connection to the same place; closed by the suite. */
  connect(): Promise<Store>;
  /** A further connection to the same place without the layers of the stack: what a wrapper really did. Closed by the suite. */
  bare(): Promise<Store>;
  /** Closes `store` (or the given connection) and opens the same connection again. Needs the offer "reopens". */
  reopen(): Promise<Store>;
  /** The second channel. Needs the offer "raw". */
  raw(): Promise<SecondChannel>;
  /**
   * For a look that may be late by declaration: repeats until `look` no longer throws, for at most `consistency.settleMs` of the declared kind
   * ("read" or "list"); with strong consistency it looks once.
   */
  settled<T>(kind: "read" | "list", look: () => Promise<T>): Promise<T>;
  /** The proxy in front of the service, which counts and breaks requests. Needs the offer "wire". */
  readonly wire: Wire | undefined;
  /** A fact for the report: a measured settle time, the number of requests. */
  note(text: string): void;
}
