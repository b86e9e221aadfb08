/**
 * The wire: every request of every operation is broken in every way, and the store must still tell the truth. For subjects whose traffic goes through
 * the loopback proxy (`wire: true`). What a sweep is stands in wire-sweep.ts, what is swept in wire-scenarios.ts.
 */
import type { Check } from "../check.ts";
import { costs } from "./wire-cost.ts";
import { ends } from "./wire-ends.ts";
import { sweeps } from "./wire-faults.ts";

export const checks: readonly Check[] = [...sweeps, ...ends, ...costs];
