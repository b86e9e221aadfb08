/** Counts requests of a whole check although the check may `clear` its wire, and of a whole run for budgets and rates. */
import { HarnessError } from "./connections.ts";
import type { Wire } from "./wire/wire.ts";

export interface Traffic {
  readonly requests: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** The same wire for the check, with totals that outlive its `clear`. */
export function metered(wire: Wire): { readonly wire: Wire; readonly total: () => Traffic } {
  let past: Traffic = { requests: 0, bytesUp: 0, bytesDown: 0 };
  const now = (): Traffic => {
    let { requests, bytesUp, bytesDown } = past;
    for (const exchange of wire.exchanges) {
      requests += 1;
      bytesUp += exchange.bytesUp;
      bytesDown += exchange.bytesDown;
    }
    return { requests, bytesUp, bytesDown };
  };
  const facade: Wire = {
    get exchanges() {
      return wire.exchanges;
    },
    clear() {
      past = now();
      wire.clear();
    },
    break: (fault) => wire.break(fault),
    mend: () => wire.mend(),
    get open() {
      return wire.open;
    },
    get held() {
      return wire.held;
    },
    get busy() {
      return wire.busy;
    },
  };
  return { wire: facade, total: now };
}

export interface BudgetOptions {
  /** Requests (calls, where requests are not seen) for the whole run. Default: unlimited. */
  readonly maxRequests?: number | undefined;
  /** Default: unlimited. */
  readonly requestsPerSecond?: number | undefined;
}

/** Thrown into the check whose next call would exceed the budget. */
export class BudgetError extends HarnessError {}

/** What a run may spend at a live service. */
export interface Budget {
  readonly spent: number;
  readonly exhausted: boolean;
  /** Before each call. `requests` so far in this check, where they are seen. */
  gate(requests: number | null): Promise<void>;
  /** After a check: what it really cost beyond what the gate saw. */
  settle(requests: number | null, calls: number): void;
}

export function createBudget(options: BudgetOptions): Budget {
  const { maxRequests = Infinity, requestsPerSecond = Infinity } = options;
  let settled = 0;
  let running = 0;
  let due = performance.now();
  return {
    get spent() {
      return settled + running;
    },
    get exhausted() {
      return settled + running >= maxRequests;
    },
    async gate(requests) {
      running = requests ?? running + 1;
      if (settled + running >= maxRequests) throw new BudgetError(`the budget of ${maxRequests} requests is used up`);
      if (requestsPerSecond === Infinity) return;
      const now = performance.now();
      due = Math.max(due, now) + 1000 / requestsPerSecond;
      const wait = due - now;
      if (wait > 1) await new Promise((next) => setTimeout(next, wait));
    },
    settle(requests, calls) {
      settled += requests ?? calls;
      running = 0;
    },
  };
}
