/** Makes what a check is handed from its connections, its place and its wire. */
import { HarnessError } from "./connections.ts";
import type { Connections } from "./connections.ts";
import type { Check, CheckContext, Tier } from "./check.ts";
import type { Place, SecondChannel, Subject } from "./subject.ts";
import type { Store } from "../store/index.ts";
import type { Wire } from "./wire/wire.ts";

export interface ContextOptions {
  readonly check: Check;
  readonly subject: Subject;
  readonly stack: string | null;
  readonly store: Store;
  readonly place: Place;
  readonly tier: Tier;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly wire: Wire | undefined;
  readonly connections: Connections;
  note(text: string): void;
}

export function createContext(options: ContextOptions): CheckContext {
  const { check, subject, store, place, connections, signal } = options;
  const offered = (offer: "raw" | "reopens"): void => {
    // A check that uses what it does not ask for would fail on every subject that does not have it: a defect of the check, said as such.
    if (!(check.offers ?? []).includes(offer)) throw new HarnessError(`${check.id} uses "${offer}" without asking for it in \`offers\``);
  };
  return {
    store,
    capabilities: store.capabilities,
    subject,
    stack: options.stack,
    place,
    tier: options.tier,
    random: options.random,
    signal,
    wire: options.wire,
    connect: () => connections.next(),
    bare: () => connections.bare(),
    async reopen(): Promise<Store> {
      offered("reopens");
      return await connections.reopen(0);
    },
    async raw(): Promise<SecondChannel> {
      offered("raw");
      return await connections.raw();
    },
    settled: (kind, look) => settled(kind, look, options),
    note: (text) => options.note(text),
  };
}

/** Timers end a little early, and a service counts in whole milliseconds of another clock. */
const clockGraceMs = 10;

/** Waits only on what is late by declaration; a strong store is looked at once, so that lateness it does not declare is a failure. */
async function settled<T>(kind: "read" | "list", look: () => Promise<T>, { store, place, signal, note }: ContextOptions): Promise<T> {
  const { consistency } = store.capabilities;
  if (consistency[kind] === "strong") return await look();
  const { clock } = place;
  const start = clock.monotonic();
  const end = start + consistency.settleMs + clockGraceMs;
  for (let wait = 10, looks = 1; ; wait = Math.min(wait * 2, 500), looks += 1) {
    const began = clock.monotonic();
    try {
      const found = await look();
      if (looks > 1) note(`${kind} settled after ${Math.round(clock.monotonic() - start)} ms (declared: at most ${consistency.settleMs} ms)`);
      return found;
    } catch (error) {
      // A look that began in time and took long says nothing about what is there now: one more.
      if (began >= end) throw error;
      await clock.sleep(Math.max(0, Math.min(wait, end - clock.monotonic())), signal);
    }
  }
}
