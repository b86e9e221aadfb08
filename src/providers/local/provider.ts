/** The Provider over node:fs: the ten operations. */
import { userInfo } from "node:os";
import { resolve } from "node:path";
import { StoreError, bytesFrom, join } from "../../store/index.ts";
import type {
  Account, Call, Capabilities, CopyCall, DeleteCall, Entry, ListCall, MkdirCall, MoveCall, Page, Provider, ProviderRead, ReadCall, Space, StatCall, StorePath, WriteCall,
} from "../../store/index.ts";
import { disk, errnoOf, opensOnlyItself, unless } from "./disk.ts";
import { notOurs, translate } from "./errors.ts";
import { entryOf, modifiedOf, tellsBirth } from "./facts.ts";
import { Maker } from "./maker.ts";
import type { MakerOptions } from "./maker.ts";
import { Mover } from "./mover.ts";
import { TEMPORARY_BYTES, diskNames, toNative } from "./names.ts";
import type { Names, Native } from "./names.ts";
import { bytesOf, clampTo } from "./read-file.ts";
import type { OpenFile } from "./read-file.ts";
import { Root } from "./root.ts";
import type { Found } from "./root.ts";
import { clearStale, removeTree, sweep } from "./trees.ts";

export interface LocalParts extends MakerOptions {
  readonly directory: string;
  readonly createRoot: boolean;
  readonly caseSensitive: boolean;
  readonly normalisation: Capabilities["normalisation"];
  readonly hardLinks: boolean;
}

/** Entries of one page of a listing, and looks at the disk at once. */
const PAGE = 1000;
const LOOKS = 64;
/** What is left of a listing. */
interface Rest {
  readonly directory: Native;
  readonly names: readonly Native[];
  readonly from: number;
}

export class Local implements Provider {
  readonly kind = "local";
  readonly keepsChunks = false;
  readonly capabilities: Partial<Capabilities>;
  readonly #parts: LocalParts;
  readonly #names: Names;
  readonly #directory: string;
  #opened: Maker | undefined;

  constructor(parts: LocalParts) {
    const { profile, hardLinks } = parts;
    this.#parts = parts;
    this.#directory = resolve(parts.directory);
    this.#names = diskNames(profile.names);
    this.capabilities = {
      mkdir: "native", copy: "native", move: "native", space: "native", account: "native",
      readRange: "native", readSuffix: "native", readIfMatch: "native", readIfNoneMatch: "native",
      writeIfAbsent: hardLinks ? "native" : false, writeUnknownSize: "native", writeModified: "native",
      listRecursive: "emulated", deleteRecursive: "native", copyTree: "emulated", copyIfAbsent: hardLinks ? "native" : false, moveTree: "native", moveIfAbsent: hardLinks ? "native" : false,
      etag: true, listComplete: true, modifiedPrecisionMs: 1, caseSensitive: parts.caseSensitive, normalisation: parts.normalisation,
      maxNameBytes: profile.maxNameBytes,
      // Room for a temporary name in the place of a shorter one.
      maxPathBytes: profile.maxNativePathBytes - Buffer.byteLength(this.#directory) - TEMPORARY_BYTES - 1,
      directories: "real", atomicWrites: "native", emptyOnlyDelete: "native", exclusiveMkdir: true, afterlifeMs: 0, concurrency: 8,
    };
  }

  /* ---------------------------------------------------------------- life */

  async open(): Promise<void> {
    const { createRoot, directoryMode } = this.#parts;
    const directory = toNative(process.platform === "win32" ? this.#directory.replaceAll("\\", "/") : this.#directory);
    try {
      if (createRoot) await disk.mkdirs(directory, directoryMode);
      const real = await disk.realpath(directory);
      const stat = await disk.lstat(real);
      if (!stat.isDirectory()) throw new StoreError("config", "the directory of this store is a file", { applied: false });
      this.#opened = new Maker(this.#parts, new Root(real, stat.dev, this.#names), tellsBirth(process.platform));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      if (errno === "ENOENT") throw new StoreError("config", "the directory of this store does not exist; the option createRoot makes it", { applied: false, cause: error });
      throw new StoreError("config", `the directory of this store cannot be used (${errno})`, { applied: false, cause: error });
    }
  }

  async reconnect(): Promise<void> {
    await this.open();
  }

  describe(): string {
    return `directory=${this.#directory}`;
  }

  identity(): string {
    return `local:${this.#directory}`;
  }

  translate(error: unknown, call: Call): StoreError | undefined {
    return translate(error, call);
  }

  async sweep(signal: AbortSignal | undefined): Promise<number> {
    if (this.#opened === undefined) await this.open();
    return this.#run(() => sweep(this.#root.real, this.#parts.clock, signal));
  }

  get #maker(): Maker {
    if (this.#opened === undefined) throw new StoreError("config", "the store was not opened");
    return this.#opened;
  }

  get #root(): Root {
    return this.#maker.root;
  }

  /** Nothing is "not found" in a root that is not there. */
  async #run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === "ENOENT" || errno === "ENOTDIR") await this.#root.verify();
      throw error;
    }
  }

  /* ----------------------------------------------------------- questions */

  stat({ path }: StatCall): Promise<Entry> {
    return this.#run(async () => this.#entry(await this.#root.find(path)));
  }

  #entry({ path, stat, kind }: Found): Entry {
    if (kind === "other") throw notOurs();
    return entryOf(path, stat, this.#maker.birth);
  }

  read({ path, range, ifMatch, ifNoneMatch, signal }: ReadCall): Promise<ProviderRead> {
    return this.#run(async () => {
      const file = await this.#openFile(path);
      let taken = false;
      try {
        const entry = entryOf(path, file.stat, this.#maker.birth);
        if (ifMatch !== undefined && ifMatch !== entry.etag) throw new StoreError("precondition-failed", "the file has another etag", { entry });
        if (ifNoneMatch !== undefined && ifNoneMatch === entry.etag) throw new StoreError("not-modified", "the file still has this etag", { entry });
        const { offset, length } = clampTo(Number(file.stat.size), range);
        taken = true;
        return { entry, offset, body: await bytesOf(file, offset, length, signal), handedOver: true };
      } finally {
        if (!taken) await disk.close(file.fd);
      }
    });
  }

  /** The file itself, or the one that a link in the store leads to. */
  async #openFile(path: StorePath): Promise<OpenFile> {
    let fd: number | undefined;
    if (opensOnlyItself) fd = await unless(disk.openRead((await this.#root.place(path)).full), "ELOOP", "ENXIO");
    if (fd === undefined) {
      const found = await this.#root.find(path);
      if (found.kind === "other") throw notOurs();
      fd = await disk.openRead(found.real);
    }
    try {
      const stat = await disk.fstat(fd);
      if (stat.isDirectory()) throw new StoreError("is-a-directory", "a directory has no bytes");
      if (!stat.isFile()) throw notOurs();
      return { fd, stat };
    } catch (error) {
      await disk.close(fd);
      throw error;
    }
  }

  list({ path, cursor, signal }: ListCall): Promise<Page> {
    return this.#run(async () => {
      const { directory, names, from } = (cursor as Rest | undefined) ?? (await this.#firstOf(path));
      const to = Math.min(names.length, from + PAGE);
      const entries: Entry[] = [];
      for (let at = from; at < to; at += LOOKS) {
        signal?.throwIfAborted();
        const looks = names.slice(at, Math.min(to, at + LOOKS)).map((name) => this.#listed(path, directory, name));
        for (const found of await Promise.all(looks)) if (found !== undefined) entries.push(found);
      }
      const rest: Rest = { directory, names, from: to };
      return { entries, cursor: to < names.length ? rest : undefined };
    });
  }

  async #firstOf(path: StorePath): Promise<Rest> {
    const directory = await this.#root.directory(path);
    try {
      return { directory, names: await disk.names(directory), from: 0 };
    } catch (error) {
      if (errnoOf(error) === "ENOTDIR") throw new StoreError("not-a-directory", "a file has no children", { cause: error });
      throw error;
    }
  }

  /** Undefined for what is no part of the store, and for what is gone by now. */
  async #listed(dir: StorePath, directory: Native, name: Native): Promise<Entry | undefined> {
    const logical = this.#names.logical(name);
    if (logical === undefined) return undefined;
    const found = await this.#root.entryOf(join(dir, logical), directory, name);
    return found === undefined || found.kind === "other" ? undefined : this.#entry(found);
  }

  async space(): Promise<Space> {
    return this.#run(async () => {
      const { bsize, blocks, bavail } = await disk.statfs(this.#root.real);
      const total = Number(bsize * blocks);
      const free = Number(bsize * bavail);
      return { used: total - free, free, total };
    });
  }

  async account(): Promise<Account> {
    await this.#root.verify();
    return { provider: "local", user: userName(), text: `local disk, ${this.#directory}` };
  }

  /* ------------------------------------------------------------- changes */

  write({ path, body, signal, ifAbsent, modifiedMs }: WriteCall): Promise<Entry> {
    return this.#run(async () => {
      const { place, found } = await this.#maker.target(path);
      this.#maker.mayPutFile(found, ifAbsent);
      await using file = await this.#maker.newFile(path, place);
      {
        await using stream = body.open();
        await file.fill(stream);
      }
      return await this.#maker.finish(file, path, place, { ms: modifiedMs ?? this.#now(), given: modifiedMs !== undefined, ifAbsent, signal });
    });
  }

  #now(): number {
    return Math.floor(this.#parts.clock.now());
  }

  mkdir({ path, existOk }: MkdirCall): Promise<Entry> {
    return this.#run(async () => {
      // Before, not after: in the place of a disk that is not mounted no directory is to be made.
      await this.#root.verify();
      const { place, found } = await this.#maker.target(path);
      if (found === undefined) {
        try {
          const made = await this.#maker.put(path, place, (to) => disk.mkdir(to.full, this.#parts.directoryMode));
          await this.#maker.flush(made.directory);
          return entryOf(path, await disk.lstat(made.full), this.#maker.birth);
        } catch (error) {
          if (errnoOf(error) !== "EEXIST") throw error;
        }
      }
      const there = found ?? (await this.#root.find(path));
      if (existOk && there.kind === "directory") return this.#entry(there);
      throw new StoreError("already-exists", "something of this name is there", { applied: false, entry: this.#maker.entry(there) });
    });
  }

  delete(call: DeleteCall): Promise<void> {
    return this.#run(async () => {
      // The link itself, whatever it leads to: so this asks for the place, not for what is found there.
      const place = await unless(this.#root.place(call.path), "ENOENT", "ENOTDIR");
      const stat = place === undefined ? undefined : await unless(disk.lstat(place.full), "ENOENT", "ENOTDIR");
      if (place === undefined || stat === undefined) return this.#root.verify();
      if (!stat.isDirectory()) await unless(this.#maker.busy(() => disk.unlink(place.full)), "ENOENT");
      else if (call.recursive) await removeTree(call, place.full, this.#names);
      else await this.#removeDirectory(place.full);
      await this.#maker.flush(place.directory);
    });
  }

  async #removeDirectory(directory: Native): Promise<void> {
    try {
      await unless(this.#maker.busy(() => disk.rmdir(directory)), "ENOENT");
    } catch (error) {
      const errno = errnoOf(error);
      if (errno !== "ENOTEMPTY" && errno !== "EEXIST") throw error;
      if (!(await clearStale(directory, this.#parts.clock))) throw new StoreError("not-empty", "the directory is not empty", { applied: false, cause: error });
      await unless(disk.rmdir(directory), "ENOENT");
    }
  }

  /** Of one file; the adaptor walks trees. Through an open file on both sides, so that one version is copied and the signal is heard. */
  copy({ path, to, ifAbsent, signal }: CopyCall): Promise<Entry> {
    return this.#run(async () => {
      const source = await this.#openFile(path);
      let taken = false;
      try {
        const { place, found } = await this.#maker.target(to);
        this.#maker.mayPutFile(found, ifAbsent);
        await using file = await this.#maker.newFile(to, place);
        taken = true;
        {
          await using bytes = bytesFrom(await bytesOf(source, 0, Number(source.stat.size), signal));
          await file.fill(bytes);
        }
        return await this.#maker.finish(file, to, place, { ms: modifiedOf(source.stat), given: true, ifAbsent, signal });
      } finally {
        if (!taken) await disk.close(source.fd);
      }
    });
  }

  move(call: MoveCall): Promise<Entry> {
    return this.#run(async () => {
      const source = await this.#root.find(call.path);
      if (source.kind === "other") throw notOurs();
      const { place, found } = await this.#maker.target(call.to);
      if (!(await new Mover(this.#maker).move(source, found, place, call))) {
        // Another file system, mounted inside the store.
        await this.copy({ ...call, operation: "copy" });
        await disk.unlink(source.full);
      }
      return this.#entry(await this.#root.find(call.to));
    });
  }
}

function userName(): string | null {
  try {
    return userInfo().username;
  } catch {
    // A user id without an entry in the password file, as in many containers.
    return null;
  }
}
