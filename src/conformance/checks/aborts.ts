/** Calls that are given up, and what must not be left of them (behaviours 65, 67, 68, 76). */
import type { Check } from "../check.ts";
import { checks as calls } from "./aborts-calls.ts";
import { checks as writes } from "./aborts-writes.ts";

export const checks: readonly Check[] = [...calls, ...writes];
