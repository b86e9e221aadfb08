/** The one list of checks, in groups: a group is a file, a page in docs/checks, and a row of the matrix. */
import type { Check } from "../check.ts";

export interface Group {
  /** The file: "names". */
  readonly name: string;
  /** For people: "Names". */
  readonly title: string;
  readonly checks: readonly Check[];
}

export const groups: readonly Group[] = [
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
