/** The one list of one-bug stores: each must be killed by a check that it names. */
import type { BrokenStore } from "./broken.ts";
import { broken as conditions } from "./conditions.ts";
import { broken as deletes } from "./deletes.ts";
import { broken as inputs } from "./inputs.ts";
import { broken as names } from "./names.ts";
import { broken as reads } from "./reads.ts";
import { broken as wire } from "./wire.ts";
import { broken as writes } from "./writes.ts";

export type { BrokenStore } from "./broken.ts";

export const brokenStores: readonly BrokenStore[] = [...deletes, ...writes, ...reads, ...names, ...conditions, ...inputs, ...wire];
