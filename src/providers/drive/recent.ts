/**
 * What this store changed a moment ago, by folder: Drive's search may not show it yet, and its answers by id already do.
 *
 * Kept for as long as the search may lag. Nothing is believed because of it that the service has a later version of.
 */
import type { Clock } from "../../store/index.ts";
import { isNewer } from "./resource.ts";
import type { DriveFile } from "./resource.ts";

interface Known {
  readonly parent: string;
  readonly file: DriveFile;
  /** False: it was trashed, deleted, or moved out of this folder or this name. */
  readonly here: boolean;
  readonly untilMs: number;
}

class Folder {
  readonly byId: Map<string, Known> = new Map();
  readonly byName: Map<string, Set<string>> = new Map();
}

export class Recent {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #folders = new Map<string, Folder>();
  /** All that is kept, in the order of expiry. */
  readonly #known = new Set<Known>();
  /** Where each file was put last. */
  readonly #places = new Map<string, { readonly parent: string; readonly untilMs: number }>();

  constructor(clock: Clock, windowMs: number) {
    this.#clock = clock;
    this.#windowMs = windowMs;
  }

  /** As an own change left it. */
  put(file: DriveFile): void {
    if (this.#windowMs === 0) return;
    this.#sweep();
    const parent = file.parents?.[0];
    const before = this.#places.get(file.id);
    if (before !== undefined && before.parent !== parent) this.#note(before.parent, file, false);
    if (parent === undefined) return;
    this.#note(parent, file, file.trashed !== true);
    this.#places.delete(file.id);
    this.#places.set(file.id, { parent, untilMs: this.#clock.monotonic() + this.#windowMs });
  }

  /** It is not in this folder any more; `file` is it as it is now, or was last. */
  left(parent: string, file: DriveFile): void {
    if (this.#windowMs === 0) return;
    this.#sweep();
    this.#note(parent, file, false);
  }

  /** Files that were put under this name. */
  named(parent: string, name: string): DriveFile[] {
    const folder = this.#folders.get(parent);
    return [...(folder?.byName.get(name) ?? [])].flatMap((id) => {
      const known = this.#live(folder, id);
      return known?.here === true && known.file.name === name ? [known.file] : [];
    });
  }

  /** All that were put into this folder. */
  in(parent: string): DriveFile[] {
    const folder = this.#folders.get(parent);
    return [...(folder?.byId.keys() ?? [])].flatMap((id) => {
      const known = this.#live(folder, id);
      return known?.here === true ? [known.file] : [];
    });
  }

  /** What a search says of a file in this folder, set right: a later version of our own, or nothing where it has left. */
  corrected(parent: string, file: DriveFile): DriveFile | undefined {
    const known = this.#live(this.#folders.get(parent), file.id);
    if (known === undefined || isNewer(file, known.file)) return file;
    return known.here ? known.file : undefined;
  }

  /** It was taken out of this folder, or away, by this store. */
  hasLeft(parent: string, id: string): boolean {
    return this.#live(this.#folders.get(parent), id)?.here === false;
  }

  forget(id: string): void {
    const place = this.#places.get(id);
    const known = place === undefined ? undefined : this.#folders.get(place.parent)?.byId.get(id);
    if (known !== undefined) this.#drop(known);
    this.#places.delete(id);
  }

  clear(): void {
    this.#folders.clear();
    this.#known.clear();
    this.#places.clear();
  }

  #live(folder: Folder | undefined, id: string): Known | undefined {
    const known = folder?.byId.get(id);
    return known !== undefined && known.untilMs > this.#clock.monotonic() ? known : undefined;
  }

  #note(parent: string, file: DriveFile, here: boolean): void {
    const before = this.#folders.get(parent)?.byId.get(file.id);
    if (before !== undefined) this.#drop(before);
    const folder = this.#folders.get(parent) ?? new Folder();
    this.#folders.set(parent, folder);
    const known: Known = { parent, file, here, untilMs: this.#clock.monotonic() + this.#windowMs };
    this.#known.add(known);
    folder.byId.set(file.id, known);
    const named = folder.byName.get(file.name) ?? new Set();
    folder.byName.set(file.name, named.add(file.id));
  }

  #drop(known: Known): void {
    const { parent, file } = known;
    this.#known.delete(known);
    const folder = this.#folders.get(parent);
    if (folder === undefined) return;
    folder.byId.delete(file.id);
    const named = folder.byName.get(file.name);
    named?.delete(file.id);
    if (named?.size === 0) folder.byName.delete(file.name);
    if (folder.byId.size === 0) this.#folders.delete(parent);
  }

  /** Also what only left a folder, and a folder into which nothing is put any more. */
  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [id, { untilMs }] of this.#places) {
      if (untilMs > now) break;
      this.#places.delete(id);
    }
    for (const known of this.#known) {
      if (known.untilMs > now) break;
      this.#drop(known);
    }
  }
}
