/** One frame of the live view, as lines: a pure function of two snapshots. */
import { styleText } from "node:util";
import type { ExceptionStats } from "./exceptions.ts";
import type { FlowStats, OperationStats, StatsSnapshot } from "./snapshot.ts";
import { bytesText } from "./text.ts";
import { errorText } from "./views.ts";
import type { PendingView } from "./views.ts";
import type { Reported } from "./reports.ts";

export interface Scene {
  /** The stack, as it prints itself. */
  readonly title: string;
  /** Null: the stack has no `stats`. */
  readonly now: StatsSnapshot | null;
  /** The snapshot of the frame before, for calls per second. */
  readonly before: StatsSnapshot | null;
  readonly reported: Reported;
  readonly pending: readonly PendingView[];
}
export interface Size {
  readonly columns: number;
  readonly rows: number;
  readonly colours: boolean;
}

type Style = Parameters<typeof styleText>[0];
/** A line is pieces, so that it is cut by what is seen and not by what paints it. */
type Line = readonly (string | readonly [style: Style, text: string])[];

/** At most `rows` lines of at most `columns` characters. What matters most comes first. */
export function frameOf(scene: Scene, { columns, rows, colours }: Size): string[] {
  const { now } = scene;
  const lines: Line[] = [[["bold", "stratus top"], `  ${scene.title}`]];
  if (now === null) lines.push([["yellow", "no stats layer in this stack: only what its layers report is shown"]]);
  else lines.push(...figures(now, scene.before));
  // Its own report says in fewer words what stands above already.
  const others = Object.fromEntries(Object.entries(scene.reported).filter(([name]) => now === null || !name.startsWith(`${now.layer}.`)));
  lines.push(...pendingLines(scene.pending), ...layerLines(others));
  return lines.slice(0, Math.max(1, rows)).map((line) => painted(line, columns, colours));
}

function* figures(now: StatsSnapshot, before: StatsSnapshot | null): Generator<Line> {
  const seconds = Math.max(0, Math.round((now.atMs - now.sinceMs) / 1000));
  yield [
    ["dim", `${new Date(now.atMs).toISOString().slice(11, 19)}  ${clockText(seconds)} counted, `],
    `${now.calls} calls, ${now.inFlight} under way, `,
    now.failed > 0 ? ["red", `${now.failed} failed`] : "0 failed",
  ];
  yield flowLine("up", now.up);
  yield flowLine("down", now.down);
  const { cache } = now;
  if (cache.cacheBytes + cache.hits + cache.misses + cache.dirtyFiles > 0) {
    const asked = cache.hits + cache.misses;
    const limits = cache.hardLimitBytes > 0 ? ` of ${bytesText(cache.softLimitBytes)}, at most ${bytesText(cache.hardLimitBytes)}` : "";
    yield [
      `cache   ${bytesText(cache.cacheBytes)}${limits}   ${cache.hits} hits, ${cache.misses} misses${asked > 0 ? ` (${Math.round((cache.hits / asked) * 100)} %)` : ""}   `,
      [cache.dirtyFiles > 0 ? "yellow" : "dim", `${cache.dirtyFiles} files pending, ${bytesText(cache.dirtyBytes)}`],
      cache.overHardLimit ? ["red", "   over the hard limit"] : "",
    ];
  }
  if (now.stalled.length > 0) yield [["red", `stalled: ${now.stalled.join(", ")}`]];
  yield [""];
  yield [
    [
      "dim",
      `${"".padEnd(8)}${"calls".padStart(9)}${"/s".padStart(9)}${"now".padStart(6)}${"failed".padStart(8)}${"p50".padStart(10)}${"p90".padStart(10)}${"p99".padStart(10)}${"max".padStart(10)}`,
    ],
  ];
  for (const [name, stats] of Object.entries(now.operations)) yield operationLine(name, stats, perSecond(name, now, before));
  if (now.exceptions.length > 0) {
    yield [""];
    yield [["bold", "errors"]];
    for (const one of now.exceptions.toReversed().slice(0, 5)) yield errorLine(one);
  }
}

function flowLine(name: string, { bytesPerSecond, bytesOk, open }: FlowStats): Line {
  return [name.padEnd(6), ["bold", `${bytesText(bytesPerSecond)}/s`.padStart(12)], `   ${bytesText(bytesOk)} done`, ["dim", open > 0 ? `, ${open} open` : ""]];
}

function operationLine(name: string, { calls, failed, inFlight, latency }: OperationStats, rate: number | null): Line {
  const times = [latency.p50Ms, latency.p90Ms, latency.p99Ms, latency.maxMs].map((ms) => timeText(ms).padStart(10)).join("");
  return [
    `${name.padEnd(8)}${String(calls).padStart(9)}${(rate === null ? "" : rate.toFixed(1)).padStart(9)}${String(inFlight).padStart(6)}`,
    failed > 0 ? ["red", String(failed).padStart(8)] : "0".padStart(8),
    times,
  ];
}

function perSecond(name: string, now: StatsSnapshot, before: StatsSnapshot | null): number | null {
  if (before === null || now.atMs <= before.atMs || before.sinceMs !== now.sinceMs) return null;
  const calls = (snapshot: StatsSnapshot): number => (snapshot.operations as Readonly<Record<string, OperationStats>>)[name]?.calls ?? 0;
  return ((calls(now) - calls(before)) * 1000) / (now.atMs - before.atMs);
}

function errorLine(one: ExceptionStats): Line {
  return [["red", "  "], errorText(one)];
}

function pendingLines(pending: readonly PendingView[]): Line[] {
  if (pending.length === 0) return [];
  const shown = pending.slice(0, 5).map(({ path, state }): Line => [`  ${oneLine(path)}`, ["dim", typeof state === "string" ? `  ${state}` : ""]]);
  return [[""], [["bold", "pending"]], ...shown, ...(pending.length > 5 ? [[["dim", `  and ${pending.length - 5} more`]] satisfies Line] : [])];
}

function layerLines(reported: Reported): Line[] {
  const byLayer = new Map<string, string[]>();
  for (const [name, value] of Object.entries(reported)) {
    const dot = name.lastIndexOf(".");
    const layer = name.slice(0, dot);
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), `${name.slice(dot + 1)} ${oneLine(String(value))}`]);
  }
  if (byLayer.size === 0) return [];
  return [[""], [["bold", "layers"]], ...[...byLayer].map(([layer, facts]): Line => [`  ${layer}  `, ["dim", facts.join("  ")]])];
}

/** A name may hold anything, and must neither move the cursor nor end the line. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, "?");
}

function painted(line: Line, columns: number, colours: boolean): string {
  let left = columns;
  let out = "";
  for (const piece of line) {
    const [style, text] = typeof piece === "string" ? [undefined, piece] : piece;
    const points = Array.from(oneLine(text));
    const seen = points.length <= left ? points.join("") : `${points.slice(0, Math.max(0, left - 1)).join("")}…`;
    left -= points.length;
    out += style !== undefined && colours && seen !== "" ? styleText(style, seen, { validateStream: false }) : seen;
    if (left <= 0) break;
  }
  return out;
}

function timeText(ms: number | null): string {
  if (ms === null) return "";
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  return ms < 1000 ? `${ms.toPrecision(3)} ms` : `${(ms / 1000).toPrecision(3)} s`;
}

/** "0:02:33". */
function clockText(seconds: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
