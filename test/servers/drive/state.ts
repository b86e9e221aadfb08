/**
 * What a Drive account holds: files by id, names that are not unique, one parent each (developers.google.com/workspace/drive/api/guides/about-files),
 * a trash, revisions, a log of changes, and a search index that may lag behind (what `files.list` answers from; `files.get` never lags).
 */
import { randomBytes } from "node:crypto";
import type { Content } from "./content.ts";
import { forbidden, notFound } from "./errors.ts";

export const FOLDER = "application/vnd.google-apps.folder";
export const SHORTCUT = "application/vnd.google-apps.shortcut";
export const isGoogle = (mimeType: string): boolean => mimeType.startsWith("application/vnd.google-apps.");

/** One version of a file; never changed in place. */
export interface File {
  readonly id: string;
  readonly name: string;
  readonly mimeType: string;
  readonly parents: readonly string[];
  readonly driveId: string | undefined;
  readonly explicitlyTrashed: boolean;
  readonly createdMs: number;
  readonly modifiedMs: number;
  readonly version: number;
  readonly content: Content | undefined;
  readonly headRevisionId: string | undefined;
  readonly appProperties: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
  readonly description: string | undefined;
  readonly shortcutDetails: { readonly targetId: string; readonly targetMimeType: string } | undefined;
}

export interface Change {
  readonly fileId: string;
  readonly removed: boolean;
  readonly atMs: number;
}

export interface StateOptions {
  /** How late a search shows a change, in milliseconds. Default 0. */
  readonly lagMs?: number | undefined;
  /** Storage of the account in bytes. Default: none told, as with an unlimited account. */
  readonly limitBytes?: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class State {
  readonly options: StateOptions;
  readonly rootId: string = `0A${token(17)}`;
  readonly files: Map<string, File> = new Map();
  /** Ids that `generateIds` gave out; no others are taken at creation. */
  readonly generated: Set<string> = new Set();
  readonly revisions: Map<string, Map<string, Content>> = new Map();
  readonly changes: Change[] = [];
  readonly drives: Map<string, string> = new Map();
  /** What the search saw, and until when: only while it lags. */
  readonly #past: Map<string, { readonly atMs: number; readonly file: File | undefined }[]> = new Map();
  /** By folder all that were ever in it: where a search of one folder looks. */
  readonly #inFolder: Map<string, Set<string>> = new Map();
  readonly #pages = new Map<string, ReadonlySet<string>>();
  #version = 1;

  constructor(options: StateOptions) {
    this.options = options;
    this.files.set(this.rootId, this.#folder(this.rootId, "My Drive", undefined));
  }

  #folder(id: string, name: string, driveId: string | undefined): File {
    const now = this.options.now();
    return {
      id,
      name,
      mimeType: FOLDER,
      parents: [],
      driveId,
      explicitlyTrashed: false,
      createdMs: now,
      modifiedMs: now,
      version: this.#version++,
      content: undefined,
      headRevisionId: undefined,
      appProperties: {},
      properties: {},
      description: undefined,
      shortcutDetails: undefined,
    };
  }

  /** A shared drive: its own root has its id. */
  addDrive(name: string): string {
    const id = `0A${token(15)}PVA`;
    this.drives.set(id, name);
    this.files.set(id, this.#folder(id, name, id));
    return id;
  }

  newId(): string {
    return `1${token(32)}`;
  }

  newRevision(id: string, content: Content): string {
    const revision = `0B${token(42)}`;
    const all = this.revisions.get(id) ?? new Map<string, Content>();
    all.set(revision, content);
    // Older ones than the last are kept for 30 days; two are enough to read one while it is replaced.
    for (const old of [...all.keys()].slice(0, -2)) all.delete(old);
    this.revisions.set(id, all);
    return revision;
  }

  /** @throws Refusal 404 for what is not there, and for shared drives where the caller does not say that it knows of them */
  get(id: string, allDrives = true): File {
    const file = this.files.get(id === "root" ? this.rootId : id);
    if (file === undefined || (file.driveId !== undefined && !allDrives)) throw notFound(id);
    return file;
  }

  put(file: Omit<File, "version">): File {
    const made: File = { ...file, version: this.#version++ };
    this.#remember(made.id);
    this.files.set(made.id, made);
    for (const parent of made.parents) this.#inFolder.set(parent, (this.#inFolder.get(parent) ?? new Set()).add(made.id));
    this.changes.push({ fileId: made.id, removed: false, atMs: this.options.now() });
    return made;
  }

  /** Deleted for good, with everything below it (files.delete). */
  remove(id: string): void {
    for (const child of this.childrenOf(id)) this.remove(child.id);
    this.#remember(id);
    this.files.delete(id);
    this.revisions.delete(id);
    this.changes.push({ fileId: id, removed: true, atMs: this.options.now() });
  }

  /** As they are now, trashed ones too. */
  childrenOf(id: string): File[] {
    return [...(this.#inFolder.get(id) ?? [])].flatMap((child) => this.files.get(child) ?? []).filter(({ parents }) => parents[0] === id);
  }

  #remember(id: string): void {
    const { lagMs = 0, now } = this.options;
    if (lagMs === 0) return;
    const at = now();
    const past = (this.#past.get(id) ?? []).filter((one) => one.atMs > at - lagMs);
    past.push({ atMs: at, file: this.files.get(id) });
    this.#past.set(id, past);
  }

  /** For what a search has found and not given yet. */
  pageToken(rest: readonly File[]): string {
    const made = `~!!~${token(40)}`;
    this.#pages.set(made, new Set(rest.map(({ id }) => id)));
    // Nobody comes back for the oldest ones.
    if (this.#pages.size > MOST_PAGES) this.#pages.delete(this.#pages.keys().next().value as string);
    return made;
  }

  /** Of what a search finds now: what it had found then and not given. Undefined: no token of ours. */
  restOf(pageToken: string, found: readonly File[]): File[] | undefined {
    const ids = this.#pages.get(pageToken);
    return ids === undefined ? undefined : found.filter(({ id }) => ids.has(id));
  }

  /** As the search index has it now. */
  seen(id: string): File | undefined {
    const { lagMs = 0, now } = this.options;
    const oldest = lagMs === 0 ? undefined : this.#past.get(id)?.find((one) => one.atMs > now() - lagMs);
    return oldest === undefined ? this.files.get(id) : oldest.file;
  }

  /** What a search has to look at: all files, or at least those that it sees in this folder. */
  seenIn(folder: string | undefined): File[] {
    const isLate = (this.options.lagMs ?? 0) > 0;
    if (folder === undefined && !isLate) return [...this.files.values()];
    const found: File[] = [];
    for (const id of folder === undefined ? new Set([...this.files.keys(), ...this.#past.keys()]) : (this.#inFolder.get(folder) ?? [])) {
      const file = this.seen(id);
      if (file !== undefined) found.push(file);
    }
    return found;
  }

  /** Trashed itself, or below something that is. */
  trashed(file: File, look: (id: string) => File | undefined = (id) => this.files.get(id)): boolean {
    for (let one: File | undefined = file; one !== undefined; one = one.parents[0] === undefined ? undefined : look(one.parents[0])) {
      if (one.explicitlyTrashed) return true;
    }
    return false;
  }

  isBelow(id: string, above: string): boolean {
    for (let one = this.files.get(id); one !== undefined; one = one.parents[0] === undefined ? undefined : this.files.get(one.parents[0]))
      if (one.id === above) return true;
    return false;
  }

  get usage(): number {
    let bytes = 0;
    for (const { content, driveId } of this.files.values()) if (driveId === undefined) bytes += content?.size ?? 0;
    return bytes;
  }

  /** @throws Refusal 403 where the account has no room for so many bytes more */
  reserve(bytes: number): void {
    const { limitBytes } = this.options;
    if (limitBytes !== undefined && this.usage + bytes > limitBytes)
      throw forbidden("storageQuotaExceeded", "The user's Drive storage quota has been exceeded.");
  }
}

const MOST_PAGES = 1000;

function token(length: number): string {
  return randomBytes(length).toString("base64url").slice(0, length);
}
