/** What is done in the background after refreshes: claims of writers that are dead for certain, collections, repacks. */
import { StoreError } from "../../store/index.ts";
import type { Core } from "./core.ts";
import type { Collector } from "./collector.ts";
import type { Groups } from "./groups.ts";
import type { Refresher } from "./refresher.ts";
import type { Repacker } from "./repacker.ts";

const PAUSE_MS = 10 * 60_000;

export class Upkeep {
  readonly #core: Core;
  readonly #groups: Groups;
  readonly #collector: Collector;
  readonly #repacker: Repacker;
  #last: number | undefined;
  #running: Promise<void> | undefined;
  /** Code of the last background work that failed; "" after one that did not. */
  trouble = "";

  constructor(core: Core, groups: Groups, refresher: Refresher, collector: Collector, repacker: Repacker) {
    this.#core = core;
    this.#groups = groups;
    this.#collector = collector;
    this.#repacker = repacker;
    refresher.onDone(() => this.#afterRefresh());
  }

  /** Resolves when nothing runs in the background. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #afterRefresh(): void {
    const { clock, ended } = this.#core;
    const due = this.#last === undefined || clock.monotonic() - this.#last >= PAUSE_MS;
    if (this.#running !== undefined || ended.aborted || !(due || this.#unclaimed().length > 0)) return;
    if (due) this.#last = clock.monotonic();
    this.#running = this.#work(due)
      .then(
        () => {
          this.trouble = "";
        },
        (error: unknown) => {
          // Nobody waits for this; what is left is done again next time, and `report` tells.
          this.trouble = StoreError.is(error) ? error.code : "unknown";
        },
      )
      .finally(() => (this.#running = undefined));
  }

  /** Earlier writers of this directory that have archives and no heir. */
  #unclaimed(): string[] {
    const { identity, index } = this.#core;
    if (identity.earlier.size === 0) return [];
    return [...identity.earlier].filter(
      (writer) => index.owners.claimOf(writer) === undefined && index.db.get("select 1 from archive where writer = ? limit 1", writer) !== undefined,
    );
  }

  async #work(due: boolean): Promise<void> {
    await Promise.all(this.#unclaimed().map((writer) => this.#groups.submit({ type: "claim", writer }, undefined)));
    if (!due) return;
    const { rules, settings } = this.#core;
    await this.#collector.collect(rules.graceMs(settings));
    await this.#repacker.repack({ minLiveRatio: settings.minLiveRatio, all: false });
  }
}
