/** Deletion of archives that nothing needs, after a grace period in which readers with an older view find the copies. */
import { StoreError } from "../../store/index.ts";
import { nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { Needs } from "./needs.ts";
import type { ArchiveRow } from "./index/index.ts";
import type { Uploads } from "./uploads.ts";

/** A clock that moved more than time passed tells nothing about how long something has been so. */
const JUMP_MS = 60_000;

export class Collector {
  readonly #core: Core;
  readonly #needs: Needs;
  readonly #uploads: Uploads;
  #running: Promise<number> | undefined;
  #last: { readonly now: number; readonly monotonic: number } | undefined;

  constructor(core: Core, needs: Needs, uploads: Uploads) {
    this.#core = core;
    this.#needs = needs;
    this.#uploads = uploads;
  }

  /** One at a time. Resolves to the number of archives deleted. */
  async collect(graceMs: number): Promise<number> {
    while (this.#running !== undefined) await this.#running.catch(() => {});
    this.#running = this.#collect(graceMs).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #collect(graceMs: number): Promise<number> {
    const { index, rules } = this.#core;
    // Their tombstones and references are not known.
    if (rules.newerStopsWrites && index.archives.hasNewer()) return 0;
    this.#lookAtClock();
    this.#mark();
    let deleted = 0;
    const failures: unknown[] = [];
    for (const row of this.#needs.own()) {
      if (row.sent === 0 && !this.#maySend(row, graceMs)) continue;
      try {
        await this.#delete(row);
        deleted++;
      } catch (error) {
        // Repeated at the next collection.
        if (!StoreError.is(error)) throw error;
        failures.push(error);
        if (this.#core.ended.aborted) break;
      }
    }
    index.dropEmptyDirectories();
    if (failures.length > 0) throw failures[0];
    return deleted;
  }

  #lookAtClock(): void {
    const { clock, index } = this.#core;
    const now = { now: nowOf(this.#core), monotonic: clock.monotonic() };
    const before = this.#last;
    this.#last = now;
    if (before === undefined || Math.abs(now.now - before.now - (now.monotonic - before.monotonic)) <= JUMP_MS) return;
    index.transaction(() => index.archives.restartWaiting(now.now));
  }

  #mark(): void {
    const { index, step } = this.#core;
    for (const row of this.#needs.own()) {
      if (row.sent !== 0) continue;
      const needed = this.#needs.isNeeded(row);
      if (needed === (row.unneeded === null)) continue;
      index.transaction(() => index.archives.setUnneeded(row.id, needed ? null : nowOf(this.#core)));
      if (!needed) step("unneeded");
    }
  }

  /** Looked at and noted in one step: what refers into it from now on finds it sent, and what did so before has made it needed. */
  #maySend({ id }: ArchiveRow, graceMs: number): boolean {
    const { index, rules } = this.#core;
    const row = index.archives.byId(id);
    if (row === undefined || row.unneeded === null || nowOf(this.#core) - row.unneeded < graceMs) return false;
    if (rules.deletionWaitsForOlder && this.#uploads.hasOlderThan(row.unneeded)) return false;
    if (this.#needs.isNeeded(row)) {
      index.transaction(() => index.archives.setUnneeded(id, null));
      return false;
    }
    index.transaction(() => index.archives.setSent(id));
    return true;
  }

  async #delete(row: ArchiveRow): Promise<void> {
    const { ended, index, remote, step } = this.#core;
    step("delete sent");
    await remote.delete(row.object, ended);
    step("deleted");
    index.forget(row.id);
  }
}
