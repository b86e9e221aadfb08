/** What the layers below say of themselves: read when asked, never kept. */
import type { Control, Store } from "../../store/index.ts";

/** "<layer>.<key>" of every layer below, those of the branches of a mirror or union as "<layer>[0]/<layer>.<key>". */
export type Reported = Readonly<Record<string, number | string | boolean>>;

/** One whose report throws is left out: the others are not to be missed for it. */
export function reportsOf(store: Store): Reported {
  const out: Record<string, number | string | boolean> = {};
  for (const [name, control] of controlsOf(store)) {
    let said: ReturnType<Control["report"]>;
    try {
      said = control.report();
    } catch {
      continue;
    }
    for (const [key, value] of Object.entries(said)) out[`${name}.${key}`] = value;
  }
  return out;
}

/** Of every layer of the stack and its branches, outermost first. */
export function controlsOf(store: Store): readonly (readonly [name: string, control: Control])[] {
  const out: (readonly [string, Control])[] = [];
  visit(store, "", (name, control) => out.push([name, control]));
  return out;
}

function visit(store: Store, branch: string, see: (name: string, control: Control) => void): void {
  const { inner, layers, name } = store;
  // A provider stands under its kind, whatever its store is called.
  const own = inner.length === 0 ? Object.entries(layers)[0] : ([name, layers[name]] as const);
  if (own?.[1] !== undefined) see(`${branch}${own[0]}`, own[1]);
  for (const [i, one] of inner.entries()) visit(one, inner.length === 1 ? branch : `${branch}${name}[${i}]/`, see);
}

/** Name of the provider at the bottom, or of the layer where the stack branches. */
export function baseName(store: Store): string {
  let at = store;
  for (; at.inner.length === 1; at = at.inner[0] as Store);
  return at.name;
}

/** The figures of caches, added up over all layers that report them. */
export interface CacheFigures {
  /** Files that wait for their upload. */
  readonly dirtyFiles: number;
  readonly dirtyBytes: number;
  readonly cacheBytes: number;
  readonly softLimitBytes: number;
  readonly hardLimitBytes: number;
  /** True where a cache holds more than its hard limit. */
  readonly overHardLimit: boolean;
  /** Answered without asking further down, and not. Of whatever the layer caches: contents, or metadata. */
  readonly hits: number;
  readonly misses: number;
}

export function cacheFigures(reported: Reported): CacheFigures {
  const sum = (key: string): number => Object.entries(reported).reduce((all, [name, value]) => all + (name.endsWith(`.${key}`) ? Number(value) : 0), 0);
  return {
    dirtyFiles: sum("dirtyFiles"),
    dirtyBytes: sum("dirtyBytes"),
    cacheBytes: sum("cacheBytes"),
    softLimitBytes: sum("softLimitBytes"),
    hardLimitBytes: sum("hardLimitBytes"),
    overHardLimit: sum("overHardLimit") > 0,
    hits: sum("hits"),
    misses: sum("misses"),
  };
}

/** Layers whose heartbeat is older than that, or that say so themselves: work that nobody does any more (CF32). */
export function stalledLayers(reported: Reported, limitMs: number): readonly string[] {
  const names = Object.entries(reported).flatMap(([name, value]) => {
    const old = name.endsWith(".heartbeatAgeMs") && typeof value === "number" && value > limitMs;
    return old || value === "stalled" ? [name.slice(0, name.lastIndexOf("."))] : [];
  });
  return [...new Set(names)];
}
