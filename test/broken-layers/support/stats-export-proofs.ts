/** What must hold of the statistics: what layers below report, and the ways out (Prometheus, OpenTelemetry). */
import assert from "node:assert/strict";
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { Histogram, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { memory } from "../../../src/providers/memory/index.ts";
import { borrow, combine, control, find, kindOf, layer, manualClock, stack } from "../../../src/store/index.ts";
import type { Layer } from "../../../src/store/index.ts";
import type { StatsControl } from "../../../src/wrappers/index.ts";
import type { Proof } from "../registry.ts";
import type { Wrappers } from "./mutant.ts";
import { parsePrometheus } from "./prometheus-parser.ts";
import { codeOf, failure, service } from "./service.ts";

type Report = Readonly<Record<string, number | string | boolean>>;

/** A layer that does nothing but report. */
export function reporting<N extends string>(name: N, report: () => Report): Layer<N> {
  return layer(name, (inner) => ({ backend: inner, control: { ...control(name, {}, {}), report } }));
}

const cache = (): Report => ({
  dirtyFiles: 3,
  dirtyBytes: 300,
  cacheBytes: 4096,
  softLimitBytes: 10_000,
  hardLimitBytes: 20_000,
  overHardLimit: false,
  hits: 12,
  misses: 4,
  oldestPendingMs: 2500,
  heartbeatAgeMs: 40,
  uploader: "running",
});

export const reportsBelow: Proof<Wrappers> = {
  name: "CF29, CF30: figures of the layers below are in the snapshot, read when it is asked for; a report that throws is left out",
  async run({ stats }) {
    let dirty = 3;
    const caching = reporting("caching", () => ({ ...cache(), dirtyFiles: dirty }));
    const meta = reporting("meta", () => ({ hits: 100, misses: 1 }));
    const broken = reporting("broken", () => {
      throw new Error("no report today");
    });
    const clock = manualClock();
    await using store = stack(memory(), caching, meta, broken, stats({ clock }).as("remote"), stats({ clock }));
    assert.doesNotThrow(() => store.layers.stats.snapshot());
    assert.deepEqual(store.layers.stats.snapshot().cache, {
      dirtyFiles: 3,
      dirtyBytes: 300,
      cacheBytes: 4096,
      softLimitBytes: 10_000,
      hardLimitBytes: 20_000,
      overHardLimit: false,
      hits: 112,
      misses: 5,
    });
    dirty = 7;
    const { reported, cache: figures } = store.layers.stats.snapshot();
    assert.equal(figures.dirtyFiles, 7);
    assert.equal(reported["caching.uploader"], "running");
    assert.equal(reported["meta.hits"], 100);
    assert.equal(reported["remote.calls"], 0);
    assert.ok(!Object.keys(reported).some((name) => name.startsWith("broken.") || name.startsWith("stats.")));
    assert.match(store.layers.stats.text(), /7 files pending, 4\.1 kB cached, 112 hits, 5 misses/);
    assert.deepEqual(JSON.parse(JSON.stringify(store.layers.stats.snapshot())), store.layers.stats.snapshot());
  },
};

export const branchesReported: Proof<Wrappers> = {
  name: "stats: layers in the branches of a store over several report too",
  async run({ stats }) {
    const branch = (dirtyFiles: number): ReturnType<typeof memory> =>
      stack(
        memory(),
        reporting("caching", () => ({ dirtyFiles })),
      );
    const both = combine("pair", [branch(2), branch(5)], ([first]) => ({ backend: first as NonNullable<typeof first> }));
    await using store = stack(both, stats());
    const { reported, cache: figures, store: name } = store.layers.stats.snapshot();
    assert.equal(figures.dirtyFiles, 7);
    assert.equal(reported["pair[0]/caching.dirtyFiles"], 2);
    assert.equal(reported["pair[1]/caching.dirtyFiles"], 5);
    assert.equal(name, "pair");
    await using lent = stack(borrow(store));
    assert.equal(find(lent, kindOf("stats"))?.kind, "stats");
  },
};

export const heartbeat: Proof<Wrappers> = {
  name: "CF32: a layer whose heartbeat is older than the limit, or that says so, is told as stalled",
  async run({ stats }) {
    let ageMs = 1000;
    let uploader = "running";
    await using store = stack(
      memory(),
      reporting("caching", () => ({ heartbeatAgeMs: ageMs, uploader })),
      stats({ stallMs: 5000 }),
    );
    assert.deepEqual(store.layers.stats.snapshot().stalled, []);
    ageMs = 5001;
    assert.deepEqual(store.layers.stats.snapshot().stalled, ["caching"]);
    assert.match(store.layers.stats.text(), /stalled: caching/);
    await store.layers.stats.configure({ stallMs: 10_000 });
    assert.deepEqual(store.layers.stats.snapshot().stalled, []);
    uploader = "stalled";
    assert.deepEqual(store.layers.stats.snapshot().stalled, ["caching"]);
  },
};

export const prometheusPage: Proof<Wrappers> = {
  name: "stats: the Prometheus page is valid, complete, escaped and holds no path",
  async run({ stats }) {
    const clock = manualClock(1_700_000_000_000);
    const below = service(clock);
    const odd = 'od"d\\na\nme';
    await using store = stack(
      below.store,
      reporting("caching", cache),
      reporting("limit", () => ({ oldestReader: "/home/secret.txt", waiting: 2, "odd-Key": 1, state: 5, ready: true })),
      stats({ clock }).as(odd),
    );
    const counted = find(store, kindOf<StatsControl>("stats")) as StatsControl;
    await store.write("/home/secret.txt", new Uint8Array(1000));
    below.delayMs = 300;
    const read = store.read("/home/secret.txt").then((body) => body.bytes());
    await clock.advance(300);
    await clock.advance(300);
    await read;
    below.failing.set("stat", failure("rate-limited"));
    await codeOf(store.stat("/home/secret.txt"));
    const text = counted.prometheus();
    assert.ok(!text.includes("secret"), "no path");
    const page = parsePrometheus(text);
    const value = (name: string, labels: Record<string, string>): number => {
      const family = [...page.values()].find(({ samples }) => samples.some((sample) => sample.name === name));
      const found =
        family?.samples.filter((sample) => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text)) ?? [];
      assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}`);
      return found[0]?.value as number;
    };
    for (const { samples } of page.values()) for (const { labels } of samples) assert.deepEqual([labels["stack"], labels["layer"]], ["memory", odd]);
    assert.equal(value("stratus_operation_duration_seconds_count", { operation: "read" }), 1);
    assert.equal(value("stratus_operation_duration_seconds_sum", { operation: "read" }), 0.3);
    assert.equal(value("stratus_operation_duration_seconds_bucket", { operation: "read", le: "0.131072" }), 0);
    assert.equal(value("stratus_operation_duration_seconds_bucket", { operation: "read", le: "0.524288" }), 1);
    assert.equal(value("stratus_transfer_duration_seconds_count", { operation: "read" }), 1);
    assert.equal(value("stratus_operation_errors_total", { operation: "stat", code: "rate-limited" }), 1);
    assert.equal(value("stratus_operations_in_flight", { operation: "read" }), 0);
    assert.equal(value("stratus_transferred_bytes_total", { direction: "up" }), 1000);
    assert.equal(value("stratus_transferred_bytes_total", { direction: "down" }), 1000);
    assert.equal(value("stratus_transfer_busy_seconds_total", { direction: "down" }), 0.3);
    assert.ok(Math.abs(value("stratus_transfer_rate_bytes_per_second", { direction: "down" }) - 1000 / 0.3) < 0.001);
    assert.equal(value("stratus_last_error_timestamp_seconds", { operation: "stat", code: "rate-limited" }), 1_700_000_000.6);
    assert.equal(value("stratus_report_dirty_files", { reporter: "caching" }), 3);
    assert.equal(value("stratus_report_cache_bytes", { reporter: "caching" }), 4096);
    assert.equal(value("stratus_report_oldest_pending_seconds", { reporter: "caching" }), 2.5);
    assert.equal(value("stratus_report_over_hard_limit", { reporter: "caching" }), 0);
    assert.equal(value("stratus_report_ready", { reporter: "limit" }), 1);
    assert.equal(value("stratus_report_odd_key", { reporter: "limit" }), 1);
    assert.equal(value("stratus_report_state", { reporter: "caching", key: "uploader", value: "running" }), 1);
  },
};

export const openTelemetry: Proof<Wrappers> = {
  name: "stats: OpenTelemetry gets the same figures, and nothing any more once the store is closed",
  async run({ stats }) {
    const clock = manualClock();
    const below = service(clock);
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 86_400_000 });
    const provider = new MeterProvider({ readers: [reader] });
    try {
      let asked = 0;
      const caching = reporting("caching", () => {
        asked++;
        return cache();
      });
      const store = stack(below.store, caching, stats({ clock, openTelemetry: provider.getMeter("test") }));
      await store.write("/f", new Uint8Array(1000));
      await (await store.read("/f")).bytes();
      below.failing.set("stat", failure("unavailable"));
      await codeOf(store.stat("/f"));
      store.layers.stats.reset();
      const open = await store.read("/f");
      const metrics = await collected(provider, exporter);
      const point = (name: string, attributes: Record<string, string>): unknown => {
        const found = metrics.get(name)?.filter((one) => Object.entries(attributes).every(([key, text]) => one.attributes[key] === text)) ?? [];
        assert.equal(found.length, 1, `${name} ${JSON.stringify(attributes)}`);
        return found[0]?.value;
      };
      const count = (value: unknown): number => (value as Histogram).count;
      const duration = "stratus.client.operation.duration";
      assert.equal(count(point(duration, { "stratus.operation.name": "write", "stratus.store.name": "memory", "stratus.layer.name": "stats" })), 1);
      assert.equal(count(point(duration, { "stratus.operation.name": "stat", "error.type": "unavailable" })), 1);
      assert.ok(metrics.get(duration)?.every(({ attributes }) => attributes["error.type"] === undefined || attributes["stratus.operation.name"] === "stat"));
      assert.equal(point("stratus.client.operation.active", { "stratus.operation.name": "read" }), 1);
      // Counters never go back, whatever `reset` does to the snapshot.
      assert.equal(point("stratus.client.io", { "network.io.direction": "transmit" }), 1000);
      assert.equal(point("stratus.client.io", { "network.io.direction": "receive" }), 1000);
      assert.equal(point("stratus.client.transfer.busy", { "network.io.direction": "transmit" }), 0);
      assert.equal(point("stratus.cache.pending", { "stratus.layer.name": "caching" }), 3);
      assert.equal(point("stratus.cache.size", { "stratus.layer.name": "caching" }), 4096);
      assert.equal(point("stratus.cache.requests", { "stratus.cache.result": "hit" }), 12);
      assert.equal(point("stratus.cache.requests", { "stratus.cache.result": "miss" }), 4);
      await open[Symbol.asyncDispose]();
      await store.close();
      assert.ok(asked > 0);
      asked = 0;
      await collected(provider, exporter);
      assert.equal(asked, 0, "nobody is asked any more");
    } finally {
      await provider.shutdown();
    }
  },
};

type Point = { readonly attributes: Readonly<Record<string, unknown>>; readonly value: unknown };

async function collected(provider: MeterProvider, exporter: InMemoryMetricExporter): Promise<Map<string, readonly Point[]>> {
  exporter.reset();
  await provider.forceFlush();
  const [all] = exporter.getMetrics() as [ResourceMetrics];
  const out = new Map<string, readonly Point[]>();
  for (const { metrics } of all.scopeMetrics) for (const { descriptor, dataPoints } of metrics) if (dataPoints.length > 0) out.set(descriptor.name, dataPoints);
  return out;
}

export const exportProofs: readonly Proof<Wrappers>[] = [reportsBelow, branchesReported, heartbeat, prometheusPage, openTelemetry];
