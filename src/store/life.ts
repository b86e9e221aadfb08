/** The life of one store: opened before its first call, innermost first; closed outermost first, after its running calls. */
import { StoreError, abortError } from "./errors.ts";
import type { Lifecycle } from "./provider.ts";

type State = "new" | "open" | "closing" | "closed";

export class Life {
  readonly #parts: Lifecycle;
  /** Lives of the stores it owns. */
  readonly #inner: readonly Life[];
  /** Lives that must not have ended, without being owned: what is borrowed. */
  readonly #lent: readonly Life[];
  /** Who borrowed this: their bodies end with this store, their calls are waited for. */
  readonly #borrowers = new Set<Life>();
  #state: State = "new";
  #opening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #running = 0;
  #idle: (() => void) | undefined;
  /** Open bodies: each ends with `closed` when the store closes. */
  readonly bodies: Set<{ end(error: StoreError): void }> = new Set();

  constructor(parts: Lifecycle, inner: readonly Life[], lent: readonly Life[] = []) {
    this.#parts = parts;
    this.#inner = inner;
    this.#lent = lent;
    for (const life of lent) life.#borrowers.add(this);
  }

  /** Before each call. Undefined: go on at once. */
  enter(): Promise<void> | undefined {
    if (this.#state === "open" && this.#lent.length === 0) {
      this.#running++;
      return undefined;
    }
    return this.#enterLater();
  }

  async #enterLater(): Promise<void> {
    await this.open(undefined);
    if (this.#state !== "open") throw closed();
    for (const life of this.#lent) life.#running++;
    this.#running++;
  }

  leave(): void {
    for (const life of this.#lent) life.leave();
    this.#running--;
    if (this.#running === 0) this.#idle?.();
  }

  /** Resolves when everything below and this is ready. If it fails, what was opened for it is closed again, and the next call tries again. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    if (this.#state === "closing" || this.#state === "closed") throw closed();
    for (const life of this.#lent) await life.open(signal);
    if (this.#state === "open") return;
    this.#opening ??= this.#open(signal).finally(() => (this.#opening = undefined));
    await this.#opening;
  }

  async #open(signal: AbortSignal | undefined): Promise<void> {
    const opened: Life[] = [];
    try {
      for (const life of this.#inner) {
        if (life.#state === "new") opened.push(life);
        await life.open(signal);
      }
      if (signal?.aborted === true) throw abortError(signal);
      await this.#parts.open?.(signal);
    } catch (error) {
      for (const life of opened.toReversed()) await life.#backToNew();
      throw error;
    }
    if (this.#state === "new") this.#state = "open";
  }

  /** Undoes an open whose outer layers could not be opened. */
  async #backToNew(): Promise<void> {
    if (this.#state !== "open" || this.#running > 0) return;
    this.#state = "new";
    // The error that made this necessary is the one to be told; closing again what was just opened adds nothing to it.
    await Promise.resolve(this.#parts.close?.(undefined)).catch(() => {});
    for (const life of this.#inner.toReversed()) await life.#backToNew();
  }

  async reconnect(signal: AbortSignal | undefined): Promise<void> {
    const wait = this.enter();
    if (wait !== undefined) await wait;
    try {
      for (const life of this.#inner) await life.reconnect(signal);
      await this.#parts.reconnect?.(signal);
    } finally {
      this.leave();
    }
  }

  close(signal: AbortSignal | undefined): Promise<void> {
    return (this.#closing ??= this.#close(signal));
  }

  async #close(signal: AbortSignal | undefined): Promise<void> {
    const wasOpen = this.#state === "open" || this.#opening !== undefined;
    this.#state = "closing";
    for (const life of [this, ...this.#borrowers]) life.#endBodies();
    for (const life of this.#lent) life.#borrowers.delete(this);
    const failures: unknown[] = [];
    const until = async (work: Promise<unknown> | undefined): Promise<void> => {
      try {
        await orAborted(work, signal);
      } catch (error) {
        failures.push(error);
      }
    };
    await until(this.#opening?.catch(() => {}));
    if (this.#running > 0) await until(new Promise<void>((done) => (this.#idle = done)));
    if (wasOpen) await until(this.#parts.close?.(signal));
    // Below as well, whatever happened here: nothing may stay open because one layer failed.
    for (const life of this.#inner) await until(life.close(signal));
    this.#state = "closed";
    if (failures.length > 0) throw failures[0];
  }

  #endBodies(): void {
    for (const body of this.bodies) body.end(closed());
    this.bodies.clear();
  }

  get ended(): boolean {
    return this.#lent.some((life) => life.ended) || this.#state === "closing" || this.#state === "closed";
  }
}

/** When the signal fires nothing is waited for any more. */
function orAborted(work: Promise<unknown> | undefined, signal: AbortSignal | undefined): Promise<unknown> | undefined {
  if (work === undefined || signal === undefined) return work;
  if (signal.aborted) {
    work.catch(() => {});
    return undefined;
  }
  return new Promise<unknown>((done, fail) => {
    const stop = (): void => done(undefined);
    signal.addEventListener("abort", stop, { once: true });
    work.then(done, fail).finally(() => signal.removeEventListener("abort", stop));
  });
}

export function closed(): StoreError {
  return new StoreError("closed", "the store is closed", { applied: false });
}
