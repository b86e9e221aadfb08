/** The Provider over node:fs: the ten operations. */
import { userInfo } from "node:os";
import { resolve } from "node:path";
import { StoreError, bytesFrom } from "../../store/index.ts";
import type {
  Account,
  Call,
  Capabilities,
  CopyCall,
  DeleteCall,
  Entry,
  ListCall,
  MkdirCall,
  MoveCall,
  Page,
  Provider,
  ProviderRead,
  ReadCall,
  Space,
  StatCall,
  WriteCall,
} from "../../store/index.ts";
import { capabilitiesOf } from "./capabilities.ts";
import type { DiskTraits } from "./capabilities.ts";
import { disk, errnoOf, unless } from "./disk.ts";
import { notOurs, translate } from "./errors.ts";
import { entryOf, modifiedOf, tellsBirth } from "./facts.ts";
import { listPage } from "./listing.ts";
import { Maker } from "./maker.ts";
import type { MakerOptions } from "./maker.ts";
import { Mover } from "./mover.ts";
import { diskNames, toNative } from "./names.ts";
import type { Names, Native } from "./names.ts";
import { bytesOf, clampTo, openFile } from "./read-file.ts";
import { Root } from "./root.ts";
import type { Found } from "./root.ts";
import { clearStale, removeTree, sweep } from "./trees.ts";

export interface LocalParts extends MakerOptions, DiskTraits {
  readonly directory: string;
  readonly createRoot: boolean;
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
    this.#parts = parts;
    this.#directory = resolve(parts.directory);
    this.#names = diskNames(parts.profile.names);
    this.capabilities = capabilitiesOf(parts, this.#directory);
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
      if (errno === "ENOENT" && !createRoot)
        throw new StoreError("config", "the directory of this store does not exist; the option createRoot makes it", { applied: false, cause: error });
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
      const file = await openFile(this.#root, path);
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

  list(call: ListCall): Promise<Page> {
    return this.#run(() => listPage(call, this.#maker, this.#names));
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
      if (!stat.isDirectory())
        await unless(
          this.#maker.busy(() => disk.unlink(place.full)),
          "ENOENT",
        );
      else if (call.recursive) await removeTree(call, place.full, this.#names);
      else await this.#removeDirectory(place.full);
      await this.#maker.flush(place.directory);
    });
  }

  async #removeDirectory(directory: Native): Promise<void> {
    try {
      await unless(
        this.#maker.busy(() => disk.rmdir(directory)),
        "ENOENT",
      );
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
      const source = await openFile(this.#root, path);
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
