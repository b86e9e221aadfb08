/** Making things: parents, new files put in place in one step, and the flush that makes it last. Used by write, copy, mkdir and move alike. */
import { StoreError, parentOf, root } from "../../store/index.ts";
import type { Clock, Entry, StorePath } from "../../store/index.ts";
import { disk, errnoOf, unless } from "./disk.ts";
import { entryOf } from "./facts.ts";
import type { Native } from "./names.ts";
import { NewFile } from "./new-file.ts";
import { patiently } from "./patience.ts";
import type { Profile } from "./profiles.ts";
import type { Found, Look, Place, Root } from "./root.ts";

export interface MakerOptions {
  readonly profile: Profile;
  readonly flush: boolean;
  readonly fileMode: number;
  readonly directoryMode: number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** How often a change is tried again because somebody removes the directory it goes to. */
const TRIES = 3;

export class Maker {
  readonly options: MakerOptions;
  readonly root: Root;
  readonly birth: boolean;

  constructor(options: MakerOptions, at: Root, birth: boolean) {
    this.options = options;
    this.root = at;
    this.birth = birth;
  }

  /** What stands where something is to be put. */
  async target(path: StorePath): Promise<Look> {
    try {
      return await this.root.look(path);
    } catch (error) {
      throw errnoOf(error) === "ENOTDIR" ? belowFile(error) : error;
    }
  }

  /** Beside the target, or, where its parents are missing, in the nearest directory there is: they are made when the file is whole, so a failed write leaves none. */
  async newFile(path: StorePath, place: Place | undefined): Promise<NewFile> {
    if (place !== undefined) return NewFile.create(place.directory, this.options);
    for (let dir = parentOf(parentOf(path)); ; dir = parentOf(dir)) {
      const directory = await unless(this.root.directory(dir), "ENOENT");
      if (directory === undefined) continue;
      const file = await unless(NewFile.create(directory, this.options), ...(dir === root ? [] : ["ENOENT"]));
      if (file !== undefined) return file;
    }
  }

  /** Time, flush, and the one step that makes the file visible. */
  async finish(
    file: NewFile,
    path: StorePath,
    place: Place | undefined,
    wish: { readonly ms: number; readonly given: boolean; readonly ifAbsent: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<Entry> {
    const stat = await file.finish(wish.ms, wish.given);
    await this.root.verifyDevice(stat);
    wish.signal?.throwIfAborted();
    const { directory } = await this.put(path, place, (to) => (wish.ifAbsent ? this.link(file.path, to.full) : this.replace(file.path, to.full)));
    await file.placed(wish.ifAbsent);
    await this.flush(directory);
    return entryOf(path, stat, this.birth);
  }

  /** Changes the name space at a path, its parents made where they are missing; again where somebody removes them in between. */
  async put(path: StorePath, known: Place | undefined, change: (place: Place) => Promise<void>): Promise<Place> {
    let place = known;
    for (let tries = 1; ; tries++) {
      if (place === undefined) {
        await this.#parents(parentOf(path));
        place = await this.root.place(path);
      }
      try {
        await change(place);
        return place;
      } catch (error) {
        if (errnoOf(error) === "ENOTDIR") throw belowFile(error);
        if (errnoOf(error) !== "ENOENT") throw error;
        await this.root.verify();
        if (tries === TRIES) throw new StoreError("conflict", "somebody removes the directory while this is put into it", { applied: false, cause: error });
        place = undefined;
      }
    }
  }

  async #parents(path: StorePath): Promise<void> {
    const missing: StorePath[] = [];
    for (let at = path; at !== root && !(await this.#isDirectory(at)); at = parentOf(at)) missing.push(at);
    for (const at of missing.reverse()) {
      const place = await this.root.place(at);
      const made = await unless(
        disk.mkdir(place.full, this.options.directoryMode).then(() => true),
        "EEXIST",
      );
      if (made === true) await this.flush(place.directory);
      else await this.#isDirectory(at);
    }
  }

  /** False where nothing is; `not-a-directory` where something else is. */
  async #isDirectory(path: StorePath): Promise<boolean> {
    const { found } = await this.target(path);
    if (found !== undefined && found.kind !== "directory") throw belowFile(undefined);
    return found !== undefined;
  }

  replace(from: Native, to: Native): Promise<void> {
    return this.busy(() => disk.rename(from, to));
  }

  async link(from: Native, to: Native): Promise<void> {
    try {
      await disk.link(from, to);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== "EPERM" && errno !== "ENOTSUP" && errno !== "EOPNOTSUPP" && errno !== "ENOSYS") throw error;
      throw new StoreError("unsupported", "this file system has no hard links: say so by the option hardLinks, and ifAbsent is not offered", {
        applied: false,
        cause: error,
      });
    }
  }

  busy<T>(work: () => Promise<T>): Promise<T> {
    return this.options.profile.busyFiles ? patiently(work, this.options.clock) : work();
  }

  /** Makes what happened in a directory last through a power cut. */
  async flush(directory: Native): Promise<void> {
    if (!this.options.flush || !this.options.profile.flushesDirectories) return;
    const fd = await unless(disk.openDirectory(directory), "ENOENT");
    if (fd === undefined) return;
    try {
      // Some file systems cannot flush a directory, and say so.
      await unless(disk.fsync(fd), "EINVAL", "ENOTSUP", "EOPNOTSUPP");
    } finally {
      await disk.close(fd);
    }
  }

  /** A file may be put here, over what stands here. */
  mayPutFile(target: Found | undefined, ifAbsent: boolean): void {
    if (target === undefined) return;
    if (ifAbsent) throw new StoreError("already-exists", "something of this name is there", { applied: false, entry: this.entry(target) });
    if (target.kind === "directory") throw new StoreError("is-a-directory", "there is a directory of this name", { applied: false });
  }

  /** Undefined for what is no part of the store. */
  entry({ path, stat, kind }: Found): Entry | undefined {
    return kind === "other" ? undefined : entryOf(path, stat, this.birth);
  }
}

function belowFile(cause: unknown): StoreError {
  return new StoreError("not-a-directory", "a parent of this path is a file", { applied: false, cause });
}
