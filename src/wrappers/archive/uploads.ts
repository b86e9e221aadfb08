/**
 * Uploads and their outcomes. Before a byte leaves, the disk knows of it (the intent); the intent goes when the outcome is known. Until then the upload is in
 * doubt: it may still land, so it is looked for, sent again, and deletes cover it.
 */
import { StoreError, isInside, undone } from "../../store/index.ts";
import type { Source, StorePath } from "../../store/index.ts";
import { commitLearned, nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import type { Manifest } from "./format/records.ts";
import { compareStamps } from "./format/stamp.ts";
import type { Stamp } from "./format/stamp.ts";
import { writerOf } from "./format/names.ts";
import type { IntentKind } from "./index/index.ts";

export interface Upload {
  readonly id: string;
  readonly kind: IntentKind;
  readonly object: string;
  readonly size: number;
  /** The stamp's time; asked for when the outcome matters. Null: not stamped, so it cannot have landed whole. */
  readonly timeMs: () => number | null;
  /** By the local clock: when it was stamped, from which on it has `lateMs`. */
  readonly stamped: Promise<number>;
  readonly stampedMs: () => number | undefined;
  /** A body for one more try; undefined: it cannot be sent again. */
  readonly source: () => Source | Uint8Array | undefined;
  readonly manifest: () => { readonly manifest: Manifest; readonly dataEnd: number };
  /** The caller's: ends the upload. */
  readonly signal?: AbortSignal | undefined;
}

/** Of an archive that is stamped before it is sent. */
export function stampedNow(core: Core): Pick<Upload, "stamped" | "stampedMs"> {
  const atMs = nowOf(core);
  return { stamped: Promise.resolve(atMs), stampedMs: () => atMs };
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

interface Running {
  readonly kind: IntentKind;
  /** By the local clock. */
  readonly beganMs: number;
}

export class Uploads {
  readonly #core: Core;
  /** From the seal to the outcome, in this process. */
  readonly #running = new Map<string, Running>();
  /** What each upload says something about, as long as its outcome is not known. */
  readonly #paths = new Map<string, ReadonlySet<StorePath>>();

  constructor(core: Core) {
    this.#core = core;
  }

  get size(): number {
    return this.#running.size;
  }

  isRunning(id: string): boolean {
    return this.#running.has(id);
  }

  /** From the step that seals it: what it refers to stays needed, and deletions wait for it. */
  begin(id: string, kind: IntentKind, paths: ReadonlySet<StorePath>): void {
    this.#running.set(id, { kind, beganMs: nowOf(this.#core) });
    this.#paths.set(id, paths);
  }

  /** It was never sent, or its outcome is known. */
  cancel(id: string): void {
    this.#running.delete(id);
    this.#paths.delete(id);
  }

  /** Paths inside of a directory that an upload in doubt speaks of. */
  *doubtfulInside(dir: StorePath): Generator<StorePath, void, undefined> {
    for (const { name, kind } of this.#core.index.archives.intents())
      if (kind === "group" || kind === "solo") for (const path of this.#pathsOf(name)) if (isInside(path, dir)) yield path;
  }

  /** Those of an earlier process are on the disk. */
  #pathsOf(name: string): ReadonlySet<StorePath> {
    let paths = this.#paths.get(name);
    if (paths === undefined) {
      const kept = this.#core.index.archives.intentOf(name)?.paths;
      paths = new Set(kept === undefined ? [] : (JSON.parse(kept) as StorePath[]));
      this.#paths.set(name, paths);
    }
    return paths;
  }

  /** The greatest stamp with which an upload in doubt may still bring back `path`. */
  doubtOf(path: StorePath): Stamp | undefined {
    let greatest: Stamp | undefined;
    for (const { name, kind, time } of this.#core.index.archives.intents()) {
      // What is packed again keeps its old stamps, which any tombstone of the path covers; a claim has no records.
      if (time === null || kind === "repack" || kind === "take" || kind === "claim") continue;
      if (!this.#pathsOf(name).has(path)) continue;
      const stamp: Stamp = [time, writerOf(name)];
      if (greatest === undefined || compareStamps(stamp, greatest) > 0) greatest = stamp;
    }
    return greatest;
  }

  /** No upload that may refer into what is unneeded since then is on its way. */
  hasOlderThan(unneededMs: number): boolean {
    for (const { kind, beganMs } of this.#running.values()) if (kind !== "solo" && beganMs <= unneededMs) return true;
    return this.#core.index.archives.intents().some(({ kind, began }) => kind !== "solo" && began <= unneededMs);
  }

  /**
   * Resolves when it is stored and learned. Rejects when it is refused for certain (nothing stays), or with `applied: "unknown"` when it was given up (it
   * stays in doubt).
   */
  async send(upload: Upload): Promise<void> {
    const { id, kind, object, size } = upload;
    const { ended, index, remote, rules, step, settings } = this.#core;
    const nowMs = (): number => nowOf(this.#core);
    const began = this.#running.get(id)?.beganMs ?? nowMs();
    const paths = JSON.stringify([...this.#pathsOf(id)]);
    const intend = (until: number | null, time: number | null): void =>
      index.transaction(() => index.archives.putIntent({ name: id, object, bytes: size, kind, time, began, until, paths }));
    let keep = false;
    try {
      if (rules.intentFirst) intend(null, upload.timeMs());
      step("intent");
      keep = true;
      await this.#sendUntil(upload);
      if (!rules.intentFirst) intend(null, upload.timeMs());
      keep = false;
    } catch (error) {
      const sent = keep;
      // The index is closed, or about to be: what was on its way is looked for by whoever opens it next.
      if (sent && ended.aborted) throw inDoubtUnlessStored(error);
      const refused = StoreError.is(error) && error.applied === false;
      // In doubt from here on: the refreshes look for it. Refused by a store that writes in place, a part of it may lie there: it is looked after as well.
      keep = sent && (!refused || !remote.atomic) && index.archives.intentOf(id) !== undefined;
      if (keep) intend((upload.stampedMs() ?? nowMs()) + settings.lateMs, refused ? null : upload.timeMs());
      throw error;
    } finally {
      this.#running.delete(id);
      if (!keep && !ended.aborted) {
        if (index.archives.intentOf(id) !== undefined) index.transaction(() => index.archives.dropIntent(id));
        this.#paths.delete(id);
      }
    }
  }

  async #sendUntil(upload: Upload): Promise<void> {
    const { ended, settings, step } = this.#core;
    let doubt = false;
    let problem: unknown;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const body = upload.source();
      if (body !== undefined) {
        try {
          step("sending");
          await this.#write(upload, body);
          return this.#stored(upload);
        } catch (error) {
          problem = error;
        }
        if (!StoreError.is(problem)) throw problem;
        // Refused for certain; but an earlier try may still land.
        if (problem.applied === false && !doubt) throw problem;
        doubt = true;
      }
      // Without a stamp nothing can have landed whole.
      if (upload.timeMs() === null) throw undone(problem);
      if (await this.#isThere(upload)) return this.#stored(upload);
      if (ended.aborted) throw new StoreError("closed", "the store was closed while an archive was on its way", { applied: "unknown", cause: problem });
      if (upload.signal?.aborted === true) throw inDoubt(problem);
      if (body === undefined || nowOf(this.#core) + pause >= (upload.stampedMs() ?? 0) + settings.lateMs / 2) throw inDoubt(problem);
      try {
        await this.#core.clock.sleep(pause, upload.signal === undefined ? ended : AbortSignal.any([ended, upload.signal]));
      } catch {
        // Only the end of the store or of the call wakes it; the next turn says so.
      }
    }
  }

  /** One try, given up when it could land later than anybody waits for. */
  async #write({ object, signal, stamped }: Upload, body: Source | Uint8Array): Promise<void> {
    const { clock, ended, remote, settings } = this.#core;
    const own = new AbortController();
    const done = new AbortController();
    // A large body takes as long as it takes: what must not be late is what follows its stamp.
    stamped
      .then((atMs) => clock.sleep(Math.max(0, atMs + settings.lateMs / 2 - nowOf(this.#core)), done.signal, { background: true }))
      .then(
        () => own.abort(new DOMException("an upload took too long", "TimeoutError")),
        () => {},
      );
    try {
      await remote.write(object, body, AbortSignal.any([own.signal, ended, ...(signal === undefined ? [] : [signal])]));
    } finally {
      done.abort();
    }
  }

  async #isThere({ object, size }: Upload): Promise<boolean> {
    const { ended, remote } = this.#core;
    try {
      return (await remote.sizeOf(object, ended)) === size;
    } catch (error) {
      // Cannot be looked at now: in doubt as before.
      if (StoreError.is(error)) return false;
      throw error;
    }
  }

  #stored(upload: Upload): void {
    const { step } = this.#core;
    step("stored");
    if (upload.kind === "repack" || upload.kind === "take") step("repack stored");
    if (upload.kind === "claim") step("claim stored");
    const { object, size } = upload;
    try {
      commitLearned(this.#core, { ...upload.manifest(), object, bytes: size });
    } catch (error) {
      // It is stored, whatever is wrong here; the next refresh learns it.
      if (StoreError.is(error)) throw error.with({ applied: true, cause: error.cause });
      throw error;
    }
    step("committed");
  }
}

/** Of a store that closes: what was known for certain still holds. */
function inDoubtUnlessStored(problem: unknown): unknown {
  if (!StoreError.is(problem) || problem.applied !== false || problem.code !== "closed") return problem;
  return problem.with({ applied: "unknown", cause: problem.cause });
}

function inDoubt(problem: unknown): unknown {
  return StoreError.is(problem) && problem.applied === false ? problem.with({ applied: "unknown", cause: problem.cause }) : problem;
}
