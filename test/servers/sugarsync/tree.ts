/**
 * The files of one SugarSync account, as the service keeps them: resources with ids, names as attributes of theirs.
 *
 * Sources: https://www.sugarsync.com/dev/api/ (Resource Reference and its pages: folder-resource, file-resource, update-folder-info, delete-folder,
 * copy-file, put-file-data) and rclone's backend/sugarsync where the pages are silent (marked R).
 */
import type { Chunk } from "../spill.ts";

export interface Version {
  readonly id: string;
  readonly bytes: readonly Chunk[];
  readonly size: number;
  readonly modifiedMs: number;
}
export interface Node {
  readonly id: string;
  readonly kind: "folder" | "file";
  /** A folder that the user chose to sync: it lies at the top, and cannot be moved (R: "Can not move sync folder."). */
  readonly sync: boolean;
  name: string;
  parent: Node | null;
  readonly createdMs: number;
  readonly mediaType: string;
  readonly versions: Version[];
}

/** What the service answers instead of doing it. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

export interface TreeOptions {
  readonly clock: () => number;
  /** Two things of one name in one folder: refused with 400 (default), or made. The pages do not say; a client has to stand both. */
  readonly duplicates: "refused" | "made";
  readonly quotaBytes: number;
  readonly overQuotaStatus: number;
  readonly magicBriefcase: boolean;
}

/** Letters in either case are one name (R: CaseInsensitive, strings.EqualFold). */
export const folded = (name: string): string =>
  /^[\0-\x7f]*$/.test(name) ? name.toLowerCase() : Array.from(name, (char) => (char.toLowerCase().length === char.length ? char.toLowerCase() : char)).join("");

export class Tree {
  readonly nodes = new Map<string, Node>();
  readonly deleted: Node;
  readonly briefcase: Node;
  readonly #options: TreeOptions;
  #next = 100;
  #versions = 1000;

  constructor(options: TreeOptions) {
    this.#options = options;
    this.deleted = this.#add("9", "folder", "DeletedFiles", null, true);
    this.briefcase = this.#add("2", "folder", "Magic Briefcase", null, true);
    if (!options.magicBriefcase) this.nodes.delete("2");
  }

  /** Bytes of all versions, those of deleted files too. */
  used = 0;
  get quotaBytes(): number {
    return this.#options.quotaBytes;
  }

  find(id: string): Node {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Refused(404, "Resource not found");
    return node;
  }

  /** Sorted by name, as `order=name` and as the default. */
  children(of: Node | null): Node[] {
    const found = [...this.nodes.values()].filter((node) => node.parent === of && (of !== null || node.sync));
    return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : Number(a.id) - Number(b.id)));
  }

  create(kind: "folder" | "file", name: string, parent: Node | null, mediaType = ""): Node {
    this.#mayHold(parent, name, undefined);
    return this.#add(String(this.#next++), kind, name, parent, parent === null, mediaType);
  }

  copy(source: Node, name: string, parent: Node): Node {
    if (source.kind !== "file") throw new Refused(400, "The source of a copy is a file");
    const last = source.versions.at(-1);
    this.#mayHold(parent, name, undefined);
    this.#mayGrow(last?.size ?? 0);
    const made = this.#add(String(this.#next++), "file", name, parent, false, source.mediaType);
    if (last !== undefined) made.versions.push({ ...last, id: String(this.#versions++) });
    this.used += last?.size ?? 0;
    return made;
  }

  update(node: Node, name: string | undefined, parent: Node | undefined): void {
    if (node.sync) throw new Refused(403, "Can not move sync folder.");
    const to = parent ?? (node.parent as Node);
    if (to.kind !== "folder") throw new Refused(400, "The parent is not a folder");
    for (let above: Node | null = to; above !== null; above = above.parent) if (above === node) throw new Refused(400, "A folder cannot be moved into itself");
    this.#mayHold(to, name ?? node.name, node);
    node.name = name ?? node.name;
    node.parent = to;
  }

  /** What lies in a folder stays, and nothing leads to it any more (delete-folder: "may orphan objects"). */
  remove(node: Node): void {
    if (node === this.deleted) throw new Refused(403, "This folder cannot be deleted");
    if (this.nodes.delete(node.id)) for (const { size } of node.versions) this.used -= size;
  }

  /** Refused before the bytes are read where the length was told. */
  mayGrow(bytes: number): void {
    this.#mayGrow(bytes);
  }

  addVersion(node: Node, bytes: readonly Chunk[]): Version {
    const size = bytes.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    this.#mayGrow(size);
    const modifiedMs = Math.floor(this.#options.clock() / 1000) * 1000;
    const version = { id: String(this.#versions++), bytes, size, modifiedMs };
    node.versions.push(version);
    this.used += size;
    return version;
  }

  #mayGrow(bytes: number): void {
    if (this.used + bytes > this.#options.quotaBytes) throw new Refused(this.#options.overQuotaStatus, "Storage limit exceeded");
  }

  #mayHold(parent: Node | null, name: string, self: Node | undefined): void {
    if (name === "" || name.length > 16_383) throw new Refused(400, "displayName is missing or too long");
    if (parent === this.deleted || this.#options.duplicates === "made") return;
    const wanted = folded(name);
    for (const node of this.nodes.values())
      if (node.parent === parent && node !== self && folded(node.name) === wanted) throw new Refused(400, "An object of this name exists");
    // A change of letters' case alone meets the old name.
    if (self !== undefined && self.parent === parent && self.name !== name && folded(self.name) === wanted)
      throw new Refused(400, "An object of this name exists");
  }

  #add(id: string, kind: "folder" | "file", name: string, parent: Node | null, sync: boolean, mediaType = ""): Node {
    const node: Node = { id, kind, sync, name, parent, createdMs: Math.floor(this.#options.clock() / 1000) * 1000, mediaType, versions: [] };
    this.nodes.set(id, node);
    return node;
  }
}
