/** What one open store works with: the shared index, its own settings, its commands. */
import { Commands } from "./commands.ts";
import { Library, closed } from "./library.ts";
import type { StoreSettings } from "./options.ts";
import { Removals } from "./removals.ts";
import { Surroundings } from "./surroundings.ts";

export class Session {
  readonly settings: StoreSettings;
  readonly library: Library;
  readonly commands: Commands;
  readonly removals: Removals;
  /** Fires when the store closes: what runs in the background ends. */
  readonly #over = new AbortController();

  private constructor(settings: StoreSettings, library: Library, surroundings: Surroundings) {
    this.settings = settings;
    this.library = library;
    this.commands = new Commands(settings, surroundings);
    this.removals = new Removals(this, this.#over.signal);
  }

  static async open(settings: StoreSettings): Promise<Session> {
    const library = await Library.open(settings);
    try {
      const session = new Session(settings, library, await Surroundings.make(library.newRun(), settings));
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

  /** New work in the background is not begun any more. */
  closing(): void {
    this.#over.abort(closed());
  }
  async close(): Promise<void> {
    this.closing();
    await this.removals.ended();
    await this.commands.surroundings.remove();
    await this.library.close();
  }
}
