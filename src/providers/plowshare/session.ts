/** What one open store works with: the shared index, its own settings, its commands. */
import { StoreError, abortError } from "../../store/index.ts";
import { Commands } from "./commands.ts";
import { Library, closed } from "./library.ts";
import type { StoreSettings } from "./options.ts";
import type { Runner } from "./process.ts";
import { Removals } from "./removals.ts";
import { Surroundings } from "./surroundings.ts";

export class Session {
  readonly settings: StoreSettings;
  readonly library: Library;
  readonly commands: Commands;
  readonly removals: Removals;
  /** Fires when closing begins: what runs in the background ends, also what a control was asked for. */
  readonly #background = new AbortController();
  /** Fires when calls are not waited for any more. */
  readonly #calls = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  private constructor(settings: StoreSettings, library: Library, surroundings: Surroundings, runner: Runner) {
    this.settings = settings;
    this.library = library;
    this.commands = new Commands(settings, surroundings, runner);
    this.removals = new Removals(this, this.#background.signal);
  }

  static async open(settings: StoreSettings, runner: Runner): Promise<Session> {
    const library = await Library.open(settings);
    try {
      const session = new Session(settings, library, await Surroundings.make(library.newRun(), settings), runner);
      session.removals.start();
      return session;
    } catch (error) {
      await library.close();
      throw error;
    }
  }

  now(): number {
    return this.settings.clock.now();
  }
  /** One command at this host, when it is its turn. */
  atHost<T>(host: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const { maxProcesses, maxProcessesPerHost } = this.settings;
    return this.library.slots.run(host, { all: maxProcesses, perHost: maxProcessesPerHost }, signal, work);
  }

  /** A call, or with `background` something that no call waits for. The index stays open until it has ended, and it ends when the store closes. */
  async during<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>, background = false): Promise<T> {
    const over = (background ? this.#background : this.#calls).signal;
    if (over.aborted) throw closed();
    const task = work(signal === undefined ? over : AbortSignal.any([signal, over]));
    this.#running.add(task);
    try {
      return await task;
    } catch (error) {
      if (signal?.aborted === true) throw StoreError.is(error) ? error : abortError(signal, { applied: false });
      throw over.aborted ? closed() : error;
    } finally {
      this.#running.delete(task);
    }
  }

  closing(): void {
    this.#background.abort(closed());
  }
  async close(): Promise<void> {
    this.closing();
    this.#calls.abort(closed());
    await this.removals.ended();
    await Promise.allSettled(this.#running);
    await this.commands.surroundings.remove();
    await this.library.close();
  }
}
