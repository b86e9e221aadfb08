/**
 * The one rule of deletion: an own archive is needed for its live records, for bytes that live records refer to, for tombstones and claims that still do
 * something and stand in no newer own archive, and as long as its own upload is in doubt. Everything else may go after a grace period.
 */
import { isOwn, nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { Claim, Tombstone } from "./format/records.ts";
import { compareStamps } from "./format/stamp.ts";
import type { ArchiveRow, ClaimRow } from "./index/index.ts";

export interface TombRow {
  readonly dir: number;
  readonly name: string;
  readonly t: number;
  readonly w: string;
  readonly born: number;
  readonly archive: number;
}

export class Needs {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Archives that this installation may pack again and delete, oldest first. */
  own(): ArchiveRow[] {
    const { index, rules } = this.#core;
    return index.archives.all().filter(({ writer }) => rules.mayManage(isOwn(this.#core, writer)));
  }

  isNeeded(row: ArchiveRow): boolean {
    const { index, rules } = this.#core;
    if (index.db.get("select 1 from entry where home = ? limit 1", row.id) !== undefined) return true;
    if (index.db.get("select 1 from entry where at = ? and at <> home limit 1", row.id) !== undefined) return true;
    if (rules.ownUploadsAreNeeded && index.archives.intentOf(row.name) !== undefined) return true;
    if (rules.tombstonesAreNeeded) for (const tomb of this.tombs(row.id)) if (this.isTombNeeded(tomb) && !this.#isTombCovered(tomb, row)) return true;
    return this.claims(row.id).some((claim) => this.isClaimNeeded(claim) && !this.#isClaimCovered(claim, row));
  }

  tombs(archive: number): TombRow[] {
    return this.#core.index.db.all<TombRow>("select * from tomb where archive = ?", archive);
  }

  /** Something below it is known, or may be: in an archive that cannot be read, or on its way. */
  isTombNeeded(tomb: TombRow): boolean {
    const { index, rules, settings } = this.#core;
    const { dir, name, t, w } = tomb;
    const recordsBelow =
      index.db.get("select 1 from shadow where dir = ? and name = ? and (t, w) <= (?, ?) limit 1", dir, name, t, w) !== undefined ||
      index.db.get("select 1 from unread limit 1") !== undefined;
    return !rules.mayDropTombstone({ recordsBelow, ageMs: nowOf(this.#core) - this.#bornHere(tomb), tombMs: settings.tombMs });
  }

  /** By this clock: what another writer's clock says is not compared with it. */
  #bornHere({ born, archive }: { readonly born: number; readonly archive: number }): number {
    const row = this.#core.index.archives.byId(archive);
    return row === undefined || row.writer === this.#core.identity.writer ? born : row.learned;
  }

  #isTombCovered(tomb: TombRow, row: ArchiveRow): boolean {
    const { index } = this.#core;
    const others = index.db.all<TombRow>("select * from tomb where dir = ? and name = ? and archive <> ?", tomb.dir, tomb.name, tomb.archive);
    return others.some(
      (other) =>
        compareStamps([other.t, other.w], [tomb.t, tomb.w]) >= 0 &&
        this.#bornHere(other) >= this.#bornHere(tomb) &&
        this.#isNewerOwn(index.archives.byId(other.archive), row),
    );
  }

  #isNewerOwn(other: ArchiveRow | undefined, row: ArchiveRow): boolean {
    if (other === undefined || other.sent !== 0 || !this.#core.rules.mayManage(isOwn(this.#core, other.writer))) return false;
    return compareStamps([other.time, other.writer], [row.time, row.writer]) > 0;
  }

  claims(archive: number): ClaimRow[] {
    return this.#core.index.db.all<ClaimRow>("select * from claim where archive = ?", archive);
  }

  isClaimNeeded({ writer, learned }: ClaimRow): boolean {
    const { index, settings } = this.#core;
    if (index.db.get("select 1 from archive where writer = ? limit 1", writer) !== undefined) return true;
    if (index.db.get("select 1 from claim where by = ? limit 1", writer) !== undefined) return true;
    return nowOf(this.#core) - learned <= settings.tombMs;
  }

  #isClaimCovered(claim: ClaimRow, row: ArchiveRow): boolean {
    const { index } = this.#core;
    return index.db
      .all<ClaimRow>("select * from claim where writer = ? and by = ? and t = ? and archive <> ?", claim.writer, claim.by, claim.t, claim.archive)
      .some((other) => this.#isNewerOwn(index.archives.byId(other.archive), row));
  }

  /** What of these archives' tombstones and claims must stand in the archive that takes their place: per path the highest and the youngest. */
  kept(archives: readonly ArchiveRow[]): { readonly tombstones: Tombstone[]; readonly claims: Claim[] } {
    const { view } = this.#core.index;
    const tombs = new Map<string, Tombstone>();
    const claims = new Map<string, Claim>();
    for (const { id } of archives) {
      for (const tomb of this.tombs(id)) {
        if (!this.isTombNeeded(tomb)) continue;
        const path = view.pathOf(tomb);
        const before = tombs.get(path);
        const upTo = before !== undefined && compareStamps(before.upTo, [tomb.t, tomb.w]) > 0 ? before.upTo : ([tomb.t, tomb.w] as const);
        tombs.set(path, { path, upTo, bornMs: Math.max(before?.bornMs ?? 0, this.#bornHere(tomb)) });
      }
      for (const claim of this.claims(id))
        if (this.isClaimNeeded(claim))
          claims.set(`${claim.writer} ${claim.by} ${claim.t}`, { writer: claim.writer, stamp: [claim.t, claim.by], bornMs: claim.born });
    }
    return { tombstones: [...tombs.values()], claims: [...claims.values()] };
  }
}
