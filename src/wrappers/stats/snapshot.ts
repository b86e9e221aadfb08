/** All figures at one moment, as plain data that JSON keeps. */
import type { Clock, ErrorCode, Operation } from "../../store/index.ts";
import type { ExceptionStats } from "./exceptions.ts";
import type { Flow } from "./flow.ts";
import type { Durations } from "./histogram.ts";
import type { OperationCounters, Recorder } from "./recorder.ts";
import { cacheFigures, stalledLayers } from "./reports.ts";
import type { CacheFigures, Reported } from "./reports.ts";

export interface OperationStats {
  /** Calls that ended: reads at the end of their body, listings page by page. */
  readonly calls: number;
  /** Of these: rejected, or with a body that broke. `not-modified` is none. */
  readonly failed: number;
  /** Of these: given up by the caller. Not among `failed`. */
  readonly aborted: number;
  readonly errors: { readonly [C in ErrorCode]?: number };
  /** Begun and not ended. */
  readonly inFlight: number;
  /** From the call to its reply; of a read to its first byte. */
  readonly latency: Durations;
  /** From the first byte of a body to its end. Bodies that came whole with the reply are not in it. */
  readonly transfer: Durations;
}
export interface FlowStats {
  /** That passed, of failed calls too; what is sent again counts again. */
  readonly bytes: number;
  /** Of calls that succeeded. */
  readonly bytesOk: number;
  /** Bytes per second of the last minute (`rateWindowMs`), over the time in which a transfer was open. 0 without transfers. */
  readonly bytesPerSecond: number;
  /** The same since the start. */
  readonly totalBytesPerSecond: number;
  /** Time in which at least one transfer was open: two parallel seconds are one. */
  readonly busyMs: number;
  /** Transfers under way. */
  readonly open: number;
}
export interface StatsSnapshot {
  /** Name of the store at the bottom, and of this layer. */
  readonly store: string;
  readonly layer: string;
  /** Start of counting and moment of this snapshot, milliseconds since 1970. */
  readonly sinceMs: number;
  readonly atMs: number;
  /** Those that were called. */
  readonly operations: { readonly [O in Operation]?: OperationStats };
  /** All of them together. */
  readonly calls: number;
  readonly failed: number;
  readonly inFlight: number;
  readonly up: FlowStats;
  readonly down: FlowStats;
  /** By operation and code, the newest last. */
  readonly exceptions: readonly ExceptionStats[];
  /** Failures of kinds that made room for newer ones. */
  readonly otherExceptions: number;
  /** Zeros where no layer below is a cache. */
  readonly cache: CacheFigures;
  /** Layers below whose background work stands still. */
  readonly stalled: readonly string[];
  /** What every layer below reports, by "<layer>.<key>". */
  readonly reported: Reported;
}

export function snapshotOf(
  recorder: Recorder,
  clock: Clock,
  names: { readonly store: string; readonly layer: string },
  reported: Reported,
  stallMs: number,
): StatsSnapshot {
  const now = clock.monotonic();
  const operations = Object.fromEntries([...recorder.operations].map(([name, counters]) => [name, operationStats(counters)]));
  const sum = (key: "calls" | "failed" | "inFlight"): number => Object.values(operations).reduce((all, one) => all + one[key], 0);
  return {
    ...names,
    sinceMs: recorder.sinceMs,
    atMs: clock.now(),
    operations,
    calls: sum("calls"),
    failed: sum("failed"),
    inFlight: sum("inFlight"),
    up: flowStats(recorder.up, now),
    down: flowStats(recorder.down, now),
    exceptions: recorder.exceptions.list(),
    otherExceptions: recorder.exceptions.other,
    cache: cacheFigures(reported),
    stalled: stalledLayers(reported, stallMs),
    reported,
  };
}

function operationStats({ calls, failed, aborted, errors, inFlight, latency, transfer }: OperationCounters): OperationStats {
  return { calls, failed, aborted, errors: Object.fromEntries(errors), inFlight, latency: latency.durations(), transfer: transfer.durations() };
}

function flowStats(flow: Flow, now: number): FlowStats {
  return {
    bytes: flow.bytes,
    bytesOk: flow.bytesOk,
    bytesPerSecond: flow.rate(now),
    totalBytesPerSecond: flow.totalRate(now),
    busyMs: flow.busyMs(now),
    open: flow.open,
  };
}
