/** What checks of sizes share: writing so many bytes, reading them back, and where to try. */
import { equal, patternStream, verifyPattern } from "../assert.ts";
import type { CheckContext } from "../check.ts";

export const kib = 1024;

export const mib: number = 1024 * kib;

/** Tried on every store, whether it declares steps or not: buffers of Node, of proxies and of programs. */
export const usualSteps: readonly number[] = [1, 16, 4 * kib, 16 * kib, 64 * kib];

/** Writes so many bytes of a pattern, reads them back while comparing, and looks at size and end. */
export async function roundTrip(t: CheckContext, path: string, length: number, known: boolean): Promise<void> {
  const entry = await t.store.write(path, patternStream(length, path), known ? { size: length } : {});
  if (entry.size !== null) equal(entry.size, length, "the entry of the write tells the size");
  await t.settled("read", async () => {
    const found = await t.store.stat(path);
    if (found.size !== null) equal(found.size, length, "stat tells the size");
    await using whole = await t.store.read(path);
    if (whole.length !== null) equal(whole.length, length, "the result tells the length");
    await verifyPattern(whole, length, path);
    if (t.capabilities.readRange === false || length < 2) return;
    const offset = Math.max(1, length - 1000);
    await using end = await t.store.read(path, { range: { offset } });
    await verifyPattern(end, length - offset, path, offset);
  });
  await t.store.delete(path);
}

/** One less, exactly, one more, twice, twice and one more. */
export function around(step: number): readonly number[] {
  return [step - 1, step, step + 1, 2 * step, 2 * step + 1].filter((size) => size >= 0);
}

/** Largest body that a check of this tier sends. */
export function largest(t: CheckContext): number {
  return Math.min(t.tier === "torture" ? 1024 * mib : 64 * mib, t.capabilities.maxFileBytes);
}

/** All sizes around the usual and the declared steps, ascending; those too large for the tier are told in the report. */
export function stepsOf(t: CheckContext): readonly number[] {
  const steps = t.capabilities.sizeSteps;
  const sizes = [...new Set([...usualSteps, ...steps].flatMap(around))].sort((left, right) => left - right);
  const left = sizes.filter((size) => size > largest(t));
  if (left.length > 0) t.note(`not sent in tier ${t.tier}: sizes ${left.join(", ")}`);
  return sizes.filter((size) => size <= largest(t));
}
