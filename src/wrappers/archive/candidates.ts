/** Which archives are worth packing again. */
import { nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { ArchiveRow } from "./index/index.ts";
import type { Needs } from "./needs.ts";

const HOUR_MS = 3_600_000;
/** So many small archives are worth one request. */
const MANY_SMALL = 32;

export class Candidates {
  readonly #core: Core;
  readonly #needs: Needs;

  constructor(core: Core, needs: Needs) {
    this.#core = core;
    this.#needs = needs;
  }

  /** Own archives with a small share of what is live, and small ones where they are many; `all`: every one that holds anything dead. */
  choose({ minLiveRatio, all }: { readonly minLiveRatio: number; readonly all: boolean }): ArchiveRow[] {
    const { index, rules, settings } = this.#core;
    if (rules.newerStopsWrites && index.archives.hasNewer()) return [];
    const live = this.#livePayload();
    const { smallBytes, maxBytes } = settings;
    // Large members stay where they are: alone in their archives, these are whole or dead.
    const packable = this.#needs.own().filter((row) => this.mayPack(row) && !this.#hasLarge(row.id, Math.max(smallBytes, maxBytes)));
    const poor = packable.filter((row) => {
      const bytes = row.payload === 0 ? 1 : (live.get(row.id) ?? 0) / row.payload;
      // Dead records cost no space worth speaking of, but keep the tombstones that cover them.
      const records = row.records === 0 ? 1 : row.liveRecords / row.records;
      const worth = all ? bytes < 1 || records < 1 || this.#hasOldTombstones(row) : Math.min(bytes, records) < minLiveRatio;
      // What nothing needs goes by itself, such as what was packed again just now.
      return worth && this.#needs.isNeeded(row);
    });
    const small = packable.filter(
      (row) => !poor.includes(row) && row.bytes < maxBytes / 4 && nowOf(this.#core) - row.learned > HOUR_MS && this.#needs.isNeeded(row),
    );
    const bytes = small.reduce((sum, row) => sum + row.bytes, 0);
    return small.length >= MANY_SMALL || (bytes >= maxBytes && small.length > 1) ? [...poor, ...small] : poor;
  }

  /** Surely there, and not on its way out. */
  mayPack({ missing, sent }: ArchiveRow): boolean {
    return sent === 0 && (missing === null || this.#core.rules.missingIsUsed);
  }

  #hasOldTombstones({ id }: ArchiveRow): boolean {
    return this.#needs.tombs(id).some((tomb) => !this.#needs.isTombNeeded(tomb));
  }

  #hasLarge(archive: number, most: number): boolean {
    return this.#core.index.db.get("select 1 from entry where home = ? and at = home and size > ? limit 1", archive, most) !== undefined;
  }

  /** Live members of each archive, each once however many files share it, counted as `payloadOf` does. */
  #livePayload(): Map<number, number> {
    const { db } = this.#core.index;
    const files = db.all<{ readonly id: number; readonly bytes: number }>(
      "select id, total(size + 512) as bytes from (select distinct at as id, off, size from entry where at is not null) group by id",
    );
    const directories = db.all<{ readonly id: number; readonly bytes: number }>(
      "select home as id, 512 * count(*) as bytes from entry where kind = 2 group by home",
    );
    const live = new Map<number, number>();
    for (const { id, bytes } of [...files, ...directories]) live.set(id, (live.get(id) ?? 0) + bytes);
    return live;
  }
}
