/**
 * What this store changed a moment ago, by folder: Drive's search may not show it yet, and its answers by id already do.
 *
 * Kept for as long as the search may lag. Nothing is believed because of it that the service has a later version of.
 */
import type { Clock } from "../../store/index.ts";
import { isNewer } from "./resource.ts";
import type { DriveFile } from "./resource.ts";

interface Known {
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
    if (this.#windowMs > 0) this.#note(parent, file, false);
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

  forget(id: string): void {
    const place = this.#places.get(id);
    if (place !== undefined) this.#folders.get(place.parent)?.byId.delete(id);
    this.#places.delete(id);
  }

  clear(): void {
    this.#folders.clear();
    this.#places.clear();
  }

  #live(folder: Folder | undefined, id: string): Known | undefined {
    const known = folder?.byId.get(id);
    return known !== undefined && known.untilMs > this.#clock.monotonic() ? known : undefined;
  }

  #note(parent: string, file: DriveFile, here: boolean): void {
    const folder = this.#folders.get(parent) ?? new Folder();
    this.#folders.set(parent, folder);
    // Last in the order of the map, which is the order of expiry.
    folder.byId.delete(file.id);
    folder.byId.set(file.id, { file, here, untilMs: this.#clock.monotonic() + this.#windowMs });
    const named = folder.byName.get(file.name) ?? new Set();
    folder.byName.set(file.name, named.add(file.id));
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [id, { parent, untilMs }] of this.#places) {
      if (untilMs > now) break;
      this.#places.delete(id);
      const folder = this.#folders.get(parent);
      if (folder === undefined) continue;
      for (const [one, known] of folder.byId) {
        if (known.untilMs > now) break;
        folder.byId.delete(one);
        const named = folder.byName.get(known.file.name);
        named?.delete(one);
        if (named?.size === 0) folder.byName.delete(known.file.name);
      }
      if (folder.byId.size === 0) this.#folders.delete(parent);
    }
  }
}
