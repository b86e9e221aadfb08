/** The life of one store: opened before its first call, innermost first; closed outermost first, after its running calls. */
import { StoreError, abortError } from "./errors.ts";
import type { Lifecycle } from "./provider.ts";
import { tooOld } from "./runtime.ts";

type State = "new" | "open" | "closing" | "closed";

/** A body that is open: it ends with `closed` when the store closes. */
export interface OpenBody {
  end(error: StoreError): void;
}
export interface Bodies {
  add(body: OpenBody): unknown;
  delete(body: OpenBody): unknown;
}

/** One attempt to open, shared by all who wait for it: it stops when the last of them has gone. */
interface Opening {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  waiting: number;
}

export class Life {
  /** Of the store: what its parts throw was born here, whoever has asked for it. */
  readonly #name: string;
  readonly #parts: Lifecycle;
  /** Lives of the stores it owns. */
  readonly #inner: readonly Life[];
  /** Lives that must not have ended, without being owned: what is borrowed. */
  readonly #lent: readonly Life[];
  /** The layer that owns this. */
  #owner: Life | undefined;
  #state: State = "new";
  /** `open` of the parts has succeeded and their `close` has not run since. */
  #partsOpen = false;
  #opening: Opening | undefined;
  #undoing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  readonly #deadline: AbortController = new AbortController();
  #running = 0;
  #idle: (() => void) | undefined;
  readonly #openBodies: Set<OpenBody> = new Set();
  /** Those of a borrower are known to its lender too. */
  readonly bodies: Bodies;

  constructor(name: string, parts: Lifecycle, inner: readonly Life[], lent: readonly Life[] = []) {
    this.#name = name;
    this.#parts = parts;
    this.#inner = inner;
    this.#lent = lent;
    for (const life of inner) life.#owner = this;
    const all = [this.#openBodies, ...lent.map(({ bodies }) => bodies)];
    this.bodies =
      lent.length === 0
        ? this.#openBodies
        : {
            add: (body) => all.forEach((one) => one.add(body)),
            delete: (body) => all.forEach((one) => one.delete(body)),
          };
  }

  /** Before each call. Undefined: go on at once. */
  enter(signal?: AbortSignal | undefined): Promise<void> | undefined {
    if (this.#state === "open" && this.#lent.length === 0) {
      this.#running++;
      return undefined;
    }
    return this.#enterLater(signal);
  }

  async #enterLater(signal: AbortSignal | undefined): Promise<void> {
    await this.open(signal);
    // Nothing waits from here to the count: closing sees the call, or the call sees the closing.
    if (this.ended) throw closed();
    this.#count(1);
  }

  leave(): void {
    if (this.#lent.length > 0) return this.#count(-1);
    this.#running--;
    if (this.#running === 0) this.#idle?.();
  }

  #count(by: 1 | -1): void {
    for (const life of this.#lent) life.#count(by);
    this.#running += by;
    if (this.#running === 0) this.#idle?.();
  }

  /**
   * Resolves when everything below and this is ready. If it fails, what was opened for it is closed again, and the next call tries again.
   * A caller whose signal fires leaves; the others go on waiting.
   */
  async open(signal: AbortSignal | undefined): Promise<void> {
    for (const life of this.#lent) await life.open(signal);
    for (;;) {
      if (this.ended) throw closed();
      if (this.#state === "open") return;
      if (this.#undoing !== undefined) await orGone(this.#undoing, signal);
      else if (this.#opening?.stop.signal.aborted === true)
        await orGone(
          this.#opening.done.catch(() => {}),
          signal,
        );
      else await this.#join((this.#opening ??= this.#startOpening()), signal);
    }
  }

  async #join(opening: Opening, signal: AbortSignal | undefined): Promise<void> {
    opening.waiting++;
    try {
      await orGone(opening.done, signal);
    } finally {
      opening.waiting--;
      if (opening.waiting === 0 && this.#opening === opening) opening.stop.abort(signal?.reason);
    }
  }

  #startOpening(): Opening {
    const stop = new AbortController();
    const done = this.#open(stop.signal).finally(() => (this.#opening = undefined));
    // Whoever waits for it is told; when nobody does any more, nobody is.
    done.catch(() => {});
    return { done, stop, waiting: 0 };
  }

  async #open(signal: AbortSignal): Promise<void> {
    const old = tooOld();
    if (old !== undefined) throw old;
    const opened: Life[] = [];
    try {
      for (const life of this.#inner) {
        if (life.#state === "new") opened.push(life);
        await life.open(signal);
      }
      if (signal.aborted) throw abortError(signal);
      await this.#part("open", signal);
      this.#partsOpen = true;
    } catch (error) {
      for (const life of opened.toReversed()) await life.#backToNew();
      throw error;
    }
    if (this.#state === "new") this.#state = "open";
    // The deadline of closing has passed while this was opened: nobody else is left to do it.
    else if (this.#state === "closed") await this.#closeParts(this.#deadline.signal);
  }

  /** Undoes an open whose outer layers could not be opened. Whoever comes meanwhile waits, and opens it anew. */
  async #backToNew(): Promise<void> {
    if (this.#state !== "open" || this.#running > 0) return;
    this.#state = "new";
    const undo = async (): Promise<void> => {
      // The error that made this necessary is the one to be told; closing again what was just opened adds nothing to it.
      await this.#closeParts(undefined).catch(() => {});
      for (const life of this.#inner.toReversed()) await life.#backToNew();
      this.#undoing = undefined;
    };
    this.#undoing = undo();
    await this.#undoing;
  }

  async #closeParts(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#partsOpen) return;
    this.#partsOpen = false;
    await this.#part("close", signal);
  }

  async #part(step: "open" | "reconnect" | "close", signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#parts[step]?.(signal);
    } catch (error) {
      if (!StoreError.is(error)) throw new StoreError("unknown", "something failed that nobody expected", { store: this.#name, cause: error });
      throw error.store === null ? error.with({ store: this.#name, cause: error.cause }) : error;
    }
  }

  /** Innermost first. A borrower may ask for it too: it ends nothing. */
  async reconnect(signal: AbortSignal | undefined): Promise<void> {
    const wait = this.enter(signal);
    if (wait !== undefined) await wait;
    try {
      for (const life of [...this.#lent, ...this.#inner]) await life.reconnect(signal);
      await this.#part("reconnect", signal);
    } finally {
      this.leave();
    }
  }

  /** What a layer owns is closed by it: whoever closes an inner store closes the stack, so that nothing that the layers hold is lost. */
  close(signal: AbortSignal | undefined): Promise<void> {
    if (this.#owner?.ended === false) return this.#owner.close(signal);
    this.#closing ??= this.#close(this.#deadline.signal);
    const stop = (): void => this.#deadline.abort(signal?.reason);
    if (signal?.aborted === true) stop();
    signal?.addEventListener("abort", stop, { once: true });
    const quiet = (): void => signal?.removeEventListener("abort", stop);
    this.#closing.then(quiet, quiet);
    return this.#closing;
  }

  async #close(deadline: AbortSignal): Promise<void> {
    this.#state = "closing";
    this.#parts.closing?.();
    for (const body of this.#openBodies) body.end(closed());
    // One turn, so that a deadline that has passed already holds from the start.
    await Promise.resolve();
    const failures: StoreError[] = [];
    const until = async (work: () => Promise<unknown> | undefined): Promise<void> => {
      try {
        await orAborted(work(), deadline);
      } catch (error) {
        failures.push(error as StoreError);
      }
    };
    const { stop, done } = this.#opening ?? {};
    deadline.addEventListener("abort", () => stop?.abort(deadline.reason), { once: true });
    await until(() => done?.catch(() => {}));
    await until(() => this.#undoing);
    if (this.#running > 0) await until(() => new Promise<void>((idle) => (this.#idle = idle)));
    await until(() => this.#closeParts(deadline));
    // Below as well, whatever happened here: nothing may stay open because one layer failed.
    for (const life of this.#inner) await until(() => life.close(deadline));
    this.#state = "closed";
    const [first, ...others] = failures;
    if (first === undefined) return;
    if (others.length === 0) throw first;
    const reason = [first.reason, ...others.map((other) => `${other.store}: ${other.reason}`)].join("; also ");
    throw first.with({ reason, cause: new AggregateError(failures, "several stores could not be closed") });
  }

  get ended(): boolean {
    return this.#state === "closing" || this.#state === "closed" || this.#lent.some((life) => life.ended);
  }
}

/** When the signal fires nothing is waited for any more. */
function orAborted(work: Promise<unknown> | undefined, signal: AbortSignal): Promise<unknown> | undefined {
  if (work === undefined) return undefined;
  return new Promise<unknown>((done, fail) => {
    const stop = (): void => done(undefined);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(done, fail).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** The caller leaves when its signal fires; the work goes on for the others. */
function orGone<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((done, fail) => {
    const leave = (): void => fail(abortError(signal, { applied: false }));
    if (signal.aborted) leave();
    signal.addEventListener("abort", leave, { once: true });
    work.then(done, fail).finally(() => signal.removeEventListener("abort", leave));
  });
}

export function closed(): StoreError {
  return new StoreError("closed", "the store is closed", { applied: false });
}
