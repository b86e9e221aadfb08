/**
 * The figures as OpenTelemetry instruments. Only the duration is recorded call by call; all others are read from the counters when the SDK asks, so that
 * they cost nothing in between.
 */
import { StoreError } from "../../store/index.ts";
import type { Clock, ErrorCode, Operation } from "../../store/index.ts";
import type { Flow } from "./flow.ts";
import type { Listener, Recorder } from "./recorder.ts";
import { cacheFigures } from "./reports.ts";
import type { Reported } from "./reports.ts";

type Attributes = Record<string, string>;
interface InstrumentOptions {
  readonly description?: string;
  readonly unit?: string;
  readonly advice?: { readonly explicitBucketBoundaries?: number[] };
}
interface Observation {
  observe(value: number, attributes?: Attributes): void;
}
interface Observable {
  addCallback(callback: (result: Observation) => void): void;
  removeCallback(callback: (result: Observation) => void): void;
}
/** What is needed of a Meter of `@opentelemetry/api`; every one of its versions 1.x fits. */
export interface MeterLike {
  createHistogram(name: string, options?: InstrumentOptions): { record(value: number, attributes?: Attributes): void };
  createObservableCounter(name: string, options?: InstrumentOptions): Observable;
  createObservableUpDownCounter(name: string, options?: InstrumentOptions): Observable;
}

export interface Instruments {
  readonly listener: Listener;
  /** Callbacks are removed: a closed store reports nothing. */
  close(): void;
}

const BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60];

/** The global one. @throws StoreError `config` where `@opentelemetry/api` cannot be loaded; without an SDK it does nothing. */
export async function globalMeter(): Promise<MeterLike> {
  try {
    const { metrics } = await import("@opentelemetry/api");
    return metrics.getMeter("stratus");
  } catch (error) {
    // Only the package itself missing is the user's to mend; one that fails inside is shown as it is.
    const missing = (error as { readonly code?: unknown }).code === "ERR_MODULE_NOT_FOUND" && (error as Error).message.includes("@opentelemetry/api");
    const reason = missing
      ? "stats with openTelemetry needs the package @opentelemetry/api: npm install @opentelemetry/api"
      : "the package @opentelemetry/api could not be loaded";
    throw new StoreError("config", reason, { cause: error });
  }
}

export function instruments(
  meter: MeterLike,
  recorder: Recorder,
  clock: Clock,
  names: { readonly store: string; readonly layer: string },
  reported: () => Reported,
): Instruments {
  const common: Attributes = { "stratus.store.name": names.store, "stratus.layer.name": names.layer };
  const byOperation = cached((operation: Operation) => ({ ...common, "stratus.operation.name": operation }));
  const duration = meter.createHistogram("stratus.client.operation.duration", {
    description: "Duration of store operations, bodies included",
    unit: "s",
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
  const flows = (): [string, Flow][] => [
    ["transmit", recorder.up],
    ["receive", recorder.down],
  ];
  const eachFlow = (value: (flow: Flow) => number) => (result: Observation) => {
    for (const [direction, flow] of flows()) result.observe(value(flow), { ...common, "network.io.direction": direction });
  };

  const undo: (() => void)[] = [];
  const observe = (instrument: Observable, callback: (result: Observation) => void): void => {
    instrument.addCallback(callback);
    undo.push(() => instrument.removeCallback(callback));
  };
  observe(meter.createObservableUpDownCounter("stratus.client.operation.active", { description: "Operations under way", unit: "{operation}" }), (result) => {
    for (const [operation, { inFlight }] of recorder.operations) result.observe(inFlight, byOperation(operation));
  });
  observe(
    meter.createObservableCounter("stratus.client.io", { description: "Bytes of bodies", unit: "By" }),
    eachFlow((flow) => flow.lifetimeBytes),
  );
  observe(
    meter.createObservableCounter("stratus.client.transfer.busy", { description: "Time in which at least one transfer was open", unit: "s" }),
    eachFlow((flow) => flow.lifetimeBusyMs(clock.monotonic()) / 1000),
  );
  const eachCache = (key: string, value: (figures: ReturnType<typeof cacheFigures>) => readonly (readonly [number, Attributes])[]) => (result: Observation) => {
    const all = reported();
    for (const layer of new Set(Object.keys(all).flatMap((name) => (name.endsWith(`.${key}`) ? [name.slice(0, name.lastIndexOf("."))] : [])))) {
      const own = Object.fromEntries(Object.entries(all).filter(([name]) => name.slice(0, name.lastIndexOf(".")) === layer));
      for (const [number, attributes] of value(cacheFigures(own))) result.observe(number, { ...common, "stratus.layer.name": layer, ...attributes });
    }
  };
  observe(
    meter.createObservableUpDownCounter("stratus.cache.pending", { description: "Files that wait for their upload", unit: "{file}" }),
    eachCache("dirtyFiles", ({ dirtyFiles }) => [[dirtyFiles, {}]]),
  );
  observe(
    meter.createObservableUpDownCounter("stratus.cache.size", { description: "Bytes in the cache", unit: "By" }),
    eachCache("cacheBytes", ({ cacheBytes }) => [[cacheBytes, {}]]),
  );
  observe(
    meter.createObservableCounter("stratus.cache.requests", { description: "Requests to the cache", unit: "{request}" }),
    eachCache("hits", ({ hits, misses }) => [
      [hits, { "stratus.cache.result": "hit" }],
      [misses, { "stratus.cache.result": "miss" }],
    ]),
  );

  const failing = cached((operation: Operation, code: ErrorCode) => ({ ...byOperation(operation), "error.type": code as string }));
  return {
    listener: (operation, ms, error) => duration.record(ms / 1000, error === undefined ? byOperation(operation) : failing(operation, error)),
    close: () => undo.splice(0).forEach((remove) => remove()),
  };
}

/** Made once for each pair, so that a call makes no objects. */
function cached<A extends string, B extends string = never>(make: (a: A, b: B) => Attributes): (a: A, b?: B) => Attributes {
  const known = new Map<string, Attributes>();
  return (a, b) => {
    const key = b === undefined ? a : `${a} ${b}`;
    let found = known.get(key);
    if (found === undefined) known.set(key, (found = make(a, b as B)));
    return found;
  };
}
