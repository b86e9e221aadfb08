/**
 * Tries again what may be tried again, and continues broken downloads where they broke: `retry({ attempts: 5 })`.
 *
 *   const store = stack(s3({ bucket }), retry({ maxWaitMs: 30_000 }));
 */
import { StoreError, calls, continued, control, hasCode, kindOf, layer, mayRepeat, setting, systemClock, uniform } from "../store/index.ts";
import type { ByteStream, Call, Calls, Clock, Control, Entry, Injected, Kind, Layer, Next, Operation, ReadCall, ReadReply, Replies } from "../store/index.ts";

export interface RetrySettings {
  /** Tries per call, the first included. 1 to 100, default 4. */
  readonly attempts: number;
  /** Pause before the second try; doubled for each further one, and a random part of it is taken, so that many clients do not come back together. Default 200. */
  readonly firstDelayMs: number;
  /** Longest pause of our own choosing. Default 30,000. */
  readonly maxDelayMs: number;
  /**
   * All pauses of one call together, those that the service asks for (Retry-After) included; for a read, those since its last byte. A pause that
   * would go beyond it is not begun: the call fails at once. Default 120,000.
   */
  readonly maxWaitMs: number;
  /**
   * Changes whose outcome is unknown (the answer was lost): "resend" repeats those for which twice is once, although the first request may still
   * land late; "reject" hands the doubt up, for a layer that can wait it out. Default "resend". Those for which twice is not once are never repeated.
   */
  readonly ambiguous: "resend" | "reject";
}
export interface RetryOptions extends Partial<RetrySettings>, Pick<Injected, "clock" | "random"> {}
export interface RetryControl extends Control<RetrySettings> {}

/**
 * Only errors that say `transient` are tried again, and only what `mayRepeat` allows: a body that cannot be opened again is sent once. What a layer or
 * service below has tried several times already is not multiplied. A read whose body breaks off is continued by a range that holds only for the same
 * etag, so never two versions in one body; where the service has no etag or no such range, the error is handed up.
 * The error that is thrown in the end is the last one, with `attempts`.
 */
export function retry(options: RetryOptions = {}): Layer<"retry", RetryControl> {
  const { clock = systemClock, random = Math.random, ...given } = options;
  return layer("retry", (inner) => {
    const settings = control<RetrySettings>(
      "retry",
      {
        attempts: setting.count("tries per call, the first included", 4, { min: 1, max: 100 }),
        firstDelayMs: setting.ms("pause before the second try, doubled for each further one", 200),
        maxDelayMs: setting.ms("longest pause of our own choosing", 30_000),
        maxWaitMs: setting.ms("all pauses of one call together", 120_000),
        ambiguous: setting.choice("changes whose outcome is unknown", ["resend", "reject"], "resend"),
      },
      given,
    );
    const counts = { retries: 0, resumed: 0, givenUp: 0, waitedMs: 0 };
    const attempt = (call: Call): Attempts => new Attempts(call, settings, clock, random, counts);
    const { readRange, readIfMatch } = inner.capabilities;
    const resumes = readRange !== false && readIfMatch !== false;
    return {
      control: withReport(settings, counts),
      describe: () => `attempts=${settings.settings.attempts}`,
      backend: uniform(inner, {
        around: (call, next) => repeated(attempt(call), call, next),
        async read(call, next) {
          const reply = await repeated(attempt(call), call, next);
          if (!resumes || reply.entry.etag === null || reply.body.inMemory) return reply;
          return { ...reply, body: resuming(call, reply, reply.entry.etag, next, attempt, counts) };
        },
      }),
    };
  });
}

export const Retry: Kind<RetryControl> = kindOf("retry");

interface Counts {
  retries: number;
  resumed: number;
  givenUp: number;
  waitedMs: number;
}

function withReport(base: Control<RetrySettings>, counts: Counts): RetryControl {
  return {
    kind: base.kind,
    get settings() {
      return base.settings;
    },
    configure: (patch) => base.configure(patch),
    flush: (options) => base.flush(options),
    report: () => ({ ...counts }),
  };
}

async function repeated<O extends Operation>(attempts: Attempts, call: Calls[O], next: Next<O>): Promise<Replies[O]> {
  for (;;) {
    try {
      return await next(call);
    } catch (error) {
      await attempts.failed(error);
    }
  }
}

/** The tries of one call, or of one stretch of a body. */
class Attempts {
  readonly #call: Call;
  readonly #control: Control<RetrySettings>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #counts: Counts;
  #tried = 0;
  #waitedMs = 0;

  constructor(call: Call, settings: Control<RetrySettings>, clock: Clock, random: () => number, counts: Counts) {
    this.#call = call;
    this.#control = settings;
    this.#clock = clock;
    this.#random = random;
    this.#counts = counts;
  }

  /** After a try failed: returns when it is time for the next one, throws where there is none. */
  async failed(error: unknown): Promise<void> {
    if (!StoreError.is(error)) throw error;
    this.#tried++;
    const { attempts, firstDelayMs, maxDelayMs, maxWaitMs, ambiguous } = this.#control.settings;
    // More than one attempt: a layer below has done what can be done.
    if (error.attempts > 1 || !mayRepeat(this.#call, error, ambiguous)) throw this.#last(error);
    const pause = error.retryAfterMs ?? this.#random() * Math.min(maxDelayMs, firstDelayMs * 2 ** (this.#tried - 1));
    if (this.#tried >= attempts || this.#waitedMs + pause > maxWaitMs) {
      this.#counts.givenUp++;
      throw this.#last(error);
    }
    await this.#pause(pause, error);
    this.#counts.retries++;
  }

  async #pause(ms: number, error: StoreError): Promise<void> {
    const { signal } = this.#call;
    this.#waitedMs += ms;
    this.#counts.waitedMs += ms;
    try {
      await this.#clock.sleep(ms, signal);
    } catch (reason) {
      if (signal?.aborted !== true) throw reason;
      const late = typeof reason === "object" && reason !== null && (reason as { readonly name?: unknown }).name === "TimeoutError";
      // What is known of the change is what the last try said of it.
      throw new StoreError(late ? "timeout" : "aborted", "the caller gave up while the call waited for its next try", {
        cause: reason,
        applied: error.applied,
        attempts: this.#tried,
        operation: this.#call.operation,
      });
    }
  }

  #last(error: StoreError): StoreError {
    return this.#tried > error.attempts ? error.with({ attempts: this.#tried, cause: error.cause }) : error;
  }
}

/** The body of a read, continued by further reads of the rest. */
function resuming(call: ReadCall, reply: ReadReply, etag: string, next: Next<"read">, attempt: (call: Call) => Attempts, counts: Counts): ByteStream {
  const { entry, offset, body } = reply;
  const { length } = body;
  /** Fires when the reader leaves: a pause ends, and a request for the rest is given up. */
  const left = new AbortController();
  let attempts: Attempts | undefined;

  /** Waits, and opens the rest of the body. */
  const again = async (error: unknown, got: number): Promise<ByteStream> => {
    // All bytes are out and yet it failed: what was wrong with them, a further request cannot tell. Of an empty body none are, it may be asked for again.
    if (length !== null && got > 0 && got >= length) throw error;
    const signal = call.signal === undefined ? left.signal : AbortSignal.any([call.signal, left.signal]);
    const rest = calls.read(call.path, {
      range: { offset: offset + got, length: length === null ? undefined : length - got },
      ifMatch: etag,
      fresh: call.fresh,
      signal,
    });
    attempts ??= attempt(rest);
    for (let problem = error; ;) {
      await attempts.failed(problem);
      try {
        const more = await next(rest);
        if (more.offset !== offset + got) {
          await more.body.close();
          throw new StoreError("unavailable", "the rest of a body came from another place than it was asked for");
        }
        counts.resumed++;
        return more.body;
      } catch (problemNow) {
        if (hasCode(problemNow, "precondition-failed", "bad-range", "not-found")) throw changed(problemNow, entry);
        problem = problemNow;
      }
    }
  };

  return continued({
    length,
    first: body,
    again,
    // Something came: whatever breaks next is a new trouble, with tries of its own.
    seen: () => (attempts = undefined),
    left: () => left.abort(),
  });
}

function changed(cause: StoreError, entry: Entry): StoreError {
  return new StoreError("conflict", "the file changed while it was read", { cause, entry });
}
