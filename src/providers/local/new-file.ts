/**
 * A file that nobody sees until it is whole: written under a temporary name beside its target, given its time, flushed, then put in place in one step.
 *
 *   await using file = await NewFile.create(directory, options);
 *   await file.fill(stream);
 *   await file.finish(modifiedMs);      // after this only a rename or a link is missing; undone on disposal if that never comes
 */
import { StoreError } from "../../store/index.ts";
import type { ByteStream } from "../../store/index.ts";
import { child, disk, unless } from "./disk.ts";
import type { Stat } from "./disk.ts";
import { modifiedOf, timeOf } from "./facts.ts";
import { temporaryName } from "./names.ts";
import type { Native } from "./names.ts";

export interface NewFileOptions {
  readonly fileMode: number;
  readonly flush: boolean;
  readonly random: () => number;
}

export class NewFile implements AsyncDisposable {
  readonly path: Native;
  readonly #fd: number;
  readonly #flush: boolean;
  #open = true;
  #placed = false;

  private constructor(path: Native, fd: number, flush: boolean) {
    this.path = path;
    this.#fd = fd;
    this.#flush = flush;
  }

  static async create(directory: Native, { fileMode, flush, random }: NewFileOptions): Promise<NewFile> {
    for (let tries = 1; ; tries++) {
      const path = child(directory, temporaryName(random));
      const fd = await unless(disk.openNew(path, fileMode), "EEXIST");
      if (fd !== undefined) return new NewFile(path, fd, flush);
      if (tries === 10) throw new StoreError("config", "the random numbers given to this store repeat themselves", { applied: false });
    }
  }

  /** The stream hears the signal of the call itself, and fails. */
  async fill(stream: ByteStream): Promise<void> {
    for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) await disk.write(this.#fd, chunk);
  }

  /** `given`: the caller's own time, which is kept or refused. */
  async finish(ms: number, given: boolean): Promise<Stat> {
    await disk.futimes(this.#fd, timeOf(ms));
    if (this.#flush) await disk.fsync(this.#fd);
    const stat = await disk.fstat(this.#fd);
    if (given && modifiedOf(stat) !== ms) throw new StoreError("unsupported", "the file system cannot keep this modified time", { applied: false });
    await this.#close();
    return stat;
  }

  /** The temporary name is gone: it was renamed, or linked and is removed now. */
  async placed(linked: boolean): Promise<void> {
    this.#placed = true;
    // The file is in place; a name left over is hidden, and swept later.
    if (linked) await disk.unlink(this.path).catch(() => {});
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await disk.close(this.#fd);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#placed) return;
    // What went wrong before explains the failure better than what goes wrong here; a name left over is hidden, and swept later.
    await this.#close().catch(() => {});
    await disk.unlink(this.path).catch(() => {});
  }
}
