/**
 * The oracle: what each call must answer, and what is there afterwards, by the text of the contract and the declared capabilities. No store, no
 * provider, no bytes on the way: two maps and the rules. Written apart from the reference store, so that one misreading is not two.
 *
 *   const oracle = new Oracle(store.capabilities);
 *   oracle.write("/a/b", content, {})        // { codes: [] }: must succeed
 *   oracle.delete("/a", {})                  // { codes: ["not-empty"] }: must fail so, and change nothing
 */
import type { Capabilities, ErrorCode } from "../../store/index.ts";

export interface Known {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
}
/** Empty: the call succeeds. Otherwise it fails with one of these and nothing changes; or, where there is `or`, it may also succeed, and then `or` is what happens. */
export interface Verdict {
  readonly codes: readonly ErrorCode[];
  readonly or?: () => void;
}
export interface Condition {
  readonly ifAbsent?: boolean | undefined;
  /** Whether the etag given is the one the file has. */
  readonly ifMatch?: "current" | "stale" | undefined;
}
export interface Child {
  readonly key: string;
  readonly kind: "file" | "directory";
  readonly size: number;
}

const fine: Verdict = { codes: [] };
const not = (...codes: ErrorCode[]): Verdict => ({ codes });

export class Oracle {
  readonly #can: Capabilities;
  readonly files: Map<string, Known> = new Map();
  /** Directories that stay when they are empty. Some may have been made on the way (a tree copied by hand, a write that failed), or not. */
  readonly directories: Map<string, "made" | "maybe"> = new Map();

  constructor(capabilities: Capabilities) {
    this.#can = capabilities;
  }

  /** Names that the service takes for one are one key. */
  key(path: string): string {
    const form = this.#can.normalisation === "kept" ? path : path.normalize(this.#can.normalisation.toUpperCase());
    return this.#can.caseSensitive ? form : form.toLowerCase();
  }
  file(path: string): Known | undefined {
    return this.files.get(this.key(path));
  }
  isDirectory(path: string): boolean {
    const key = this.key(path);
    return key === "/" || this.directories.has(key) || (this.#can.directories === "implied" && this.#anythingBelow(key));
  }
  /** A file wins over a directory of its name. */
  kind(path: string): "file" | "directory" | undefined {
    return this.file(path) !== undefined ? "file" : this.isDirectory(path) ? "directory" : undefined;
  }
  /** Directories of which nobody can say whether they stay: nothing is in them, and they may have been made or not. */
  get doubtful(): string[] {
    return [...this.directories].filter(([key, state]) => state === "maybe" && !this.#anythingBelow(key)).map(([key]) => key);
  }
  /** What a look at a doubtful directory said. */
  settle(key: string, exists: boolean): void {
    if (exists) this.directories.set(key, "made");
    else this.directories.delete(key);
  }

  /** A write there failed of its body: what is above it may have been made before that, or not. */
  attempted(path: string): void {
    for (const key of parents(this.key(path))) if (!this.isDirectory(key) && !this.files.has(key)) this.directories.set(key, "maybe");
  }

  /* ---- questions */

  stat(path: string): Verdict {
    return this.kind(path) === undefined ? not("not-found") : fine;
  }

  read(path: string, range?: { readonly offset: number; readonly length?: number | undefined }): Verdict & { readonly bytes?: Uint8Array } {
    const file = this.file(path);
    if (file === undefined) return not(this.isDirectory(path) ? "is-a-directory" : "not-found");
    if (range === undefined) return { codes: [], bytes: file.bytes };
    const { bytes } = file;
    const from = range.offset < 0 ? Math.max(0, bytes.length + range.offset) : range.offset;
    if (from > 0 && from >= bytes.length) return not("bad-range");
    return { codes: [], bytes: bytes.subarray(from, range.length === undefined ? bytes.length : from + range.length) };
  }

  list(path: string, recursive: boolean): Verdict & { readonly children?: readonly Child[] } {
    if (!this.isDirectory(path)) return not(this.file(path) === undefined ? "not-found" : "not-a-directory");
    const begin = this.#begin(this.key(path));
    const found = new Map<string, Child>();
    const add = (child: Child): void => void found.set(`${child.kind} ${child.key}`, child);
    const within = (key: string): boolean => key.startsWith(begin) && (recursive || !key.slice(begin.length).includes("/"));
    for (const [key, { bytes }] of this.files) if (within(key)) add({ key, kind: "file", size: bytes.length });
    for (const key of this.directories.keys()) if (within(key)) add({ key, kind: "directory", size: 0 });
    if (this.#can.directories === "implied") {
      for (const below of [...this.files.keys(), ...this.directories.keys()])
        for (const key of parents(below)) if (within(key)) add({ key, kind: "directory", size: 0 });
    }
    return { codes: [], children: [...found.values()] };
  }

  /* ---- changes */

  write(path: string, content: Known, condition: Condition): Verdict {
    const codes: ErrorCode[] = [];
    const strict = this.#can.strictHierarchy;
    if (strict && this.#belowFile(path)) codes.push("not-a-directory");
    if (strict && this.isDirectory(path)) codes.push("is-a-directory");
    if (condition.ifAbsent === true && (this.file(path) !== undefined || (strict && this.isDirectory(path)))) codes.push("already-exists");
    if (condition.ifMatch !== undefined && (this.file(path) === undefined || condition.ifMatch === "stale")) codes.push("precondition-failed");
    // Where two of them hold, which one is told is nobody's promise.
    if (codes.length > 0) return { codes };
    this.#parents(path, "made");
    this.files.set(this.key(path), content);
    return fine;
  }

  mkdir(path: string, existOk: boolean): Verdict {
    const strict = this.#can.strictHierarchy;
    if (this.isDirectory(path)) {
      if (!existOk) return not("already-exists");
      this.directories.set(this.key(path), "made");
      return fine;
    }
    if (strict && this.file(path) !== undefined) return not("already-exists");
    if (strict && this.#belowFile(path)) return not("not-a-directory");
    this.#parents(path, "maybe");
    this.directories.set(this.key(path), "made");
    return fine;
  }

  delete(path: string, { recursive, ifMatch }: { readonly recursive: boolean; readonly ifMatch?: "current" | "stale" | undefined }): Verdict {
    const key = this.key(path);
    const file = this.files.has(key);
    if (file && ifMatch === "stale") return not("precondition-failed");
    if (!file && this.isDirectory(path)) {
      if (ifMatch !== undefined) return not("is-a-directory");
      if (!recursive && this.#anythingBelow(key)) return not("not-empty");
    }
    this.files.delete(key);
    if (recursive || !file) this.directories.delete(key);
    if (recursive) for (const map of [this.files, this.directories]) for (const other of map.keys()) if (other.startsWith(this.#begin(key))) map.delete(other);
    return fine;
  }

  copy(from: string, to: string, ifAbsent: boolean): Verdict {
    return this.#transfer(from, to, ifAbsent, false);
  }
  move(from: string, to: string, ifAbsent: boolean): Verdict {
    return this.#transfer(from, to, ifAbsent, true);
  }

  #transfer(from: string, to: string, ifAbsent: boolean, move: boolean): Verdict {
    const [source, target] = [this.key(from), this.key(to)];
    const strict = this.#can.strictHierarchy;
    const kind = this.kind(from);
    // By the text this is seen before anything is asked; by what the service folds only there, and a missing source may be seen first.
    if (target.startsWith(this.#begin(source))) return to.startsWith(`${from}/`) || kind !== undefined ? not("invalid-path") : not("invalid-path", "not-found");
    if (kind === undefined) return not("not-found");
    // Two spellings of one name: nothing for a copy; a move changes the spelling, or says that it cannot.
    if (target === source && from !== to) return { codes: ifAbsent ? ["unsupported", "already-exists"] : ["unsupported"], or: () => {} };
    if (target === source) return ifAbsent ? not("already-exists") : fine;
    if (kind === "directory" && this.#can[move ? "moveTree" : "copyTree"] === false) return not("unsupported", "is-a-directory");
    if (ifAbsent && this.kind(to) !== undefined) return not("already-exists");
    if (strict && this.#belowFile(to)) return not("not-a-directory");
    if (kind === "directory" && this.#anythingBelow(target)) return not("not-empty", ...(this.file(to) === undefined ? [] : ["not-a-directory" as const]));
    const change = (): void => (kind === "file" ? this.#transferFile(source, to, move) : this.#transferTree(source, to, move));
    const other = kind === "file" ? this.isDirectory(to) : this.file(to) !== undefined;
    if (other) {
      const code = kind === "file" ? "is-a-directory" : "not-a-directory";
      // Where both may stand beside each other, rename(2) has nothing to say: either is right.
      return strict ? not(code) : { codes: [code], or: change };
    }
    change();
    return fine;
  }

  #transferFile(source: string, to: string, move: boolean): void {
    this.#parents(to, "made");
    this.files.set(this.key(to), this.files.get(source) as Known);
    if (move) this.files.delete(source);
  }

  #transferTree(source: string, to: string, move: boolean): void {
    const target = this.key(to);
    this.#parents(to, "made");
    for (const [key, known] of Array.from(this.files)) {
      if (!key.startsWith(this.#begin(source))) continue;
      this.files.set(target + key.slice(source.length), known);
      if (move) this.files.delete(key);
    }
    const implied = this.#can.directories === "implied";
    const all = implied ? (this.list(to, true).children ?? []).filter((child) => child.kind === "directory").map(({ key }) => key) : [];
    for (const [key, state] of Array.from(this.directories)) {
      if (key !== source && !key.startsWith(this.#begin(source))) continue;
      this.directories.set(target + key.slice(source.length), state);
      if (move) this.directories.delete(key);
    }
    // By hand, directories are made that were only implied before.
    for (const key of implied ? [target, ...all] : []) if (!this.directories.has(key)) this.directories.set(key, "maybe");
  }

  /* ---- */

  #begin(key: string): string {
    return key === "/" ? "/" : `${key}/`;
  }
  #anythingBelow(key: string): boolean {
    const begin = this.#begin(key);
    for (const map of [this.files, this.directories]) for (const other of map.keys()) if (other.startsWith(begin)) return true;
    return false;
  }
  #belowFile(path: string): boolean {
    return parents(this.key(path)).some((key) => this.files.has(key));
  }
  /** Real directories above are there from now on. Implied ones need nothing; only mkdir may have made them as well. */
  #parents(path: string, state: "made" | "maybe"): void {
    const implied = this.#can.directories === "implied";
    if (implied && state === "made") return;
    for (const key of parents(this.key(path))) if (!this.directories.has(key)) this.directories.set(key, implied ? "maybe" : "made");
  }
}

/** Every directory above a path, the root not among them. */
function parents(path: string): string[] {
  const names = path.split("/");
  return names.slice(1, -1).map((_, index) => names.slice(0, index + 2).join("/"));
}
