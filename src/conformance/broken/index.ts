/** The one list of one-bug stores: each must be killed by a check that it names. */
import type { BrokenStore } from "./broken.ts";
import { broken as answers } from "./answers.ts";
import { broken as conditions } from "./conditions.ts";
import { broken as copies } from "./copies.ts";
import { broken as deletes } from "./deletes.ts";
import { broken as directories } from "./directories.ts";
import { broken as foreign } from "./foreign.ts";
import { broken as inputs } from "./inputs.ts";
import { broken as listings } from "./listings.ts";
import { broken as lives } from "./lives.ts";
import { broken as names } from "./names.ts";
import { broken as properties } from "./properties.ts";
import { broken as races } from "./races.ts";
import { broken as reads } from "./reads.ts";
import { broken as reopened } from "./reopened.ts";
import { broken as wire } from "./wire.ts";
import { broken as writes } from "./writes.ts";

export type { BrokenStore } from "./broken.ts";

export const brokenStores: readonly BrokenStore[] = [
  ...deletes,
  ...writes,
  ...reads,
  ...names,
  ...conditions,
  ...inputs,
  ...listings,
  ...properties,
  ...copies,
  ...directories,
  ...races,
  ...answers,
  ...lives,
  ...foreign,
  ...reopened,
  ...wire,
];
