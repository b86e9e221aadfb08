/**
 * A store that is further away: `latency({ delayMs: 50, jitterMs: 10 })` adds to each call what a slow network would.
 *
 *   const store = stack(memory(), latency({ delayMs: 50 }));
 *   await store.layers.latency.configure({ delayMs: 0 });          // in force with the next call
 */
import { abortError, control, kindOf, layer, setting, systemClock, uniform } from "../store/index.ts";
import type { Control, Injected, Kind, Layer } from "../store/index.ts";
import { seededRandom } from "./seeded-random.ts";

export interface LatencySettings {
  /** Before each call. Default 0: none. */
  readonly delayMs: number;
  /** A random part of this much is added. Default 0. */
  readonly jitterMs: number;
}
export interface LatencyOptions extends Partial<LatencySettings>, Pick<Injected, "clock" | "random"> {
  /** Equal seeds give equal jitter. Default 1; `random` takes its place. */
  readonly seed?: number | undefined;
}
export interface LatencyControl extends Control<LatencySettings> {}

/** A call whose signal fires while it waits fails with `aborted` or `timeout`, `applied` false: it has not been sent. Bodies are not slowed: that is `throttle`. */
export function latency(options: LatencyOptions = {}): Layer<"latency", LatencyControl> {
  const { clock = systemClock, seed = 1, random = seededRandom(seed), ...given } = options;
  return layer("latency", (inner) => {
    const base = control<LatencySettings>(
      "latency",
      { delayMs: setting.ms("pause before each call", 0), jitterMs: setting.ms("a random part of this much is added to it", 0) },
      given,
    );
    return {
      control: base,
      describe: () => `delayMs=${base.settings.delayMs}`,
      backend: uniform(inner, {
        async around(call, next) {
          const { delayMs, jitterMs } = base.settings;
          const ms = delayMs + (jitterMs === 0 ? 0 : random() * jitterMs);
          if (ms > 0) {
            try {
              await clock.sleep(ms, call.signal);
            } catch (reason) {
              if (call.signal?.aborted !== true) throw reason;
              throw abortError(call.signal, { applied: false });
            }
          }
          return next(call);
        },
      }),
    };
  });
}

export const Latency: Kind<LatencyControl> = kindOf("latency");
