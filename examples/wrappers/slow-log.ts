/** One line for each operation that takes long: `slowLog({ overMs: 500, write: console.warn })`. A uniform wrapper: it treats all operations alike. */
import { systemClock } from "stratus";
import type { Clock, Control, Kind, Layer } from "stratus";
import { control, kindOf, layer, observe, setting, uniform } from "stratus/author";

export interface SlowLogSettings {
  /** Shorter operations are not told. Default 1,000. */
  readonly overMs: number;
}
export interface SlowLogOptions extends Partial<SlowLogSettings> {
  readonly write: (line: string) => void;
  /** Time comes from here, so that tests need not sleep. */
  readonly clock?: Clock | undefined;
}
/** What a user of the stack finds under `store.layers.slowLog`. */
export interface SlowLogControl extends Control<SlowLogSettings> {
  readonly told: number;
}

export function slowLog({ write, clock = systemClock, ...given }: SlowLogOptions): Layer<"slowLog", SlowLogControl> {
  return layer("slowLog", (inner) => {
    // Described once: this checks the options, `configure`, and text from a configuration file ("2s").
    const base = control<SlowLogSettings>("slowLog", { overMs: setting.ms("shorter operations are not told", 1000) }, given);
    let told = 0;
    return {
      control: {
        ...base,
        get settings() {
          return base.settings;
        },
        get told() {
          return told;
        },
        report: () => ({ told }),
      },
      backend: uniform(inner, {
        // Sees all ten operations. `observe` watches a call to its very end: for a read that is the end of its body, not the moment it begins.
        around(call, next) {
          const start = clock.monotonic();
          return observe(call, next, {
            end({ bytesUp, bytesDown, error }) {
              const ms = Math.round(clock.monotonic() - start);
              if (ms < base.settings.overMs) return;
              told++;
              // Codes and numbers only: a message may hold a path, and a path may be private.
              write(`${call.operation} took ${ms} ms, ${bytesUp} bytes up, ${bytesDown} bytes down${error === undefined ? "" : ", failed"}`);
            },
          });
        },
      }),
    };
  });
}

export const SlowLog: Kind<SlowLogControl> = kindOf("slowLog");
