/**
 * One complete look at the folder: uploads in doubt are looked for, what is new is learned, what is missing is judged by the whole listing, and who this
 * installation is and what it owns by what was found.
 */
import { StoreError, hasCode } from "../../store/index.ts";
import { commitLearned, isOwn, nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import { openArchive } from "./format/open.ts";
import { parseName } from "./format/names.ts";
import type { ArchiveName } from "./format/names.ts";
import type { ArchiveRow } from "./index/index.ts";
import type { Listed } from "./remote.ts";
import { Semaphore } from "./semaphore.ts";
import type { Uploads } from "./uploads.ts";

export class Survey {
  readonly #core: Core;
  readonly #uploads: Uploads;
  /** Of writers whose archives are this installation's: copies have other homes when it changes. */
  #owned: string | undefined = "";
  /** Ids, and objects that cannot be read, that the running listing has shown. */
  #shown = new Set<string>();
  /** Objects that could not be read and were not in the last listings: since when. */
  readonly #unreadMissing = new Map<string, number>();

  constructor(core: Core, uploads: Uploads) {
    this.#core = core;
    this.#uploads = uploads;
  }

  /** One at a time. @throws what the signal says when it fires; what was learned until then stays. */
  async run(signal: AbortSignal): Promise<void> {
    const { index, rules } = this.#core;
    await this.#lookForDoubtful(signal);
    const beganMs = nowOf(this.#core);
    this.#shown = new Set();
    // What is learned from here on this listing says nothing about.
    const learned = index.watchLearned();
    const room = new Semaphore(() => 4 * this.#core.settings.uploads);
    const reads: Promise<void>[] = [];
    let failed: { readonly error: unknown } | undefined;
    try {
      for await (const page of this.#core.remote.list(signal)) {
        for (const one of this.#unknown(page)) {
          const release = await room.acquire(1, signal);
          reads.push(
            this.#learn(one.name, one.listed, signal).then(release, (error: unknown) => {
              release();
              failed ??= { error };
            }),
          );
          if (failed !== undefined) break;
        }
        if (failed !== undefined) break;
      }
    } catch (error) {
      failed ??= { error };
    }
    await Promise.all(reads);
    if (failed !== undefined && !rules.halfListingsJudge) throw failed.error;
    this.#judge(learned, beganMs);
    if (failed !== undefined) throw failed.error;
    index.owners.viewMs = beganMs;
    this.#lookAtMyself();
    this.#lookAtOwners();
  }

  /** Notes what of a page is known; gives what is not. */
  #unknown(page: readonly Listed[]): { readonly name: ArchiveName; readonly listed: Listed }[] {
    const { archives } = this.#core.index;
    const unknown: { readonly name: ArchiveName; readonly listed: Listed }[] = [];
    for (const listed of page) {
      const name = parseName(listed.object);
      if (name === undefined || name.tails) continue;
      const known = archives.byName(name.id);
      if (known !== undefined && known.object === listed.object && (listed.size === null || listed.size === known.bytes)) {
        this.#seen(known);
        continue;
      }
      const unread = archives.unreadOf(listed.object);
      const young = unread !== undefined && nowOf(this.#core) - unread.since < this.#core.settings.lateMs;
      // What is damaged may still be on its way; what is of a newer version is looked at again after an upgrade, which starts with a new process.
      if (unread !== undefined && unread.bytes === (listed.size ?? -1) && unread.newer === 0 && !young) this.#shown.add(listed.object);
      else unknown.push({ name, listed });
    }
    return unknown;
  }

  #seen({ id, missing, name }: ArchiveRow): void {
    const { index } = this.#core;
    if (missing !== null) index.transaction(() => index.archives.setFound(id));
    this.#shown.add(name);
  }

  async #learn(name: ArchiveName, { object, size: told }: Listed, signal: AbortSignal): Promise<void> {
    const { index, remote, rules, settings, step } = this.#core;
    let size = told;
    try {
      size ??= (await remote.sizeOf(object, signal)) ?? null;
      if (size === null) return;
      const bytes = size;
      const opened = await openArchive(name, bytes, (offset, length) => remote.readPart(object, offset, length, signal), settings, rules);
      // Two objects of one id: archives never differ, so one of them is no archive.
      const known = index.archives.byName(name.id);
      if (known !== undefined && (known.object !== object || known.bytes !== bytes)) throw new StoreError("corrupt", "another object has the same id");
      if (known === undefined) commitLearned(this.#core, { ...opened, object, bytes });
      else this.#seen(known);
      this.#shown.add(name.id);
      step("learned");
    } catch (error) {
      // Gone since it was listed.
      if (hasCode(error, "not-found")) return;
      if (!hasCode(error, "corrupt", "unsupported") || error.store !== null) throw error;
      this.#unread(name, object, size ?? -1, error);
    }
  }

  #unread(name: ArchiveName, object: string, bytes: number, error: StoreError): void {
    const { emit, index } = this.#core;
    const before = index.archives.unreadOf(object);
    const newer = error.code === "unsupported" ? 1 : 0;
    const same = before?.bytes === bytes;
    index.transaction(() =>
      index.archives.putUnread({ object, name: name.id, bytes, newer, reason: error.reason, since: same ? before.since : nowOf(this.#core) }),
    );
    this.#shown.add(object);
    if (!same && newer === 0) emit({ type: "damaged", archive: name.id, reason: error.reason });
  }

  /** What was known before this listing began and is not in it, is missing; and gone when it stays so for as long as listings may be late. */
  #judge(learned: ReadonlySet<string>, beganMs: number): void {
    const { index, rules, settings } = this.#core;
    const missing = index.archives.all().filter(({ name }) => !this.#shown.has(name) && rules.isJudged({ learnedInThisListing: learned.has(name) }));
    for (const { id, missing: since } of missing) {
      // From the end of the listing that missed it first to the beginning of this one: what a page of this one did not show may be younger than the page.
      const sinceMs = since ?? nowOf(this.#core);
      const missingForMs = since === null ? 0 : beganMs - since;
      if (rules.isGone({ missingForMs, settleMs: settings.settleMs })) index.forget(id);
      else index.transaction(() => index.archives.setMissing(id, sinceMs));
    }
    for (const { object } of index.archives.unread()) {
      const since = this.#shown.has(object) ? undefined : (this.#unreadMissing.get(object) ?? nowOf(this.#core));
      if (since === undefined) this.#unreadMissing.delete(object);
      else if (settings.settleMs === 0 || beganMs - since >= settings.settleMs) {
        this.#unreadMissing.delete(object);
        index.transaction(() => index.archives.dropUnread(object));
      } else this.#unreadMissing.set(object, since);
    }
  }

  /** Uploads of which nobody knows what became of them. */
  async #lookForDoubtful(signal: AbortSignal): Promise<void> {
    const { index, remote, rules, settings } = this.#core;
    for (const { name, object, bytes, time, began, until } of index.archives.intents()) {
      if (this.#uploads.isRunning(name)) continue;
      if (index.archives.byName(name) !== undefined) {
        index.transaction(() => index.archives.dropIntent(name));
        this.#uploads.cancel(name);
        continue;
      }
      const size = await remote.sizeOf(object, signal);
      const over = nowOf(this.#core) >= (until ?? began + settings.lateMs);
      const id = parseName(object);
      if (size === bytes && id !== undefined && time !== null) {
        try {
          const opened = await openArchive(id, bytes, (offset, length) => remote.readPart(object, offset, length, signal), settings, rules);
          // Learned, and the intent is gone, in one transaction.
          commitLearned(this.#core, { ...opened, object, bytes });
          this.#uploads.cancel(name);
          continue;
        } catch (error) {
          if (!hasCode(error, "not-found", "corrupt")) throw error;
        }
      }
      if (!over) continue;
      // It cannot land any more. A part of it, of a store that writes in place, nobody was ever told of.
      if (size !== undefined) await remote.delete(object, signal);
      index.transaction(() => index.archives.dropIntent(name));
      this.#uploads.cancel(name);
    }
  }

  /** Somebody else who uses this identity, or has taken it over: a new one, before anything else is named. */
  #lookAtMyself(): void {
    const { emit, identity, index } = this.#core;
    const { writer, nextCount } = identity;
    const own = index.archives.all().filter((one) => one.writer === writer);
    const foreign = own.some(({ name }) => (parseName(`${name}.1.tar`)?.count ?? 0) >= nextCount);
    const claim = index.owners.claimOf(writer);
    if (!foreign && claim === undefined) return;
    const used = nextCount > 1;
    identity.renew((other) => index.archives.all().some((one) => one.writer === other));
    // What was own has other homes now, though nothing is own that was not.
    this.#owned = undefined;
    if (used) emit({ type: "identity-changed", writer: identity.writer });
  }

  #lookAtOwners(): void {
    const { index } = this.#core;
    const writers = [...new Set(index.archives.all().map(({ writer }) => writer))].filter((writer) => isOwn(this.#core, writer));
    const owned = writers.sort().join(" ");
    // What this installation itself writes is own from the start.
    if (owned !== this.#owned) index.rehome();
    this.#owned = owned;
  }
}
