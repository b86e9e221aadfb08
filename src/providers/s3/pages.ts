/**
 * One page of keys, and only of those that were asked for: what a verb deletes or calls a directory rests on it.
 *
 *   const { objects } = await keyPage(context, { prefix: "photos/", max: 1 }, signal);
 */
import { StoreError } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { MAX_KEY_BYTES } from "./vendors.ts";
import type { KeyPage, KeyQuery } from "./wire.ts";

/** @throws StoreError `unavailable` for keys outside of the prefix, and for a page that leads to itself */
export async function keyPage({ wire }: Context, query: KeyQuery, signal: AbortSignal | undefined): Promise<KeyPage> {
  // No key is so long; services refuse the question.
  if (Buffer.byteLength(query.prefix) > MAX_KEY_BYTES) return { objects: [], prefixes: [], next: null };
  const page = await wire.list(query, signal);
  const stranger = page.objects.some(({ key }) => !key.startsWith(query.prefix)) || page.prefixes.some((prefix) => !prefix.startsWith(query.prefix));
  if (stranger) throw new StoreError("unavailable", "the service lists keys that were not asked for", { applied: false });
  if (page.next !== null && page.next === query.token)
    throw new StoreError("unavailable", "the service gives the same page again and again", { applied: false });
  return page;
}
