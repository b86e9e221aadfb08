/** Moves: rename(2), and what it leaves open. */
import { StoreError } from "../../store/index.ts";
import type { MoveCall, StorePath } from "../../store/index.ts";
import { child, disk, errnoOf, unless } from "./disk.ts";
import type { Maker } from "./maker.ts";
import { temporaryName } from "./names.ts";
import type { Native } from "./names.ts";
import type { Found, Place } from "./root.ts";
import { clearStale } from "./trees.ts";

export class Mover {
  readonly #maker: Maker;
  constructor(maker: Maker) {
    this.#maker = maker;
  }

  /** Both looked at already. False: another file system; nothing has happened. */
  async move(source: Found, target: Found | undefined, place: Place | undefined, call: MoveCall): Promise<boolean> {
    const maker = this.#maker;
    if (target !== undefined) this.#mayReplace(source, target, call.ifAbsent);
    if (target !== undefined && (await twins(source, target))) await disk.unlink(source.full);
    else if (source.linked) await this.#moveLink(source, place, call);
    else if (!(await this.#rename(source, target, place, call))) return false;
    await maker.flush((await maker.root.place(call.to)).directory);
    await maker.flush(source.directory);
    return true;
  }

  /** The rules of rename(2), said before anything is made. */
  #mayReplace(source: Found, target: Found, ifAbsent: boolean): void {
    if (ifAbsent) throw new StoreError("already-exists", "something is at the target", { applied: false, entry: this.#maker.entry(target) });
    if (source.kind === "file" && target.kind === "directory") throw new StoreError("is-a-directory", "the target is a directory", { applied: false });
    if (source.kind === "directory" && target.kind !== "directory") throw new StoreError("not-a-directory", "the target is a file", { applied: false });
    if (source.kind === "directory" && (target.linked || source.linked))
      throw new StoreError("unsupported", "a directory and a link to one cannot replace each other", { applied: false });
  }

  async #rename(source: Found, target: Found | undefined, place: Place | undefined, call: MoveCall): Promise<boolean> {
    try {
      await this.#maker.put(call.to, place, (to) =>
        source.kind === "directory" ? this.#directory(source, target, to, call.ifAbsent) : this.#file(source, to, call.ifAbsent),
      );
      return true;
    } catch (error) {
      if (errnoOf(error) !== "EXDEV" || source.kind === "directory") throw error;
      return false;
    }
  }

  async #file(source: Found, to: Place, ifAbsent: boolean): Promise<void> {
    if (!ifAbsent) return fromThere(source, this.#maker.replace(source.full, to.full));
    await fromThere(source, this.#maker.link(source.full, to.full));
    try {
      await disk.unlink(source.full);
    } catch (error) {
      // Where the old name cannot go, the new one does.
      await disk.unlink(to.full);
      throw error;
    }
  }

  async #directory(source: Found, target: Found | undefined, to: Place, ifAbsent: boolean): Promise<void> {
    const { clock, directoryMode, profile } = this.#maker.options;
    // An empty directory is a claim that only one can make, and rename(2) puts the tree in its place in one step.
    const claim = ifAbsent && profile.replacesEmptyDirectory;
    if (claim) await disk.mkdir(to.full, directoryMode);
    if (target !== undefined && !profile.replacesEmptyDirectory) await disk.rmdir(to.full);
    try {
      await fromThere(source, this.#maker.replace(source.full, to.full));
    } catch (error) {
      const full = errnoOf(error) === "ENOTEMPTY" || errnoOf(error) === "EEXIST";
      if (claim) {
        await unless(disk.rmdir(to.full), "ENOENT", "ENOTEMPTY", "EEXIST");
        throw full ? new StoreError("already-exists", "somebody put something at the target", { applied: false, cause: error }) : error;
      }
      if (!full || !(await clearStale(to.full, clock))) throw error;
      await fromThere(source, this.#maker.replace(source.full, to.full));
    }
  }

  /** A link moves as a link to the same place: renamed, a relative one would lead elsewhere. */
  async #moveLink(source: Found, known: Place | undefined, { to, ifAbsent }: { readonly to: StorePath; readonly ifAbsent: boolean }): Promise<void> {
    await this.#maker.put(to, known, async (place) => {
      if (ifAbsent) return disk.symlink(source.real, place.full);
      const temporary = child(place.directory, temporaryName(this.#maker.options.random));
      await disk.symlink(source.real, temporary);
      await orUndo(this.#maker.replace(temporary, place.full), temporary);
    });
    await disk.unlink(source.full);
  }
}

/**
 * Two names of one file: rename(2) between them does nothing and leaves both, so the old name has to be removed. Not so the two spellings of one name
 * on a system that folds them.
 */
async function twins(source: Found, target: Found): Promise<boolean> {
  if (source.linked || target.linked || source.kind !== "file" || source.stat.ino !== target.stat.ino || source.stat.dev !== target.stat.dev) return false;
  return (await disk.realpath(source.full)) !== (await disk.realpath(target.full));
}

/** ENOENT of a change with two sides: where it is the source that is gone, making the parents of the target does not help. */
async function fromThere(source: Found, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" || (await unless(disk.lstat(source.full), "ENOENT")) !== undefined) throw error;
    throw new StoreError("not-found", "nothing is there any more", { applied: false, cause: error });
  }
}

async function orUndo(work: Promise<void>, temporary: Native): Promise<void> {
  try {
    await work;
  } catch (error) {
    // What went wrong is the better explanation; a name left over is hidden, and swept later.
    await disk.unlink(temporary).catch(() => {});
    throw error;
  }
}
