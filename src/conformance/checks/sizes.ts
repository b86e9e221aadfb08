/** Sizes at which stores go wrong: nothing, one byte, chunk borders, powers of two, large, too large (behaviours 31 to 38, 41, 72). */
import type { Check } from "../check.ts";
import { checks as large } from "./sizes-large.ts";
import { checks as small } from "./sizes-small.ts";
import { checks as steps } from "./sizes-steps.ts";

export const checks: readonly Check[] = [...small, ...steps, ...large];
