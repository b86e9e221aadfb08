/** Conditions: only if absent, only if unchanged, only if changed, and races that exactly one may win (behaviours 77 to 82). */
import type { Check } from "../check.ts";
import { checks as create } from "./conditions-create.ts";
import { checks as read } from "./conditions-read.ts";
import { checks as replace } from "./conditions-replace.ts";
import { checks as transfer } from "./conditions-transfer.ts";

export const checks: readonly Check[] = [...create, ...replace, ...read, ...transfer];
