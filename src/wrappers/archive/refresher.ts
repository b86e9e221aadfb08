/** Refreshes: when the folder is looked at. One at a time; whoever asks meanwhile waits for the same one. */
import { nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import { orAborted } from "./semaphore.ts";
import { Survey } from "./survey.ts";
import type { Uploads } from "./uploads.ts";

interface Running {
  readonly done: Promise<void>;
  readonly began: number;
  /** Nobody waits for it any more: it ends, and lets go of its connection. */
  readonly abandoned: AbortController;
  waiting: number;
}

export class Refresher {
  readonly #core: Core;
  readonly #survey: Survey;
  #running: Running | undefined;
  /** By the monotonic clock: when the last one that succeeded began. */
  #lastBegan: number | undefined;
  /** The same by the local clock, which goes on while a machine sleeps. */
  #lastBeganMs: number | undefined;
  readonly #listeners: ((began: number) => void)[] = [];

  constructor(core: Core, uploads: Uploads) {
    this.#core = core;
    this.#survey = new Survey(core, uploads);
  }

  get lastMs(): number {
    return this.#lastBeganMs ?? -1;
  }
  get hasRun(): boolean {
    return this.#lastBegan !== undefined;
  }

  /** Called after each refresh that succeeded. */
  onDone(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async settled(): Promise<void> {
    await this.#running?.done.catch(() => {});
  }

  /** Before a question is answered. */
  async ifDue(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#isDue()) return;
    try {
      // Nothing older than the question is good enough then, not even what is being listed at this moment.
      if (this.#core.settings.refreshMs === 0) await this.fresh(signal);
      else await this.#shared(signal);
    } catch (error) {
      if (!this.#core.rules.failedRefreshAnswers || signal?.aborted === true || !this.hasRun) throw error;
    }
  }

  #isDue(): boolean {
    const { refreshMs } = this.#core.settings;
    return refreshMs === 0 || this.#lastBegan === undefined || this.#core.clock.monotonic() - this.#lastBegan > refreshMs;
  }

  /** One that begins after this was called, shared by all who ask meanwhile. */
  async fresh(signal?: AbortSignal | undefined): Promise<void> {
    const running = this.#running;
    if (running !== undefined)
      await orAborted(
        running.done.catch(() => {}),
        signal,
      );
    await this.#shared(signal);
  }

  /**
   * Before every seal: after the first complete refresh, and not long after the last one by the wall clock. A machine that slept may have been taken over
   * meanwhile: what it then wrote under its old identity, its heir would refer to and delete.
   */
  async ready(): Promise<void> {
    const { rules, settings } = this.#core;
    const old = this.#lastBeganMs === undefined || Math.abs(nowOf(this.#core) - this.#lastBeganMs) >= settings.graceMs / 2;
    if (!this.hasRun || (old && rules.sealsNeedYoungView && settings.refreshMs !== Infinity)) await this.#shared();
  }

  /** The one that runs, or a new one. */
  async #shared(signal?: AbortSignal | undefined): Promise<void> {
    while (this.#running?.abandoned.signal.aborted === true)
      await orAborted(
        this.#running.done.catch(() => {}),
        signal,
      );
    const running = this.#running ?? this.#start();
    running.waiting += 1;
    try {
      await orAborted(running.done, signal);
    } finally {
      running.waiting -= 1;
      if (running.waiting === 0 && this.#running === running) running.abandoned.abort(signal?.reason);
    }
  }

  #start(): Running {
    const began = this.#core.clock.monotonic();
    const beganMs = nowOf(this.#core);
    const abandoned = new AbortController();
    const done = this.#survey.run(AbortSignal.any([this.#core.ended, abandoned.signal])).then(
      () => {
        this.#lastBegan = began;
        this.#lastBeganMs = beganMs;
        this.#running = undefined;
        for (const listener of this.#listeners) listener(began);
      },
      (error: unknown) => {
        this.#running = undefined;
        throw error;
      },
    );
    // Who gave up is not there to hear how it ended.
    done.catch(() => {});
    this.#running = { done, began, abandoned, waiting: 0 };
    return this.#running;
  }
}
