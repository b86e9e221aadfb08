/** Notices that nothing moves any more. One sleeper per request, however many chunks pass. */
import { StoreError } from "../../store/index.ts";
import type { Clock } from "../../store/index.ts";

export interface Watchdog {
  /** Fires when nothing moved for so long, with the error that says so, or when the caller's signal does, with its reason. */
  readonly signal: AbortSignal;
  /** Something moved; from now on the service is waited for. */
  touch(): void;
  /** The next move is ours: silence does not count until `touch`. */
  pause(): void;
  /** It is over, nothing fires any more. */
  stop(): void;
}

/** How long the answer to a change is waited for after the caller gave up: hanging up undoes nothing, and what is on its way may land on top of the caller's next call. */
const LINGER_MS = 250;

export function watchdog(clock: Clock, quietMs: number, caller: AbortSignal | undefined, lingers: boolean): Watchdog {
  const fire = new AbortController();
  const over = new AbortController();
  let last = clock.monotonic();
  let paused = false;
  const given = (): void => {
    if (!lingers) return fire.abort(caller?.reason);
    clock.sleep(LINGER_MS, over.signal, { background: true }).then(
      () => fire.abort(caller?.reason),
      () => {}, // Answered in time.
    );
  };
  if (caller?.aborted === true) fire.abort(caller.reason);
  else caller?.addEventListener("abort", given, { once: true });
  const watch = async (): Promise<void> => {
    for (;;) {
      const left = paused ? quietMs : last + quietMs - clock.monotonic();
      if (left <= 0) return fire.abort(new StoreError("timeout", `the service was silent for ${quietMs} ms`));
      await clock.sleep(left, over.signal, { background: true });
    }
  };
  // The one way to end early is `stop`, which makes the sleep reject.
  watch().catch(() => {});
  return {
    signal: fire.signal,
    touch() {
      last = clock.monotonic();
      paused = false;
    },
    pause() {
      paused = true;
    },
    stop() {
      caller?.removeEventListener("abort", given);
      over.abort();
    },
  };
}
