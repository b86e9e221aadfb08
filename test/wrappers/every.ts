/** Every wrapper of this release that needs nothing but a store, as quick as it can be, for runs of the suite over it. */
import { manualClock } from "../../src/store/index.ts";
import type { Layer } from "../../src/store/index.ts";
import { fault, latency, limit, log, prefix, readOnly, retry, stats, throttle, timeout } from "../../src/wrappers/index.ts";

export const wrappers: Readonly<Record<string, () => Layer>> = {
  prefix: () => prefix("/some/where"),
  readOnly,
  retry: () => retry({ clock: manualClock() }),
  limit: () => limit({ concurrency: 4 }),
  fault: () => fault({ probability: 0 }),
  throttle: () => throttle({ upBytesPerSecond: 1e12, downBytesPerSecond: 1e12 }),
  latency: () => latency({ clock: manualClock() }),
  timeout: () => timeout({ replyMs: 600_000 }),
  log: () => log({ sink: { write() {} } }),
  stats: () => stats(),
};

export function layerOf(name: string): Layer {
  const make = wrappers[name];
  if (make === undefined) throw new Error(`there is no wrapper ${name}`);
  return make();
}

/**
 * Every ordered pair of these, each with itself too, directly over one another exactly once: a de Bruijn sequence of order two, cut into stacks of so many
 * layers that share their ends. A hundred pairs are ten stacks.
 */
export function chains(names: readonly string[], length: number): string[][] {
  const sequence = names.flatMap((name, i) => [name, ...names.slice(i + 1).flatMap((other) => [name, other])]);
  // It closes: the last is followed by the first.
  const ring = [...sequence, sequence[0] as string];
  const out: string[][] = [];
  for (let at = 0; at < sequence.length; at += length - 1) out.push(ring.slice(at, at + length));
  return out;
}
