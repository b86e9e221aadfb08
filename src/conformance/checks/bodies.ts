/** What may be a body, and what a store may do with it (behaviours 42 to 44, 111; bodies that fail are in sources.ts). */
import type { Check } from "../check.ts";
import { checks as chunks } from "./bodies-chunks.ts";
import { checks as flow } from "./bodies-flow.ts";
import { checks as kinds } from "./bodies-kinds.ts";

export const checks: readonly Check[] = [...kinds, ...chunks, ...flow];
