/** A body that another one goes on with where it breaks off. */
import { byteStream } from "../../store/index.ts";
import type { ByteStream } from "../../store/index.ts";

export interface Continuing {
  readonly length: number;
  readonly first: ByteStream;
  /** The rest, from `got` bytes on. Throws where there is none. */
  again(error: unknown, got: number): Promise<ByteStream>;
  /** Before a chunk is let go; `got` counts it. What it throws goes to `again`, too. */
  seen?(chunk: Uint8Array, got: number): void;
}

export function continued({ length, first, again, seen }: Continuing): ByteStream {
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
      return body.close();
    },
  });
}
