/**
 * The directory that holds the store, and the way from a path of the store to a place on disk. The one thing that keeps a store inside its directory:
 * names are checked segments, so ".." cannot occur, and every link on the way is followed only to what lies below the real root.
 * Looked at anew in every call; no defence against somebody who exchanges directories for links while a call runs.
 */
import { StoreError, nameOf, parentOf, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { child, disk, errnoOf, unless } from "./disk.ts";
import type { Stat } from "./disk.ts";
import type { Names, Native } from "./names.ts";

/** Where a path of the store lies: everything above its last name is real, the last name may be a link. */
export interface Place {
  readonly path: StorePath;
  readonly directory: Native;
  readonly full: Native;
}
/** What stands there. A link that leads to a file or directory of the store is that file or directory, at `real`. */
export interface Found extends Place {
  readonly real: Native;
  readonly stat: Stat;
  readonly linked: boolean;
  /** other: a pipe, a socket, a device, a link that leads out of the store, nowhere or in a circle. */
  readonly kind: "file" | "directory" | "other";
}

/** `place` is undefined where the directory above is missing, `found` where nothing stands at the place; then `missing` is the error of the system. */
export interface Look {
  readonly place: Place | undefined;
  readonly found: Found | undefined;
  readonly missing: unknown;
}

export class Root {
  readonly real: Native;
  readonly #device: bigint;
  readonly #names: Names;

  constructor(real: Native, device: bigint, names: Names) {
    this.real = real;
    this.#device = device;
    this.#names = names;
  }

  /** After something was missing: throws `config` if the root itself is. Nothing is "not found" on a disk that is not there. */
  async verify(): Promise<void> {
    let stat: Stat;
    try {
      stat = await disk.lstat(this.real);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
      throw new StoreError("config", "the directory of this store is gone", { applied: false, cause: error });
    }
    if (!stat.isDirectory()) throw new StoreError("config", "in the place of this store's directory stands something else", { applied: false });
    if (stat.dev !== this.#device)
      throw new StoreError("config", "the disk of this store is no longer mounted; reconnect() takes what is there now", { applied: false });
  }

  /** A new file on another device than the root's: in a directory that is a mount of its own, or beside a root that is no longer mounted? */
  async verifyDevice(stat: Stat): Promise<void> {
    if (stat.dev !== this.#device) await this.verify();
  }

  /** The path on disk if no link is on the way. */
  #straight(path: StorePath): Native {
    if (path === root) return this.real;
    let at = this.real;
    for (const name of segments(path)) at = child(at, this.#names.native(name));
    return at;
  }

  /** The real directory of this path, links followed. Throws ENOENT or ENOTDIR of the system where it is missing. */
  async directory(path: StorePath): Promise<Native> {
    if (path === root) return this.real;
    const straight = this.#straight(path);
    return (await disk.realpath(straight)) === straight ? straight : ((await this.#chain(path)).at(-1) as Native);
  }

  async place(path: StorePath): Promise<Place> {
    if (path === root) return { path, directory: this.real, full: this.real };
    const directory = await this.directory(parentOf(path));
    return { path, directory, full: child(directory, this.#names.native(nameOf(path))) };
  }

  /** What stands at a path. Throws ENOENT or ENOTDIR of the system where nothing does. */
  async find(path: StorePath): Promise<Found> {
    const { found, missing } = await this.look(path);
    if (found === undefined) throw missing;
    return found;
  }

  /** What stands at a path, and where it would stand. Throws ENOTDIR of the system where a parent is a file. */
  async look(path: StorePath): Promise<Look> {
    try {
      const parent = parentOf(path);
      if (path === root || parent === root) return await this.#lookAt(await this.place(path), undefined);
      // In the usual case no link is on the way, so the look need not wait for the proof. Looking changes nothing, wherever it went.
      const directory = this.#straight(parent);
      const full = child(directory, this.#names.native(nameOf(path)));
      const [real, seen] = await Promise.all([disk.realpath(directory), settled(disk.lstat(full))]);
      if (real !== directory) return await this.#lookAt(await this.place(path), undefined);
      return await this.#lookAt({ path, directory, full }, seen);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      return { place: undefined, found: undefined, missing: error };
    }
  }

  async #lookAt(place: Place, seen: Settled | undefined): Promise<Look> {
    const { stat, error } = seen ?? (await settled(disk.lstat(place.full)));
    if (stat !== undefined) return { place, found: await this.#found(place, stat), missing: undefined };
    if (errnoOf(error) !== "ENOENT") throw error;
    return { place, found: undefined, missing: error };
  }

  async #found(place: Place, stat: Stat): Promise<Found> {
    if (!stat.isSymbolicLink()) return { ...place, real: place.full, stat, linked: false, kind: kindOf(stat) };
    const led = await this.#follow(place);
    return led === undefined ? { ...place, real: place.full, stat, linked: true, kind: "other" } : { ...place, ...led, linked: true, kind: kindOf(led.stat) };
  }

  /** A name that a listing of `directory` gave. Undefined where it is gone by now. */
  async entryOf(path: StorePath, directory: Native, name: Native): Promise<Found | undefined> {
    const full = child(directory, name);
    const stat = await unless(disk.lstat(full), "ENOENT");
    return stat === undefined ? undefined : this.#found({ path, directory, full }, stat);
  }

  /** Where a link leads, if that is a place of the store; a directory that the path has come through already would have no end. */
  async #follow({ path, full }: Place): Promise<{ readonly real: Native; readonly stat: Stat } | undefined> {
    let real: Native;
    let stat: Stat;
    try {
      real = await disk.realpath(full);
      if (!this.#inside(real)) return undefined;
      stat = await disk.lstat(real);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT" || errno === "ENOTDIR" || errno === "ELOOP" || errno === "EACCES") return undefined;
      throw error;
    }
    if (stat.isDirectory() && (await this.#chain(parentOf(path))).includes(real)) return undefined;
    return { real, stat };
  }

  /** The real directories that a path comes through, itself the last. */
  async #chain(path: StorePath): Promise<Native[]> {
    const chain = [this.real];
    if (path === root) return chain;
    for (const name of segments(path)) {
      const real = await disk.realpath(child(chain.at(-1) as Native, this.#names.native(name)));
      if (!this.#inside(real)) throw new StoreError("unsupported", "a link on this path leads out of the store", { applied: false });
      if (chain.includes(real)) throw new StoreError("unsupported", "a link on this path leads back to a directory above it", { applied: false });
      chain.push(real);
    }
    return chain;
  }

  #inside(real: Native): boolean {
    return real === this.real || this.real === "/" || (real.startsWith(this.real) && real.charAt(this.real.length) === "/");
  }
}

interface Settled {
  readonly stat?: Stat | undefined;
  readonly error?: unknown;
}

function settled(work: Promise<Stat>): Promise<Settled> {
  return work.then(
    (stat) => ({ stat }),
    (error: unknown) => ({ error }),
  );
}

function segments(path: StorePath): string[] {
  return path.slice(1).split("/");
}

function kindOf(stat: Stat): Found["kind"] {
  return stat.isFile() ? "file" : stat.isDirectory() ? "directory" : "other";
}
