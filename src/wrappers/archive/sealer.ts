/** A group becomes an archive: evaluated and stamped in one step, built, sent. */
import { StoreError } from "../../store/index.ts";
import { nowOf } from "./core.ts";
import type { Core } from "./core.ts";
import { evaluate } from "./evaluate.ts";
import type { Change, Outcome } from "./evaluate.ts";
import type { NewArchive } from "./format/build.ts";
import { sendArchive } from "./send-archive.ts";
import type { Uploads } from "./uploads.ts";

export class Sealer {
  readonly #core: Core;
  readonly #uploads: Uploads;

  constructor(core: Core, uploads: Uploads) {
    this.#core = core;
    this.#uploads = uploads;
  }

  /** One step in which nothing else happens: stamp, evaluation, and what is referred to is needed from now on. No id: nothing is to be sent. */
  seal(changes: readonly Change[]): Sealed {
    const { hybrid, identity, index, rules } = this.#core;
    if (rules.newerStopsWrites && index.archives.hasNewer()) throw writtenByNewer();
    const { writer } = identity;
    const timeMs = hybrid.tick();
    // Persisted with the count before anything is named so, and not used again if nothing comes of it.
    const id = index.transaction(() => {
      index.setMeta("last", timeMs);
      return identity.nextId(nowOf(this.#core));
    });
    const evaluated = evaluate(this.#core, this.#uploads, { id, timeMs, writer }, changes);
    const { records, tombstones, claims, referred, paths } = evaluated;
    const archive: NewArchive = { id, writer, timeMs, records, tombstones, claims };
    if (records.length + tombstones.length + claims.length === 0) return { archive: undefined, outcomes: evaluated.outcomes };
    this.#uploads.begin(id, claims.length > 0 && paths.size === 0 ? "claim" : "group", paths);
    if (rules.sealClearsUnneeded) index.transaction(() => referred.forEach((one) => index.archives.setUnneeded(one, null)));
    return { archive, outcomes: evaluated.outcomes };
  }

  async send(archive: NewArchive): Promise<void> {
    const { claims, records, tombstones } = archive;
    await sendArchive(this.#core, this.#uploads, claims.length > 0 && records.length + tombstones.length === 0 ? "claim" : "group", archive);
  }
}

interface Sealed {
  readonly archive: NewArchive | undefined;
  readonly outcomes: readonly Outcome[];
}

export function writtenByNewer(): StoreError {
  return new StoreError("unsupported", "a newer version of this layer has written here: nothing is changed by an older one", { applied: false });
}
