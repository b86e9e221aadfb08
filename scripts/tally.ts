/** A small layer that counts calls, bytes and times, to show what a uniform wrapper is: `const counted = tally(); stack(store, counted.layer); counted.table()`. */
import { layer, observe, systemClock, uniform } from "../src/store/index.ts";
import type { Layer } from "../src/store/index.ts";

export interface Tally {
  readonly layer: Layer<"tally">;
  readonly calls: number;
  /** One line per operation: calls, failures, bytes, median and 95th percentile of the time to the end of the body. */
  table(): string;
}

interface Line {
  readonly ms: number[];
  failed: number;
  bytes: number;
}

export function tally(): Tally {
  const lines = new Map<string, Line>();
  return {
    layer: layer("tally", (inner) => ({
      backend: uniform(inner, {
        around(call, next) {
          const begun = systemClock.monotonic();
          return observe(call, next, {
            end({ bytesUp, bytesDown, error }) {
              const line = lines.get(call.operation) ?? { ms: [], failed: 0, bytes: 0 };
              lines.set(call.operation, line);
              line.ms.push(systemClock.monotonic() - begun);
              line.bytes += bytesUp + bytesDown;
              if (error !== undefined) line.failed++;
            },
          });
        },
      }),
    })),
    get calls() {
      return [...lines.values()].reduce((sum, { ms }) => sum + ms.length, 0);
    },
    table: () =>
      [...lines]
        .map(([operation, { ms, failed, bytes }]) => {
          const sorted = ms.toSorted((a, b) => a - b);
          const at = (share: number): string => `${(sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2)} ms`;
          return `  ${operation.padEnd(7)}${String(ms.length).padStart(6)} calls ${String(failed).padStart(3)} failed ${(bytes / 1e6).toFixed(1).padStart(9)} MB   p50 ${at(0.5).padStart(9)}   p95 ${at(0.95).padStart(9)}`;
        })
        .join("\n"),
  };
}
