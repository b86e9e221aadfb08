/** The same steps for many items, several at once, with every item that failed in the message. */
import { CheckFailure } from "../assert.ts";
import type { CheckContext } from "../check.ts";

/**
 * Runs `step` for all items, at most as many at once as the store likes and never more than eight. All of them run, also after one failed, so
 * that the failure names every item and the reader sees the pattern.
 * @throws CheckFailure with the first few failures
 */
export async function each<T>(t: CheckContext, items: readonly T[], name: (item: T) => string, step: (item: T, index: number) => Promise<void>): Promise<void> {
  const failures: { readonly item: string; readonly error: unknown }[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && !t.signal.aborted) {
      const index = next++;
      const item = items[index]!;
      try {
        await step(item, index);
      } catch (error) {
        failures.push({ item: name(item), error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(t.capabilities.concurrency, 8, items.length)) }, worker));
  t.signal.throwIfAborted();
  const first = failures[0];
  if (first === undefined) return;
  if (failures.length === 1 && items.length === 1) throw first.error;
  const told = failures.slice(0, 8).map(({ item, error }) => `${item}: ${error instanceof Error ? error.message.replaceAll("\n", " ") : String(error)}`);
  throw new CheckFailure(`holds for ${items.length - failures.length} of ${items.length}; not for:\n  ${told.join("\n  ")}`, "", "", first.error);
}
