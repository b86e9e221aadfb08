/**
 * Measures several ways of doing one thing side by side: interleaved rounds in one process, so that whatever slows the machine slows all of them, and
 * the median of the faster half of each, so that neither a lucky round nor what else the machine does decides: other work only ever slows.
 *
 *   const rates = await measure({ ours: () => store.stat("/f"), theirs: () => op.stat("f") });
 *   report(figure("stat", rates, "ours", "theirs", { least: 10 }));
 */
import type { Figure } from "./figure.ts";

export interface MeasureOptions {
  /** Rounds of each; the first is warming up and does not count. Default 21. */
  readonly rounds?: number;
  /** How long one round of one of them lasts, about. Default 50. */
  readonly roundMs?: number;
  /** Calls in flight at once. Default 1. */
  readonly width?: number;
}
export type Contender = (count: number) => Promise<unknown>;

/** Calls per second of each, by name. */
export async function measure<N extends string>(
  contenders: Readonly<Record<N, Contender>>,
  options: MeasureOptions = {},
): Promise<Readonly<Record<N, number>>> {
  const { rounds = 21, roundMs = 50, width = 1 } = options;
  const names = Object.keys(contenders) as N[];
  const rates = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<N, number[]>;
  const batches = {} as Record<N, number>;
  for (const name of names) batches[name] = await batchOf(contenders[name], width, roundMs);
  for (let round = 0; round < rounds; round++) {
    // Another order each time: nobody is always the one after the slow one.
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length] as N;
      const rate = await timed(contenders[name], batches[name], width);
      if (round > 0) rates[name].push(rate);
    }
  }
  return Object.fromEntries(names.map((name) => [name, typical(rates[name])])) as Record<N, number>;
}

/**
 * Nanoseconds per call of each, by name: the least of many short interleaved rounds. For differences of a fraction of a microsecond, which the median of
 * a busy machine drowns: whatever else runs only ever adds.
 */
export async function least<N extends string>(
  contenders: Readonly<Record<N, Contender>>,
  { rounds = 400, calls = 500 }: { readonly rounds?: number; readonly calls?: number } = {},
): Promise<Readonly<Record<N, number>>> {
  const names = Object.keys(contenders) as N[];
  const best = Object.fromEntries(names.map((name) => [name, Infinity])) as Record<N, number>;
  for (let round = 0; round < rounds; round++) for (const name of names) best[name] = Math.min(best[name], 1e9 / (await timed(contenders[name], calls, 1)));
  return best;
}

/** How many calls fill a round. */
async function batchOf(run: Contender, width: number, roundMs: number): Promise<number> {
  let count = width;
  for (;;) {
    const rate = await timed(run, count, width);
    const ms = (count / rate) * 1000;
    if (ms >= roundMs / 3) return Math.max(width, Math.round((count * roundMs) / ms));
    count = Math.ceil(count * Math.min(10, Math.max(2, roundMs / Math.max(ms, 0.001))));
  }
}

/** Calls per second over so many calls. */
async function timed(run: Contender, calls: number, width: number): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) await run(next++);
  };
  const start = performance.now();
  if (width === 1) await worker();
  else await Promise.all(Array.from({ length: width }, worker));
  return calls / ((performance.now() - start) / 1000);
}

/** The median of the faster half. */
function typical(rates: readonly number[]): number {
  const sorted = rates.toSorted((a, b) => b - a);
  return median(sorted.slice(0, Math.max(1, Math.ceil(sorted.length / 2))));
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

export interface FigureOptions {
  /** The ratio must be at least this. */
  readonly least?: number;
  /** Default "calls/s". */
  readonly unit?: string;
  /** Units per call, for "MiB/s". Default 1. */
  readonly perCall?: number;
}

export function figure<N extends string>(
  name: string,
  rates: Readonly<Record<N, number>>,
  ours: NoInfer<N>,
  against: NoInfer<N>,
  { least, unit = "calls/s", perCall = 1 }: FigureOptions = {},
): Figure {
  const ratio = rates[ours] / rates[against];
  return {
    name,
    value: rates[ours] * perCall,
    unit,
    against,
    ratio,
    goal: least === undefined ? null : `at least ${roundly(least)}`,
    met: least === undefined ? null : ratio >= least,
  };
}

function roundly(ratio: number): string {
  return String(Math.round(ratio * 100) / 100);
}
