/** Everything that lives from `open` to `close`, put together. */
import { StoreError, parsePath } from "../../store/index.ts";
import type { Backend, Clock } from "../../store/index.ts";
import { Collector } from "./collector.ts";
import { HybridClock } from "./clock.ts";
import { isOwn, nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import { Groups } from "./groups.ts";
import { Identity } from "./identity.ts";
import { Index } from "./index/index.ts";
import { Needs } from "./needs.ts";
import type { ArchiveEvent, ArchiveSettings } from "./options.ts";
import { Reads } from "./reads.ts";
import { Refresher } from "./refresher.ts";
import { Remote } from "./remote.ts";
import { Repacker } from "./repacker.ts";
import type { Rules } from "./rules.ts";
import { Semaphore } from "./semaphore.ts";
import { Solos } from "./solo.ts";
import type { StepHook } from "./steps.ts";
import { Taker } from "./taker.ts";
import { Uploads } from "./uploads.ts";
import { Upkeep } from "./upkeep.ts";

export interface OpenParts {
  readonly inner: Backend;
  readonly settings: () => Readonly<ArchiveSettings>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rules: Rules;
  readonly step: StepHook;
  readonly emit: (event: ArchiveEvent) => void;
  /** Collections and repacks after refreshes. */
  readonly upkeep: boolean;
}

export class Opened {
  readonly core: Core;
  readonly uploads: Uploads;
  readonly refresher: Refresher;
  readonly groups: Groups;
  readonly solos: Solos;
  readonly reads: Reads;
  readonly needs: Needs;
  readonly collector: Collector;
  readonly repacker: Repacker;
  readonly upkeep: Upkeep | undefined;
  /** Room for bodies in memory. */
  readonly #admission: Semaphore;
  readonly #end: AbortController;
  readonly #taker: Taker;

  private constructor(core: Core, end: AbortController, { inner, upkeep }: OpenParts) {
    this.core = core;
    this.#end = end;
    this.#admission = new Semaphore(() => core.settings.memoryBytes);
    this.uploads = new Uploads(core);
    this.refresher = new Refresher(core, this.uploads);
    this.groups = new Groups(core, this.uploads, {
      ready: () => this.refresher.ready(),
      take: (paths) => this.#taker.take(paths),
    });
    const slot = async (): Promise<() => void> => {
      const release = await this.groups.slot();
      try {
        await this.refresher.ready();
        return release;
      } catch (error) {
        release();
        throw error;
      }
    };
    this.reads = new Reads(core, this.refresher);
    this.solos = new Solos(core, this.uploads, this.groups, () => this.refresher.ready(), Math.max(1, Math.min(4, inner.capabilities.concurrency)));
    this.#taker = new Taker(core, this.uploads, this.reads, this.solos, slot);
    this.needs = new Needs(core);
    this.collector = new Collector(core, this.needs, this.uploads);
    this.repacker = new Repacker(core, this.needs, this.uploads, this.reads, slot);
    this.upkeep = upkeep ? new Upkeep(core, this.groups, this.refresher, this.collector, this.repacker) : undefined;
  }

  static async open(parts: OpenParts): Promise<Opened> {
    const { inner, clock, random, rules, step, emit } = parts;
    const { directory, folder } = parts.settings();
    const end = new AbortController();
    const hybrid = new HybridClock(clock, rules);
    // Asked only once there is an identity.
    const index = await Index.open(directory, Math.floor(clock.now()), rules, step, (writer) => isOwn(core, writer));
    let core: Core;
    try {
      const identity = new Identity(directory, index, rules, random, step);
      core = {
        clock,
        hybrid,
        identity,
        index,
        remote: new Remote(inner, parsePath(folder), step),
        rules,
        step,
        get settings() {
          return parts.settings();
        },
        emit,
        ended: end.signal,
      };
      hybrid.restore(index.number("last"), index.number("seen"));
      // Whatever was running when the last process ended may still land.
      index.transaction(() => {
        for (const intent of index.archives.intents()) {
          if (intent.until !== null) continue;
          if (intent.time === null && core.remote.atomic) index.archives.dropIntent(intent.name);
          else index.archives.putIntent({ ...intent, until: nowOf(core) + core.settings.lateMs });
        }
      });
    } catch (error) {
      index.close();
      throw error;
    }
    return new Opened(core, end, parts);
  }

  /** Waits for room for a body in memory; its body is not touched before. Gives what frees the room. */
  async admit(bytes: number, signal: AbortSignal | undefined): Promise<() => void> {
    const { ended } = this.core;
    try {
      return await this.#admission.acquire(bytes, signal === undefined ? ended : AbortSignal.any([ended, signal]));
    } catch (error) {
      if (ended.aborted && signal?.aborted !== true) throw new StoreError("closed", "the store was closed", { cause: error, applied: false });
      throw error;
    }
  }

  /**
   * Sends what is open and waits for all that is on its way. When the signal fires nothing is waited for any more: the index is let go of at once, so that
   * whoever opens this directory next finds it free; what still runs ends with `closed`, and its intents stay.
   */
  async close(signal: AbortSignal | undefined): Promise<void> {
    const { index } = this.core;
    const leave = (): void => {
      this.#end.abort();
      index.close();
    };
    if (signal?.aborted === true) return leave();
    signal?.addEventListener("abort", leave, { once: true });
    try {
      await this.groups.flush();
      this.#end.abort();
      await this.groups.flush();
      await this.solos.settled();
      await this.upkeep?.settled();
      await this.refresher.settled();
    } finally {
      signal?.removeEventListener("abort", leave);
      index.close();
    }
  }
}
