/**
 * What a stack does, in figures: calls, errors, bytes, latencies, rates, and what the layers below report. Changes nothing that anybody sees.
 *
 *   const store = stack(s3({ bucket }), caching({ directory }), stats());
 *   store.layers.stats.snapshot().up.bytesPerSecond;
 *   store.layers.stats.text();                                      // one line for people
 *   http.createServer((_, res) => res.end(store.layers.stats.prometheus()));
 */
import { control, kindOf, layer, setting, systemClock } from "../../store/index.ts";
import type { Control, Injected, Kind, Layer } from "../../store/index.ts";
import { globalMeter, instruments } from "./open-telemetry.ts";
import type { Instruments, MeterLike } from "./open-telemetry.ts";
import { Profiler } from "./profile.ts";
import { prometheusText } from "./prometheus.ts";
import { Recorder } from "./recorder.ts";
import { baseName, reportsOf } from "./reports.ts";
import { snapshotOf } from "./snapshot.ts";
import type { StatsSnapshot } from "./snapshot.ts";
import { statusText } from "./text.ts";

export interface StatsSettings {
  /** How far `bytesPerSecond` looks back. 1,000 or more, default 60,000. A change begins a new window. */
  readonly rateWindowMs: number;
  /** So many kinds (operation and code) of exceptions are kept; the oldest makes room. 1 to 10,000, default 100. */
  readonly maxErrorKinds: number;
  /** A layer below whose `heartbeatAgeMs` is above this is told as stalled. Default 900,000, a quarter of an hour. */
  readonly stallMs: number;
  /** While it is not empty the whole process is profiled; the file (.cpuprofile) is written, over what is there, when it is made empty or the store closes. Default "". */
  readonly profileFile: string;
}
export type { ExceptionStats } from "./exceptions.ts";
export type { Durations } from "./histogram.ts";
export type { MeterLike } from "./open-telemetry.ts";
export type { CacheFigures, Reported } from "./reports.ts";
export type { FlowStats, OperationStats, StatsSnapshot } from "./snapshot.ts";

export interface StatsOptions extends Partial<StatsSettings>, Pick<Injected, "clock"> {
  /** A Meter of `@opentelemetry/api`, or true for the global one. Default: none. */
  readonly openTelemetry?: MeterLike | boolean | undefined;
}
export interface StatsControl extends Control<StatsSettings> {
  /** All figures now. Plain data; the layers below are asked for their reports at this moment. */
  snapshot(): StatsSnapshot;
  /** One line. */
  text(): string;
  /** Text format 0.0.4. */
  prometheus(): string;
  /** Counting begins anew; what is under way is counted when it ends. OpenTelemetry is not reset. */
  reset(): void;
}

/** Any number of them in a stack, each counts what passes it: above `retry` a call is one, below it each try. */
export function stats(options: StatsOptions = {}): Layer<"stats", StatsControl> {
  const { clock = systemClock, openTelemetry = false, ...given } = options;
  return layer("stats", (inner, store, name) => {
    const profiler = new Profiler();
    const base = control<StatsSettings>(
      "stats",
      {
        rateWindowMs: setting.ms("how far rates look back", 60_000, { min: 1000, max: 86_400_000 }),
        maxErrorKinds: setting.count("kinds of exceptions that are kept", 100, { min: 1, max: 10_000 }),
        stallMs: setting.ms("a heartbeat older than this is a stall", 900_000, { min: 1 }),
        profileFile: setting.text("file for a CPU profile of the process, empty for none", ""),
      },
      given,
      async ({ rateWindowMs, maxErrorKinds, profileFile }) => {
        await profiler.write(profileFile);
        const now = clock.monotonic();
        if (rateWindowMs !== base.settings.rateWindowMs) for (const flow of [recorder.up, recorder.down]) flow.resize(rateWindowMs, now);
        recorder.exceptions.maxKinds = maxErrorKinds;
      },
    );
    const recorder = new Recorder({ clock, ...base.settings });
    const names = { store: baseName(store), layer: name };
    let told: Instruments | undefined;
    const snapshot = (): StatsSnapshot => snapshotOf(recorder, clock, names, reportsOf(store), base.settings.stallMs);
    return {
      control: {
        kind: base.kind,
        get settings() {
          return base.settings;
        },
        configure: (patch) => base.configure(patch),
        flush: (flushOptions) => base.flush(flushOptions),
        report() {
          const { calls, failed, inFlight, up, down } = snapshotOf(recorder, clock, names, {}, 0);
          return { calls, failed, inFlight, upBytes: up.bytes, downBytes: down.bytes };
        },
        snapshot,
        text: () => statusText(snapshot()),
        prometheus: () => prometheusText(recorder, clock.monotonic(), names, reportsOf(store)),
        reset: () => recorder.reset(),
      },
      backend: recorder.backend(inner),
      async open() {
        await profiler.write(base.settings.profileFile);
        if (openTelemetry === false) return;
        told = instruments(openTelemetry === true ? await globalMeter() : openTelemetry, recorder, clock, names, () => reportsOf(store));
        recorder.listener = told.listener;
      },
      async close() {
        told?.close();
        recorder.listener = undefined;
        await profiler.stop();
      },
    };
  });
}

export const Stats: Kind<StatsControl> = kindOf("stats");
