/** All wrappers: `import { archive, caching, metadataCache, retry, stats } from "stratus/wrappers"`. */
export { Archive, archive } from "./archive/index.ts";
export type { ArchiveControl, ArchiveEvent, ArchiveOptions, ArchiveSettings, Problem, Repacked, WriterReport } from "./archive/index.ts";
export { Caching, caching } from "./caching/index.ts";
export type {
  CacheControl,
  CacheEvent,
  CacheEventName,
  CacheSettings,
  CachingOptions,
  Conflict,
  FileState,
  FileStateName,
  PendingFile,
} from "./caching/index.ts";
export { Fault, fault } from "./fault.ts";
export type { FaultControl, FaultOptions, FaultRule, FaultSettings, InjectedFault } from "./fault.ts";
export { Latency, latency } from "./latency.ts";
export type { LatencyControl, LatencyOptions, LatencySettings } from "./latency.ts";
export { Limit, limit } from "./limit.ts";
export type { LimitControl, LimitSettings } from "./limit.ts";
export { logFile } from "./log-file.ts";
export { Log, log } from "./log.ts";
export type { LogControl, LogOptions, LogRecord, LogSettings, LogSink } from "./log.ts";
export { MetadataCache, metadataCache } from "./metadata-cache/index.ts";
export type { MetadataCacheControl, MetadataCacheOptions, MetadataCacheReport, MetadataCacheSettings } from "./metadata-cache/index.ts";
export { Prefix, prefix } from "./prefix.ts";
export { ReadOnly, readOnly } from "./read-only.ts";
export { Retry, retry } from "./retry.ts";
export type { RetryControl, RetryOptions, RetrySettings } from "./retry.ts";
export { Stats, stats } from "./stats/index.ts";
export type {
  CacheFigures,
  Durations,
  ExceptionStats,
  FlowStats,
  MeterLike,
  OperationStats,
  Reported,
  StatsControl,
  StatsOptions,
  StatsSettings,
  StatsSnapshot,
} from "./stats/index.ts";
export { top } from "./stats/top.ts";
export type { TopOptions, TopOutput } from "./stats/top.ts";
export { viewText, views } from "./stats/views.ts";
export type { PendingView, ViewName, Views } from "./stats/views.ts";
export { Throttle, throttle } from "./throttle.ts";
export type { ThrottleControl, ThrottleOptions, ThrottleSettings } from "./throttle.ts";
export { Timeout, timeout } from "./timeout.ts";
export type { TimeoutControl, TimeoutOptions, TimeoutSettings } from "./timeout.ts";
