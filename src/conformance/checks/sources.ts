/** Bodies that fail, end early, run long, never end or are never wanted: nothing is stored, nothing is held (behaviours 39, 40, 43, 66, 69). */
import type { Check } from "../check.ts";
import { checks as expect } from "./sources-expect.ts";
import { checks as length } from "./sources-length.ts";
import { checks as streams } from "./sources-streams.ts";

export const checks: readonly Check[] = [...length, ...expect, ...streams];
