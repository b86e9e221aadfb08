/** What checks of conditions share: etags, and bodies small enough for a condition. */
import { ok } from "../assert.ts";
import type { CheckContext, SupportKey } from "../check.ts";
import { rwl } from "./look.ts";

/** The etag of the file as `stat` says it now; every condition needs one. */
export async function etagOf(t: CheckContext, path: string): Promise<string> {
  const entry = await t.settled("read", () => t.store.stat(path, { fresh: true }));
  ok(entry.etag !== null, "a store that has conditions on etags tells etags", entry);
  return entry.etag;
}

/** An etag that no version of the file has or had. */
export const never = "0-never-an-etag-of-anything";

/** Bodies small enough for a condition. */
export function fits(t: CheckContext, length: number): number {
  return Math.min(length, t.capabilities.maxConditionalBytes);
}

export const needs = (...keys: readonly SupportKey[]): readonly SupportKey[] => [...rwl, ...keys];
