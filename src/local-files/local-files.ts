/** A directory of whole files: `files` with what is kept, `incoming` with what is not whole yet. Nothing here knows the catalogue. */
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { abortError, syncDirectory } from "../store/index.ts";
import type { Digest } from "./digest.ts";
import { absent } from "./disk-errors.ts";
import type { OnDisk } from "./disk-errors.ts";

export class LocalFiles {
  readonly directory: string;
  readonly #onDisk: OnDisk;
  readonly #parts: readonly string[];
  #count = 0;

  /** `parts`: directories beside the two. */
  constructor(directory: string, onDisk: OnDisk, parts: readonly string[] = []) {
    this.directory = directory;
    this.#onDisk = onDisk;
    this.#parts = parts;
  }

  file(name: string): string {
    return join(this.directory, "files", name);
  }

  /** Removes what never became whole. */
  async prepare(): Promise<void> {
    await this.#onDisk(async () => {
      await rm(join(this.directory, "incoming"), { recursive: true, force: true });
      for (const part of ["files", "incoming", ...this.#parts]) await mkdir(join(this.directory, part), { recursive: true, mode: 0o700 });
      await syncDirectory(this.directory);
    });
  }

  names(): Promise<string[]> {
    return this.#onDisk(() => readdir(join(this.directory, "files")));
  }

  /** Null where there is none. */
  size(name: string): Promise<number | null> {
    return this.#onDisk(async () => {
      const found = await stat(this.file(name)).catch(absent);
      return found?.isFile() === true ? found.size : null;
    });
  }

  incoming(): string {
    return join(this.directory, "incoming", String((this.#count += 1)));
  }

  /** Into a new file, flushed. `before` is asked for each chunk, and may wait or refuse. On failure nothing is left. */
  async writeNew<T>(
    path: string,
    chunks: AsyncIterable<Uint8Array>,
    digest: Digest<T>,
    signal: AbortSignal | undefined,
    before: (bytes: number) => Promise<void> | void = () => {},
  ): Promise<T> {
    const file = await this.#onDisk(() => open(path, "wx", 0o600));
    try {
      try {
        for await (const chunk of chunks) {
          if (signal?.aborted === true) throw abortError(signal, { applied: false });
          await before(chunk.byteLength);
          digest.update(chunk);
          await this.#onDisk(() => file.appendFile(chunk));
        }
        await this.#onDisk(() => file.sync());
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return digest.end();
  }

  /** The name is on the disk too when this resolves. */
  keep(path: string, name: string): Promise<void> {
    return this.#onDisk(async () => {
      await rename(path, this.file(name));
      await syncDirectory(join(this.directory, "files"));
    });
  }

  drop(name: string): Promise<void> {
    return this.#onDisk(() => rm(this.file(name), { force: true }));
  }
}
