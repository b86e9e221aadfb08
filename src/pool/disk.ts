/** The directory of the cache, and its files by their hash. */
import { LocalFiles, digestFile, digestOf, onDiskOf } from "../local-files/index.ts";
import { abortError } from "../store/index.ts";

export interface Written {
  readonly hash: string;
  readonly size: number;
}

/** Errors of the disk in our codes. */
export const onDisk: ReturnType<typeof onDiskOf> = onDiskOf("cache directory");

const written = ({ sha256, size }: { readonly sha256: string; readonly size: number }): Written => ({ hash: sha256, size });

export class Disk extends LocalFiles {
  constructor(directory: string) {
    super(directory, onDisk);
  }

  /** Into a new file, flushed. `before` is asked for each chunk, and may wait or refuse. On failure nothing is left. */
  async write(
    path: string,
    chunks: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
    before: (bytes: number) => Promise<void> | void,
  ): Promise<Written> {
    return written(await this.writeNew(path, chunks, digestOf("sha256"), signal, before));
  }
}

/** Of bytes that are not kept. */
export async function hashOfBytes(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined, before: (bytes: number) => void): Promise<Written> {
  const digest = digestOf("sha256");
  for await (const chunk of chunks) {
    if (signal?.aborted === true) throw abortError(signal, { applied: false });
    before(chunk.byteLength);
    digest.update(chunk);
  }
  return written(digest.end());
}

/** Null where the file is missing. */
export async function hashOfFile(path: string, signal?: AbortSignal): Promise<Written | null> {
  const found = await digestFile(onDisk, path, digestOf("sha256"), signal);
  return found === null ? null : written(found);
}
