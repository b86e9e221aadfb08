/** Three looks at any stack, as data and as text: figures, errors, and what waits for its upload (CF100). */
import { StoreError, find, kindOf } from "../../store/index.ts";
import type { Control, Kind, Store } from "../../store/index.ts";
import type { ExceptionStats } from "./exceptions.ts";
import { controlsOf, reportsOf } from "./reports.ts";
import type { Reported } from "./reports.ts";
import type { StatsControl, StatsSnapshot } from "./index.ts";
import { statusText } from "./text.ts";

/** One file that a layer of the stack still has to bring down. What else the layer tells of it (since, attempts ...) is there as it is. */
export interface PendingView {
  readonly layer: string;
  readonly path: string;
  readonly [fact: string]: unknown;
}
export interface Views {
  /** Of the outermost `stats`; null where the stack has none. */
  stats(): StatsSnapshot | null;
  errors(): readonly ExceptionStats[];
  /** Of every layer that has a `dirty()`. At most as many as it lists. One that cannot tell (it is not open yet) has one line without a path, whose `state` says why. */
  pending(): readonly PendingView[];
  /** What every layer reports, the outermost included. */
  reports(): Reported;
}

const Stats: Kind<StatsControl> = kindOf("stats");

/** Read when asked, of any stack, whatever layers it has. */
export function views(store: Store): Views {
  const stats = (): StatsSnapshot | null => find(store, Stats)?.snapshot() ?? null;
  return {
    stats,
    errors: () => stats()?.exceptions ?? [],
    pending: () =>
      controlsOf(store).flatMap(([layer, control]) => {
        const files = dirtyOf(control);
        return Array.isArray(files) ? files.map((file: object) => ({ path: "", ...file, layer })) : [];
      }),
    reports: () => reportsOf(store),
  };
}

function dirtyOf(control: Control): unknown {
  const { dirty } = control as { readonly dirty?: unknown };
  try {
    return typeof dirty === "function" ? dirty.call(control) : [];
  } catch (error) {
    if (!StoreError.is(error)) throw error;
    return [{ state: error.reason }];
  }
}

export type ViewName = "stats" | "errors" | "pending";

export function viewText(store: Store, name: ViewName): string {
  const all = views(store);
  switch (name) {
    case "stats": {
      const snapshot = all.stats();
      return snapshot === null ? reportText(all.reports()) : statusText(snapshot);
    }
    case "errors":
      return listText(all.errors().map(errorText), "no errors");
    case "pending":
      return listText(
        all
          .pending()
          .map(({ layer, path, state, size }) => [path, state, typeof size === "number" ? `${size} B` : undefined, layer].filter(Boolean).join("  ")),
        "nothing is pending",
      );
  }
}

export function errorText({ operation, code, count, lastMs, reasons }: ExceptionStats): string {
  return `${new Date(lastMs).toISOString()}  ${operation} ${code} ×${count}  ${reasons.at(-1) ?? ""}`.trimEnd();
}

/** "limit concurrency=8 reading=0; retry retries=3". */
export function reportText(reported: Reported): string {
  const byLayer = new Map<string, string[]>();
  for (const [name, value] of Object.entries(reported)) {
    const dot = name.lastIndexOf(".");
    const layer = name.slice(0, dot);
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), `${name.slice(dot + 1)}=${value}`]);
  }
  return [...byLayer].map(([layer, facts]) => `${layer} ${facts.join(" ")}`).join("; ");
}

function listText(lines: readonly string[], none: string): string {
  return lines.length === 0 ? none : lines.join("\n");
}
