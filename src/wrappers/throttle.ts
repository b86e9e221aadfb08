/**
 * Bodies no faster than so many bytes per second, all transfers of one direction together: `throttle({ upBytesPerSecond: 1_000_000 })`.
 *
 *   const store = stack(s3({ bucket }), throttle({ downBytesPerSecond: 2_000_000 }));
 *   await store.layers.throttle.configure({ downBytesPerSecond: Infinity });     // in force at once, also for bodies that are under way
 */
import { abortError, control, kindOf, layer, observe, setting, systemClock, uniform } from "../store/index.ts";
import type { Clock, Control, Injected, Kind, Layer } from "../store/index.ts";

export interface ThrottleSettings {
  /** Of bodies on their way to the store below. At least 1; Infinity: as fast as it goes. Default Infinity. */
  readonly upBytesPerSecond: number;
  /** Of bodies on their way from it. The same. */
  readonly downBytesPerSecond: number;
}
export interface ThrottleOptions extends Partial<ThrottleSettings>, Pick<Injected, "clock"> {}
export interface ThrottleControl extends Control<ThrottleSettings> {}

/**
 * A chunk is handed on when its time has come, first come first served, so that the average holds from the first byte; up to 5 ms ahead of the line are
 * not waited for. A body whose signal fires while it waits fails with `aborted` or `timeout`; one that is closed ends at once.
 */
export function throttle(options: ThrottleOptions = {}): Layer<"throttle", ThrottleControl> {
  const { clock = systemClock, ...given } = options;
  return layer("throttle", (inner) => {
    const rate = (about: string): ReturnType<typeof setting.bytes> => setting.bytes(about, Infinity, { min: 1 });
    const base = control<ThrottleSettings>(
      "throttle",
      { upBytesPerSecond: rate("bytes per second on their way up"), downBytesPerSecond: rate("bytes per second on their way down") },
      given,
      ({ upBytesPerSecond, downBytesPerSecond }) => {
        up.change(upBytesPerSecond);
        down.change(downBytesPerSecond);
      },
    );
    const up = new Line(clock, base.settings.upBytesPerSecond);
    const down = new Line(clock, base.settings.downBytesPerSecond);
    return {
      control: {
        kind: base.kind,
        get settings() {
          return base.settings;
        },
        configure: (patch) => base.configure(patch),
        flush: (flushOptions) => base.flush(flushOptions),
        report: () => ({ waitingUp: up.waiting, waitingDown: down.waiting }),
      },
      backend: uniform(inner, {
        around(call, next) {
          const over = new AbortController();
          const pass = (line: Line, bytes: Uint8Array): void | Promise<void> => line.pass(bytes.byteLength, call.signal, over.signal);
          return observe(call, next, {
            up: (bytes) => pass(up, bytes),
            down: (bytes) => pass(down, bytes),
            // What still waits is woken: nobody wants those bytes any more.
            end: () => over.abort(),
          });
        },
      }),
    };
  });
}

export const Throttle: Kind<ThrottleControl> = kindOf("throttle");

/** Timers are no finer than this, so shorter waits are left out and made up for later. */
const SLACK_MS = 5;
const ROUNDING_MS = 0.001;

/** One direction: bytes in the order in which they came, each let go when the rate has got so far. */
class Line {
  readonly #clock: Clock;
  #rate: number;
  /** Bytes that have come. */
  #taken = 0;
  /** Bytes whose time had come at `#mark`; runs on with the rate, never beyond what has come. */
  #due = 0;
  #mark: number;
  #changed = new AbortController();
  waiting = 0;

  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#mark = clock.monotonic();
  }

  /** Undefined: at once. */
  pass(bytes: number, signal: AbortSignal | undefined, over: AbortSignal): void | Promise<void> {
    this.#settle();
    this.#taken += bytes;
    if (this.#msUntil(this.#taken) > SLACK_MS) return this.#wait(this.#taken, signal, over);
  }

  async #wait(place: number, signal: AbortSignal | undefined, over: AbortSignal): Promise<void> {
    this.waiting++;
    try {
      for (;;) {
        this.#settle();
        const ms = this.#msUntil(place);
        if (ms < ROUNDING_MS || over.aborted) return;
        if (signal?.aborted === true) throw abortError(signal);
        const changed = this.#changed.signal;
        const wake = AbortSignal.any(signal === undefined ? [changed, over] : [changed, over, signal]);
        await this.#clock.sleep(ms, wake).catch((reason: unknown) => {
          if (!wake.aborted) throw reason;
        });
      }
    } finally {
      this.waiting--;
    }
  }

  /** Bytes that wait go on with the new rate. */
  change(rate: number): void {
    if (rate === this.#rate) return;
    this.#settle();
    this.#rate = rate;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  #settle(): void {
    const now = this.#clock.monotonic();
    // A line that stood idle saves nothing up.
    this.#due = this.#rate === Infinity ? this.#taken : Math.min(this.#taken, this.#due + ((now - this.#mark) / 1000) * this.#rate);
    this.#mark = now;
  }

  #msUntil(place: number): number {
    return this.#rate === Infinity ? 0 : ((place - this.#due) / this.#rate) * 1000;
  }
}
