/** The suite over each wrapper on memory: alone in full, twice and in ordered pairs as smoke. */
import { describe, test } from "vitest";
import { conformance } from "../../src/conformance/index.ts";
import type { Subject } from "../../src/conformance/index.ts";
import { manualClock } from "../../src/store/index.ts";
import type { Layer } from "../../src/store/index.ts";
import { fault, latency, limit, log, prefix, readOnly, retry, stats, throttle, timeout } from "../../src/wrappers/index.ts";
import { memorySubject } from "../conformance-suite/memory-subject.ts";

const wrappers: Readonly<Record<string, () => Layer>> = {
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
type Stacks = NonNullable<Subject["stacks"]>;
const names = Object.keys(wrappers);
const alone: Stacks = Object.fromEntries(names.map((name) => [name, () => [layerOf(name)]]));
const pairs: Stacks = Object.fromEntries(
  names.flatMap((outer) => names.map((inner) => [`${outer} over ${inner}`, () => [layerOf(inner).as(`inner ${inner}`), layerOf(outer)]])),
);

function layerOf(name: string): Layer {
  const make = wrappers[name];
  if (make === undefined) throw new Error(`there is no wrapper ${name}`);
  return make();
}

conformance({ describe, test }, memorySubject({ stacks: alone }));
conformance({ describe, test }, memorySubject({ name: "memory, pairs", stacks: pairs, tier: "smoke" }));
