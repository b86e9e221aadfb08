/** For providers over a network: notices that nothing moves any more, and joins that with the caller's signal. One sleeper per request, however many chunks pass. */
import type { Clock } from "./clock.ts";
import { StoreError } from "./errors.ts";

export interface Watchdog {
  /** Fires when nothing moved for so long, with the error that says so, or when the caller's signal does, with its reason. */
  readonly signal: AbortSignal;
  /** Something moved; from now on the server is waited for. */
  touch(): void;
  /** The next move is ours: silence does not count until `touch`. */
  pause(): void;
  /**
   * The whole change is with the server. From now on the caller's signal waits a little for the answer: hanging up undoes nothing, and a request that
   * nobody listens to any more may land on top of the caller's next one.
   */
  linger(): void;
  /** It is over, nothing fires any more but by `cut`. */
  stop(): void;
  /** Ends whatever still listens to the signal, for a reason that nobody is told. */
  cut(reason: StoreError): void;
}

/** Nobody hears it. One for all: an error of its own for each request that ends well would cost more than the rest of the watch. */
const OVER = new Error("the watch is over");
/** How long an answer is waited for after the caller gave up. */
const LINGER_MS = 250;

/** `silent` is what an error calls the other side. */
export function watchdog(clock: Clock, quietMs: number, caller: AbortSignal | undefined, silent: "server" | "service" = "service"): Watchdog {
  const fire = new AbortController();
  const over = new AbortController();
  let last = clock.monotonic();
  let paused = false;
  let lingers = false;
  const given = (): void => {
    if (!lingers) return fire.abort(caller?.reason);
    clock.sleep(LINGER_MS, over.signal, { background: true }).then(
      () => fire.abort(caller?.reason),
      () => {}, // Answered in time.
    );
  };
  if (caller?.aborted === true) given();
  else caller?.addEventListener("abort", given, { once: true });
  const watch = async (): Promise<void> => {
    for (;;) {
      const left = paused ? quietMs : last + quietMs - clock.monotonic();
      if (left <= 0) return fire.abort(new StoreError("timeout", `the ${silent} was silent for ${quietMs} ms`));
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
    linger() {
      lingers = true;
    },
    stop() {
      caller?.removeEventListener("abort", given);
      over.abort(OVER);
    },
    cut(reason) {
      fire.abort(reason);
    },
  };
}
