/** What a service holds: files and directories by key, and how they looked a little while ago. */
import type { Metadata } from "../../store/index.ts";

export interface ModelFile {
  /** As it was written, while keys may be folded. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** One number per write, over the whole state: equal versions are equal bytes. */
  readonly version: number;
  readonly modifiedMs: number;
  readonly contentType: string | null;
  readonly metadata: Metadata;
}
export interface ModelDirectory {
  readonly path: string;
  readonly modifiedMs: number;
}
/** A file and a directory may have one key, where the hierarchy is loose. The root is in neither. */
export interface Tree {
  readonly files: ReadonlyMap<string, ModelFile>;
  readonly directories: ReadonlyMap<string, ModelDirectory>;
}

/** Shared by all connections to one reference service: `referenceStore({ state })`. */
export class ModelState {
  #past: { readonly sinceMs: number; readonly tree: Tree; readonly revision: number }[] = [];
  #now: Tree = { files: new Map(), directories: new Map() };
  #revision = 0;
  #keepMs = 0;

  get tree(): Tree {
    return this.#now;
  }
  /** Grows with every change: equal revisions are equal trees, and each is used once. */
  get revision(): number {
    return this.#revision;
  }

  /** Asked for by connections that look back: how long old trees are kept. */
  remember(ms: number): void {
    this.#keepMs = Math.max(this.#keepMs, ms);
  }

  /** The tree as it was `agoMs` before `nowMs`. */
  before(nowMs: number, agoMs: number): { readonly tree: Tree; readonly revision: number } {
    if (agoMs <= 0) return { tree: this.#now, revision: this.#revision };
    const old = this.#past.findLast(({ sinceMs }) => sinceMs <= nowMs - agoMs);
    return old ?? { tree: { files: new Map(), directories: new Map() }, revision: 0 };
  }

  /** Changes the tree in one step. Nobody sees `change` at work: it is synchronous. */
  change(nowMs: number, change: (files: Map<string, ModelFile>, directories: Map<string, ModelDirectory>, version: number) => void): void {
    const { files, directories } = this.#now as { files: Map<string, ModelFile>; directories: Map<string, ModelDirectory> };
    // Copied only where somebody looks back.
    const next = this.#keepMs === 0 ? { files, directories } : { files: new Map(files), directories: new Map(directories) };
    this.#revision += 1;
    change(next.files, next.directories, this.#revision);
    this.#now = next;
    if (this.#keepMs === 0) return;
    this.#past.push({ sinceMs: nowMs, tree: next, revision: this.#revision });
    // The newest one that is old enough must stay.
    const keep = this.#past.findLastIndex(({ sinceMs }) => sinceMs < nowMs - this.#keepMs);
    if (keep > 0) this.#past = this.#past.slice(keep);
  }
}
