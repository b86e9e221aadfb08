/** One account: its tree by folded path, its revisions, its journal of changes, its open upload sessions. */
import { randomBytes } from "node:crypto";
import { contentHash } from "./content-hash.ts";
import { fold, lastName, parentKey } from "./names.ts";
import { spilled } from "../spill.ts";
import type { Chunk } from "../spill.ts";

export interface FileNode {
  readonly kind: "file";
  readonly id: string;
  /** NFC, as its last writer spelt it; its parents as they were spelt then. */
  readonly display: string;
  readonly rev: string;
  readonly chunks: readonly Chunk[];
  readonly size: number;
  readonly hash: string;
  /** "2026-11-26T18:00:00Z" */
  readonly clientModified: string;
  readonly serverModified: string;
  /** False: a Paper document, which only `export` gives. */
  readonly downloadable: boolean;
  /** Until then `move` does not find it. */
  readonly hiddenUntil: number;
}
export interface FolderNode {
  readonly kind: "folder";
  readonly id: string;
  readonly display: string;
}
export type Node = FileNode | FolderNode;
export interface UploadSession {
  readonly id: string;
  readonly chunks: Chunk[];
  size: number;
  closed: boolean;
  /** Pieces by their offsets, of a session that takes them in any order. */
  readonly concurrent: Map<number, readonly Chunk[]> | undefined;
}

const hex = (bytes: number): string => randomBytes(bytes).toString("hex");
const newId = (): string => `id:${randomBytes(16).toString("base64url")}`;

export class Tree {
  readonly nodes = new Map<string, Node>();
  readonly #children = new Map<string, Set<string>>([["", new Set()]]);
  /** Keys in the order of their changes. */
  readonly journal: { readonly key: string; readonly display: string }[] = [];
  readonly revisions = new Map<string, FileNode[]>();
  readonly sessions = new Map<string, UploadSession>();
  readonly now: () => number;
  /** Milliseconds for which a new file is hidden from `move`. */
  hideMs = 0;
  #revisions = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  at(path: string): Node | undefined {
    return this.nodes.get(fold(path));
  }

  childrenOf(key: string): string[] {
    return [...(this.#children.get(key) ?? [])];
  }

  /** Everything below, parents first. */
  below(key: string): string[] {
    return this.childrenOf(key).flatMap((child) => [child, ...this.below(child)]);
  }

  /** The nearest thing above that is a file, which nothing can lie below. */
  fileAbove(path: string): boolean {
    for (let key = parentKey(fold(path)); key !== ""; key = parentKey(key)) if (this.nodes.get(key)?.kind === "file") return true;
    return false;
  }

  put(display: string, file: Pick<FileNode, "chunks" | "clientModified"> & Partial<FileNode>): FileNode {
    const before = this.at(display);
    const node: FileNode = {
      id: before?.kind === "file" ? before.id : newId(),
      size: file.chunks.reduce((sum, { byteLength }) => sum + byteLength, 0),
      hash: contentHash(file.chunks),
      downloadable: true,
      hiddenUntil: before === undefined && this.hideMs > 0 ? this.now() + this.hideMs : 0,
      ...file,
      chunks: spilled(file.chunks),
      kind: "file",
      display: display.normalize("NFC"),
      rev: this.#newRev(),
      serverModified: this.stamp(),
    };
    this.makeParents(display);
    this.#set(fold(display), node);
    const all = this.revisions.get(fold(display)) ?? [];
    this.revisions.set(fold(display), [node, ...all]);
    return node;
  }

  folder(display: string, id = newId()): FolderNode {
    this.makeParents(display);
    const node: FolderNode = { kind: "folder", id, display: display.normalize("NFC") };
    this.#set(fold(display), node);
    return node;
  }

  makeParents(display: string): void {
    const parent = display.slice(0, display.lastIndexOf("/"));
    if (parent !== "" && this.at(parent) === undefined) this.folder(parent);
  }

  remove(key: string): void {
    for (const child of this.childrenOf(key)) this.remove(child);
    const node = this.nodes.get(key);
    if (node === undefined) return;
    this.nodes.delete(key);
    this.#children.delete(key);
    this.#children.get(parentKey(key))?.delete(key);
    this.journal.push({ key, display: node.display });
  }

  used(): number {
    let used = 0;
    for (const node of this.nodes.values()) if (node.kind === "file") used += node.size;
    return used;
  }

  /** The spelling of a path whose parents exist: each by the folder's own last name. */
  spelling(key: string): string {
    const node = this.nodes.get(key);
    return node === undefined ? "" : `${this.spelling(parentKey(key))}/${lastName(node.display)}`;
  }

  stamp(ms = this.now()): string {
    return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
  }

  openSession(concurrent: boolean): UploadSession {
    const session: UploadSession = {
      id: `pid_upload_session:${hex(24)}`,
      chunks: [],
      size: 0,
      closed: false,
      concurrent: concurrent ? new Map<number, readonly Chunk[]>() : undefined,
    };
    this.sessions.set(session.id, session);
    return session;
  }

  #set(key: string, node: Node): void {
    this.nodes.set(key, node);
    if (node.kind === "folder" && !this.#children.has(key)) this.#children.set(key, new Set());
    this.#children.get(parentKey(key))?.add(key);
    this.journal.push({ key, display: node.display });
  }

  /** At least nine hexadecimal digits (API reference, Rev). */
  #newRev(): string {
    this.#revisions += 1;
    return `${(0x5a0000000 + this.#revisions).toString(16)}${hex(6)}`;
  }
}
