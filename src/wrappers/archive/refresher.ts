/**
 * Refreshes: the folder is listed, what is new is learned, and what is missing is judged by complete listings only. One at a time; whoever asks meanwhile
 * waits for the same one.
 */
import { StoreError, hasCode } from "../../store/index.ts";
import { commitLearned, isOwn, nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import { openArchive } from "./format/open.ts";
import { parseName } from "./format/names.ts";
import type { ArchiveName } from "./format/names.ts";
import type { Listed } from "./remote.ts";
import { Semaphore } from "./semaphore.ts";
import type { Uploads } from "./uploads.ts";

export class Refresher {
  readonly #core: Core;
  readonly #uploads: Uploads;
  #running: { readonly done: Promise<void>; readonly began: number } | undefined;
  /** By the monotonic clock: when the last one that succeeded began. */
  #lastBegan: number | undefined;
  /** The same by the local clock, which goes on while a machine sleeps. */
  #lastBeganMs: number | undefined;
  /** Of writers whose archives are this installation's: copies have other homes when it changes. */
  #owned = "";
  /** Ids that the running listing has shown. */
  #shown = new Set<string>();
  readonly #listeners: ((began: number) => void)[] = [];

  constructor(core: Core, uploads: Uploads) {
    this.#core = core;
    this.#uploads = uploads;
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
      else await orAborted(this.#shared(), signal);
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
    await orAborted(this.#shared(), signal);
  }

  /**
   * Before every seal: after the first complete refresh, and not long after the last one by the wall clock. A machine that slept may have been taken over
   * meanwhile: what it then wrote under its old identity, its heir would refer to and delete.
   */
  async ready(): Promise<void> {
    const { settings } = this.#core;
    const old = this.#lastBeganMs === undefined || Math.abs(nowOf(this.#core) - this.#lastBeganMs) >= settings.graceMs / 2;
    if (!this.hasRun || (old && settings.refreshMs !== Infinity)) await this.#shared();
  }

  #shared(): Promise<void> {
    if (this.#running !== undefined) return this.#running.done;
    const began = this.#core.clock.monotonic();
    const beganMs = nowOf(this.#core);
    const done = this.#refresh().then(
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
    this.#running = { done, began };
    return done;
  }

  async #refresh(): Promise<void> {
    const { ended, index, rules } = this.#core;
    await this.#lookForDoubtful();
    const beganMs = nowOf(this.#core);
    const listing = index.number("listing") + 1;
    index.transaction(() => index.setMeta("listing", listing));
    this.#shown = new Set();
    const room = new Semaphore(() => 4 * this.#core.settings.uploads);
    const reads: Promise<void>[] = [];
    let failed: { readonly error: unknown } | undefined;
    try {
      for await (const page of this.#core.remote.list(ended)) {
        for (const one of index.transaction(() => this.#known(page, listing))) {
          const release = await room.acquire(1, ended);
          reads.push(
            this.#learn(one.name, one.listed, listing).then(release, (error: unknown) => {
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
    this.#judge(listing, beganMs);
    if (failed !== undefined) throw failed.error;
    index.transaction(() => index.setMeta("refreshed", beganMs));
    index.owners.viewMs = beganMs;
    this.#lookAtMyself();
    this.#lookAtOwners();
  }

  /** Notes what of a page is known; gives what is not. */
  #known(page: readonly Listed[], listing: number): { readonly name: ArchiveName; readonly listed: Listed }[] {
    const { archives } = this.#core.index;
    const unknown: { readonly name: ArchiveName; readonly listed: Listed }[] = [];
    for (const listed of page) {
      const name = parseName(listed.object);
      if (name === undefined || name.tails) continue;
      const known = archives.byName(name.id);
      if (known !== undefined && known.object === listed.object && (listed.size === null || listed.size === known.bytes)) {
        archives.seen(known.id, listing);
        this.#shown.add(name.id);
        continue;
      }
      const unread = archives.unreadOf(listed.object);
      const young = unread !== undefined && nowOf(this.#core) - unread.since < this.#core.settings.lateMs;
      // What is damaged may still be on its way; what is of a newer version is looked at again after an upgrade, which starts with a new process.
      if (unread !== undefined && unread.bytes === (listed.size ?? -1) && unread.newer === 0 && !young) archives.seenUnread(listed.object, listing);
      else unknown.push({ name, listed });
    }
    return unknown;
  }

  async #learn(name: ArchiveName, { object, size: told }: Listed, listing: number): Promise<void> {
    const { ended, index, remote, rules, settings, step } = this.#core;
    let size = told;
    try {
      size ??= (await remote.sizeOf(object, ended)) ?? null;
      if (size === null) return;
      const bytes = size;
      const opened = await openArchive(name, bytes, (offset, length) => remote.readPart(object, offset, length, ended), settings, rules);
      // Two objects of one id: archives never differ, so one of them is no archive.
      const known = index.archives.byName(name.id);
      if (known !== undefined && (known.object !== object || known.bytes !== bytes)) throw new StoreError("corrupt", "another object has the same id");
      if (known === undefined) commitLearned(this.#core, { ...opened, object, bytes });
      else index.transaction(() => index.archives.seen(known.id, listing));
      this.#shown.add(name.id);
      step("learned");
    } catch (error) {
      // Gone since it was listed.
      if (hasCode(error, "not-found")) return;
      if (!hasCode(error, "corrupt", "unsupported") || error.store !== null) throw error;
      this.#unread(name, object, size ?? -1, error, listing);
    }
  }

  #unread(name: ArchiveName, object: string, bytes: number, error: StoreError, listing: number): void {
    const { emit, index } = this.#core;
    const before = index.archives.unreadOf(object);
    const newer = error.code === "unsupported" ? 1 : 0;
    const same = before?.bytes === bytes;
    index.transaction(() =>
      index.archives.putUnread({ object, name: name.id, bytes, newer, reason: error.reason, since: same ? before.since : nowOf(this.#core), listed: listing }),
    );
    if (!same && newer === 0) emit({ type: "damaged", archive: name.id, reason: error.reason });
  }

  /** What was known before this listing began and is not in it, is missing; and gone when it stays so for as long as listings may be late. */
  #judge(listing: number, beganMs: number): void {
    const { index, rules, settings } = this.#core;
    const missing = index.archives.all().filter(({ name, listed }) => !this.#shown.has(name) && rules.isJudged({ learnedInThisListing: listed >= listing }));
    for (const { id, missing: since } of missing) {
      // From the end of the listing that missed it first to the beginning of this one: what a page of this one did not show may be younger than the page.
      const sinceMs = since ?? nowOf(this.#core);
      const missingForMs = since === null ? 0 : beganMs - since;
      if (rules.isGone({ missingForMs, settleMs: settings.settleMs })) index.forget(id);
      else index.transaction(() => index.archives.setMissing(id, sinceMs));
    }
    index.transaction(() => index.archives.dropUnreadBefore(listing));
  }

  /** Uploads of which nobody knows what became of them. */
  async #lookForDoubtful(): Promise<void> {
    const { ended, index, remote, rules, settings } = this.#core;
    for (const { name, object, bytes, time, began, until } of index.archives.intents()) {
      if (this.#uploads.isRunning(name)) continue;
      if (index.archives.byName(name) !== undefined) {
        index.transaction(() => index.archives.dropIntent(name));
        this.#uploads.cancel(name);
        continue;
      }
      const size = await remote.sizeOf(object, ended);
      const over = nowOf(this.#core) >= (until ?? began + settings.lateMs);
      const id = parseName(object);
      if (size === bytes && id !== undefined && time !== null) {
        try {
          const opened = await openArchive(id, bytes, (offset, length) => remote.readPart(object, offset, length, ended), settings, rules);
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
      if (size !== undefined) await remote.delete(object, ended);
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

/** Who asks leaves when its signal fires; the refresh goes on for the others. */
function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  return new Promise((done, fail) => {
    const leave = (): void => {
      const reason: unknown = signal.reason;
      const late = typeof reason === "object" && reason !== null && (reason as { readonly name?: unknown }).name === "TimeoutError";
      fail(new StoreError(late ? "timeout" : "aborted", "the caller gave up", { cause: reason, applied: false }));
    };
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave, { once: true });
    work.then(done, fail).finally(() => signal.removeEventListener("abort", leave));
  });
}
