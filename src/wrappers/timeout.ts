/**
 * No call and no body waits for ever: `timeout({ callMs: 60_000 })`.
 *
 *   const store = stack(webdav({ url }), timeout({ replyMs: 30_000, idleMs: 20_000 }), retry());
 */
import { abortError, byteStream, control, hasCode, kindOf, layer, observe, setting, systemClock, uniform } from "../store/index.ts";
import type { ByteStream, Call, Calls, Clock, Control, Injected, Kind, Layer, Next, Operation, ReadReply, Replies } from "../store/index.ts";

export interface TimeoutSettings {
  /** Longest time without a sign of life before the reply: from the call, for a write from the last byte that was taken of its body. Default 60,000. */
  readonly replyMs: number;
  /** Longest time that the next bytes of a read are waited for. A reader that does not ask for them has as much time as it likes. Default 60,000. */
  readonly idleMs: number;
  /** Longest time of a whole call, its body included. Default Infinity, because nobody knows how long a large file takes. */
  readonly callMs: number;
  /** How long what is below may take to end what was stopped, so that it can say what became of a change. Then the call fails all the same, `applied` "unknown". Default 5,000. */
  readonly graceMs: number;
}
export interface TimeoutOptions extends Partial<TimeoutSettings>, Pick<Injected, "clock"> {}
export interface TimeoutControl extends Control<TimeoutSettings> {}

/**
 * When the time is over, what is below is stopped by its signal, and its answer is waited for: it knows whether the change was made, so its `applied`
 * stands; a call that succeeds after all succeeds. Only what does not answer within `graceMs` is left behind: a change with `applied` "unknown", a late
 * body closed. The error is `timeout`, transient. Of a time that the caller set by a signal nothing changes. New settings hold for the next call.
 */
export function timeout(options: TimeoutOptions = {}): Layer<"timeout", TimeoutControl> {
  const { clock = systemClock, ...given } = options;
  return layer("timeout", (inner) => {
    const base = control<TimeoutSettings>(
      "timeout",
      {
        replyMs: setting.ms("longest silence before the reply", 60_000, { min: 1 }),
        idleMs: setting.ms("longest wait for the next bytes of a read", 60_000, { min: 1 }),
        callMs: setting.ms("longest time of a whole call", Infinity, { min: 1 }),
        graceMs: setting.ms("how long what was stopped may take to end", 5000),
      },
      given,
    );
    const counts = { timeouts: 0, abandoned: 0 };
    const watch = (call: Call): Watch => new Watch(call, base.settings, clock, counts);
    return {
      control: {
        kind: base.kind,
        get settings() {
          return base.settings;
        },
        configure: (patch) => base.configure(patch),
        flush: (flushOptions) => base.flush(flushOptions),
        report: () => ({ ...counts }),
      },
      describe: () => `replyMs=${base.settings.replyMs}`,
      backend: uniform(inner, {
        async around(call, next) {
          const dog = watch(call);
          try {
            return await dog.reply(call, next);
          } finally {
            dog.end();
          }
        },
        async read(call, next) {
          const dog = watch(call);
          try {
            const reply = await dog.reply(call, next);
            if (!reply.body.inMemory) return { ...reply, body: watched(reply, dog) };
            dog.end();
            return reply;
          } catch (error) {
            dog.end();
            throw error;
          }
        },
      }),
    };
  });
}

export const Timeout: Kind<TimeoutControl> = kindOf("timeout");

function watched({ body }: ReadReply, dog: Watch): ByteStream {
  return byteStream({
    length: body.length,
    pull: () => dog.bytes(() => body.pull()),
    close() {
      dog.end();
      return body.close();
    },
  });
}

interface Counts {
  timeouts: number;
  abandoned: number;
}

/** The time of one call. One timer at a time, set anew only when it wakes: bytes that pass cost a look at the clock. */
class Watch {
  readonly #call: Call;
  readonly #settings: TimeoutSettings;
  readonly #clock: Clock;
  readonly #counts: Counts;
  /** Fired: what is below stops. */
  readonly #stop = new AbortController();
  /** Fired: nobody waits any more. */
  readonly #over = new AbortController();
  readonly #begun: number;
  /** Since when nothing has come; undefined while nothing is waited for. */
  #silentSince: number | undefined;
  #allowedMs: number;
  #late: Promise<never> | undefined;

  constructor(call: Call, settings: TimeoutSettings, clock: Clock, counts: Counts) {
    this.#call = call;
    this.#settings = settings;
    this.#clock = clock;
    this.#counts = counts;
    this.#begun = clock.monotonic();
    this.#silentSince = this.#begun;
    this.#allowedMs = settings.replyMs;
  }

  async reply<O extends Operation>(call: Calls[O], next: Next<O>): Promise<Replies[O]> {
    const stop = this.#stop.signal;
    const signal = call.signal === undefined ? stop : AbortSignal.any([call.signal, stop]);
    const timed: Calls[O] = { ...call, signal };
    const below = call.operation === "write" ? observe(timed, next, { up: () => this.#moved() }) : next(timed);
    const reply = await this.#orLate(below, (late) => void (call.operation === "read" && (late as ReadReply).body.close().catch(() => {})));
    this.#silentSince = undefined;
    this.#allowedMs = this.#settings.idleMs;
    return reply;
  }

  /** The next bytes of a body. */
  async bytes(pull: () => Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    this.#moved();
    const bytes = await this.#orLate(pull());
    this.#silentSince = undefined;
    return bytes;
  }

  #moved(): void {
    this.#silentSince = this.#clock.monotonic();
  }

  end(): void {
    this.#over.abort();
  }

  /** What comes of the work; a `timeout` where it was stopped for its time, or where it did not even end then. */
  async #orLate<T>(work: Promise<T>, abandon?: (late: T) => void): Promise<T> {
    this.#late ??= this.#watch();
    // Nobody may be waiting when the time of the whole call is over; whoever asks next is told.
    this.#late.catch(() => {});
    let abandoned = false;
    work.then(
      (late) => abandoned && abandon?.(late),
      () => {},
    );
    try {
      return await Promise.race([work, this.#late]);
    } catch (error) {
      abandoned = true;
      if (!this.#stop.signal.aborted || this.#call.signal?.aborted === true) throw error;
      if (!hasCode(error, "aborted")) throw error;
      // What was said of the change stands; where nothing was, the default of the operation does.
      const change = error.operation === null ? { operation: this.#call.operation } : { applied: error.applied };
      throw error.with({ code: "timeout", reason: TIME_IS_OVER, cause: error.cause, ...change });
    }
  }

  /** Rejects when what was stopped for its time did not end. */
  async #watch(): Promise<never> {
    const { callMs, graceMs } = this.#settings;
    for (;;) {
      const now = this.#clock.monotonic();
      const left = Math.min(this.#begun + callMs - now, (this.#silentSince ?? now) + this.#allowedMs - now);
      if (left <= 0) break;
      // Infinity is longer than any timer, and needs none.
      await this.#sleep(Math.min(left, LONGEST_MS));
    }
    this.#counts.timeouts++;
    this.#stop.abort(new DOMException(TIME_IS_OVER, "TimeoutError"));
    await this.#sleep(graceMs);
    this.#counts.abandoned++;
    throw abortError(this.#stop.signal, { operation: this.#call.operation });
  }

  /** Never ends once nobody waits any more. */
  async #sleep(ms: number): Promise<void> {
    const over = this.#over.signal;
    try {
      await this.#clock.sleep(ms, over, { background: true });
    } catch (reason) {
      if (!over.aborted) throw reason;
    }
    if (over.aborted) await new Promise<never>(() => {});
  }
}

const TIME_IS_OVER = "the time for this call is over";
const LONGEST_MS = 2 ** 31 - 1;
