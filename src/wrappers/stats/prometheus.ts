/** The figures as Prometheus reads them: text format 0.0.4. Paths are never labels. */
import type { Histogram } from "./histogram.ts";
import type { Recorder } from "./recorder.ts";
import type { Reported } from "./reports.ts";

type Labels = Readonly<Record<string, string>>;

/** Borders of buckets, as exponents of two of microseconds: 128 µs to 36 minutes. */
const BUCKETS = [7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31];

export function prometheusText(recorder: Recorder, now: number, names: { readonly store: string; readonly layer: string }, reported: Reported): string {
  const page = new Page({ stack: names.store, layer: names.layer });
  const operations = [...recorder.operations];
  const flows = [
    ["up", recorder.up],
    ["down", recorder.down],
  ] as const;

  page.family("stratus_operation_duration_seconds", "histogram", "Time from the call to its reply; of a read to its first byte.");
  for (const [operation, { latency }] of operations) page.histogram({ operation }, latency);
  page.family("stratus_transfer_duration_seconds", "histogram", "Time from the first byte of a body to its end.");
  for (const [operation, { transfer }] of operations) if (transfer.count > 0) page.histogram({ operation }, transfer);
  page.family("stratus_operation_errors_total", "counter", "Calls that failed or were given up (aborted), by code.");
  for (const [operation, { errors, aborted }] of operations) {
    for (const [code, count] of errors) page.sample("", { operation, code }, count);
    if (aborted > 0) page.sample("", { operation, code: "aborted" }, aborted);
  }
  page.family("stratus_operations_in_flight", "gauge", "Calls that have begun and not ended.");
  for (const [operation, { inFlight }] of operations) page.sample("", { operation }, inFlight);
  page.family("stratus_transferred_bytes_total", "counter", "Bytes of bodies that passed, of failed calls too.");
  for (const [direction, flow] of flows) page.sample("", { direction }, flow.bytes);
  page.family("stratus_transfer_busy_seconds_total", "counter", "Time in which at least one transfer was open.");
  for (const [direction, flow] of flows) page.sample("", { direction }, flow.busyMs(now) / 1000);
  page.family("stratus_transfer_rate_bytes_per_second", "gauge", "Bytes per second of transfer time, over the last minute.");
  for (const [direction, flow] of flows) page.sample("", { direction }, flow.rate(now));
  page.family("stratus_last_error_timestamp_seconds", "gauge", "When it last failed.");
  for (const { operation, code, lastMs } of recorder.exceptions.list()) page.sample("", { operation, code }, lastMs / 1000);
  reports(page, reported);
  return page.text();
}

/** Numbers each under a name of their own; words as the state that is 1. Words that may be paths are left out. */
function reports(page: Page, reported: Reported): void {
  const numbers = new Map<string, [reporter: string, value: number][]>();
  const words: [reporter: string, key: string, value: string][] = [];
  for (const [name, value] of Object.entries(reported)) {
    const dot = name.lastIndexOf(".");
    const [reporter, key] = [name.slice(0, dot), name.slice(dot + 1)];
    if (typeof value === "string") {
      if (/^[\w .:-]{1,40}$/.test(value)) words.push([reporter, key, value]);
      continue;
    }
    const [metric, factor] = metricOf(key);
    const samples = numbers.get(metric) ?? [];
    numbers.set(metric, samples);
    samples.push([reporter, Number(value) * factor]);
  }
  for (const [metric, samples] of numbers) {
    page.family(metric, "gauge", "As a layer below reports it.");
    for (const [reporter, value] of samples) page.sample("", { reporter }, value);
  }
  if (words.length === 0) return;
  page.family("stratus_report_state", "gauge", "As a layer below reports it: the word that holds is 1.");
  for (const [reporter, key, value] of words) page.sample("", { reporter, key, value }, 1);
}

/** "cacheBytes" is stratus_report_cache_bytes, "oldestPendingMs" stratus_report_oldest_pending_seconds. */
function metricOf(key: string): [name: string, factor: number] {
  const ms = /(?<=[a-z\d])Ms$/.test(key);
  const snake = (ms ? `${key.slice(0, -2)}Seconds` : key)
    .replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => `_${letter}`)
    .toLowerCase()
    .replaceAll(/[^a-z\d_]/g, "_");
  // `stratus_report_state` is the name for words.
  return [`stratus_report_${snake === "state" ? "state_number" : snake}`, ms ? 0.001 : 1];
}

class Page {
  readonly #common: Labels;
  #lines: string[] = [];
  #family = "";
  #head: readonly string[] = [];

  constructor(common: Labels) {
    this.#common = common;
  }

  /** Samples that follow belong to it. A family without samples is not written. */
  family(name: string, type: "counter" | "gauge" | "histogram", help: string): void {
    this.#family = name;
    this.#head = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  }

  sample(suffix: string, labels: Labels, value: number): void {
    this.#lines.push(...this.#head);
    this.#head = [];
    const all = Object.entries({ ...this.#common, ...labels }).map(([name, text]) => `${name}="${escaped(text)}"`);
    this.#lines.push(`${this.#family}${suffix}{${all.join(",")}} ${numberText(value)}`);
  }

  histogram(labels: Labels, histogram: Histogram): void {
    for (const k of BUCKETS) this.sample("_bucket", { ...labels, le: String(2 ** k / 1e6) }, histogram.below(2 ** k));
    this.sample("_bucket", { ...labels, le: "+Inf" }, histogram.count);
    this.sample("_sum", labels, histogram.sumMs / 1000);
    this.sample("_count", labels, histogram.count);
  }

  text(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "+Inf" : "-Inf";
}
