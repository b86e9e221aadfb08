/** A body that another one goes on with where it breaks off. */
import { byteStream } from "./byte-stream.ts";
import type { ByteStream } from "./byte-stream.ts";

export interface Continuing {
  /** Of the whole; null: unknown. */
  readonly length: number | null;
  readonly first: ByteStream;
  /** The rest, from `got` bytes on. Throws where there is none. */
  again(error: unknown, got: number): Promise<ByteStream>;
  /** Before a chunk is let go; `got` counts it. What it throws goes to `again`, too. */
  seen?(chunk: Uint8Array, got: number): void;
  /** The reader leaves: whatever `again` waits for ends. */
  left?(): void;
}

export function continued({ length, first, again, seen, left }: Continuing): ByteStream {
  let body = first;
  let got = 0;
  let closed = false;
  return byteStream({
    length,
    async pull() {
      for (;;) {
        try {
          const chunk = await body.pull();
          if (chunk === undefined) return undefined;
          got += chunk.byteLength;
          seen?.(chunk, got);
          return chunk;
        } catch (error) {
          body = await again(error, got);
          // The reader left while the rest was asked for.
          if (closed) await body.close();
        }
      }
    },
    close() {
      closed = true;
      left?.();
      return body.close();
    },
  });
}
