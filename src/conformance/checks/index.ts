/** The one list of checks, in groups: a group is a file, a page in docs/checks, and a row of the matrix. */
import type { Check } from "../check.ts";
import { checks as aborts } from "./aborts.ts";
import { checks as bodies } from "./bodies.ts";
import { checks as capabilities } from "./capabilities.ts";
import { checks as concurrency } from "./concurrency.ts";
import { checks as conditions } from "./conditions.ts";
import { checks as copyMove } from "./copy-move.ts";
import { checks as deleteDirs } from "./delete-dirs.ts";
import { checks as errors } from "./errors.ts";
import { checks as lengths } from "./lengths.ts";
import { checks as lifecycle } from "./lifecycle.ts";
import { checks as listing } from "./listing.ts";
import { checks as metadata } from "./metadata.ts";
import { checks as model } from "./model.ts";
import { checks as names } from "./names.ts";
import { checks as paths } from "./paths.ts";
import { checks as ranges } from "./ranges.ts";
import { checks as raw } from "./raw.ts";
import { checks as reads } from "./reads.ts";
import { checks as sizes } from "./sizes.ts";
import { checks as sources } from "./sources.ts";
import { checks as spaceAccount } from "./space-account.ts";
import { checks as stack } from "./stack.ts";
import { checks as wire } from "./wire.ts";
import { checks as writes } from "./writes.ts";

export interface Group {
  /** The file: "names". */
  readonly name: string;
  /** For people: "Names". */
  readonly title: string;
  readonly checks: readonly Check[];
}

export const groups: readonly Group[] = [
  { name: "names", title: "Names", checks: names },
  { name: "paths", title: "Paths", checks: paths },
  { name: "sizes", title: "Sizes", checks: sizes },
  { name: "lengths", title: "Name lengths", checks: lengths },
  { name: "bodies", title: "Bodies", checks: bodies },
  { name: "sources", title: "Sources", checks: sources },
  { name: "reads", title: "Reads", checks: reads },
  { name: "ranges", title: "Ranges", checks: ranges },
  { name: "writes", title: "Writes", checks: writes },
  { name: "aborts", title: "Aborts and failures", checks: aborts },
  { name: "conditions", title: "Conditions", checks: conditions },
  { name: "listing", title: "Listing", checks: listing },
  { name: "metadata", title: "Metadata", checks: metadata },
  { name: "copy-move", title: "Copy and move", checks: copyMove },
  { name: "delete-dirs", title: "Delete and directories", checks: deleteDirs },
  { name: "concurrency", title: "Concurrency", checks: concurrency },
  { name: "errors", title: "Errors", checks: errors },
  { name: "lifecycle", title: "Life cycle", checks: lifecycle },
  { name: "capabilities", title: "Capabilities", checks: capabilities },
  { name: "space-account", title: "Space and account", checks: spaceAccount },
  { name: "raw", title: "Second channel", checks: raw },
  { name: "wire", title: "Wire", checks: wire },
  { name: "model", title: "Model", checks: model },
  { name: "stack", title: "Stacks", checks: stack },
];

/** All checks, in the order of the groups. */
export const checks: readonly Check[] = groups.flatMap((group) => group.checks);

const byId = new Map<string, { readonly check: Check; readonly group: Group }>();
for (const group of groups) {
  for (const check of group.checks) {
    if (byId.has(check.id)) throw new TypeError(`two checks have the id ${check.id}`);
    byId.set(check.id, { check, group });
  }
}

export function checkOf(id: string): Check | undefined {
  return byId.get(id)?.check;
}

/** The group of a check; of one that is not in the list (a check of somebody else's), the first part of its id. */
export function groupOf(id: string): string {
  return byId.get(id)?.group.name ?? (id.split(".", 1)[0] as string);
}
