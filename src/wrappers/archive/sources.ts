/** Bodies of archives: the chunks as they are, without a further copy. */
import { byteStream } from "../../store/index.ts";
import type { ByteStream, Source } from "../../store/index.ts";
import type { StepHook } from "./steps.ts";

/** Up to this size one piece is simpler for everybody below than a stream. */
const ONE_PIECE_BYTES = 1 << 20;

export function chunksSource(chunks: readonly Uint8Array[], size: number, step: StepHook): Source | Uint8Array {
  return size <= ONE_PIECE_BYTES ? Buffer.concat(chunks) : new ChunksSource(chunks, size, step);
}

class ChunksSource implements Source {
  readonly size: number;
  readonly replayable = true;
  readonly inMemory = false;
  opened = false;
  readonly #chunks: readonly Uint8Array[];
  readonly #step: StepHook;

  constructor(chunks: readonly Uint8Array[], size: number, step: StepHook) {
    this.#chunks = chunks;
    this.size = size;
    this.#step = step;
  }

  open(range?: { readonly offset: number; readonly length?: number | undefined }): ByteStream {
    this.opened = true;
    let skip = range?.offset ?? 0;
    let left = range?.length ?? this.size - skip;
    const length = left;
    let next = 0;
    return byteStream({
      length,
      pull: () => {
        while (left > 0 && next < this.#chunks.length) {
          const chunk = this.#chunks[next++] as Uint8Array;
          if (chunk.byteLength <= skip) {
            skip -= chunk.byteLength;
            continue;
          }
          this.#step("chunk");
          const part = chunk.subarray(skip, skip + left);
          skip = 0;
          left -= part.byteLength;
          return part;
        }
        return undefined;
      },
    });
  }
}
