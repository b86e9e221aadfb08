/**
 * Cuts a stream into parts and sends some of them at once, each from a buffer that is used again when its part has arrived: memory is
 * `partSize` times `inFlight`, whatever the length.
 *
 *   const parts = await sendParts(stream, 8 << 20, 4, (number, bytes) => putPart(number, bytes));
 */
import type { ByteStream } from "../../store/index.ts";

/**
 * Results in the order of the parts. An empty stream is one empty part. After a failure of the stream or of a part nothing more is read or
 * sent; rejects with the first failure when everything under way has ended.
 */
export async function sendParts<T>(
  stream: ByteStream,
  partSize: number,
  inFlight: number,
  send: (number: number, bytes: Uint8Array) => Promise<T>,
): Promise<T[]> {
  const sent: T[] = [];
  const running = new Set<Promise<void>>();
  const spare: Uint8Array<ArrayBuffer>[] = [];
  const cut = cutter(stream);
  let failed: { readonly error: unknown } | undefined;
  try {
    for (let number = 1; failed === undefined; number++) {
      const buffer = spare.pop() ?? new Uint8Array(partSize);
      const filled = await cut(buffer);
      if (filled === 0 && number > 1) break;
      const part = send(number, buffer.subarray(0, filled))
        .then(
          (result) => {
            sent[number - 1] = result;
            spare.push(buffer);
          },
          (error: unknown) => void (failed ??= { error }),
        )
        .finally(() => running.delete(part));
      running.add(part);
      if (filled < partSize) break;
      if (running.size >= inFlight) await Promise.race(running);
    }
  } catch (error) {
    failed ??= { error };
  }
  await Promise.all(running);
  // Now, not at some later collection: a download that follows would add its own garbage to them.
  for (const buffer of spare) buffer.buffer.transfer(0);
  if (failed !== undefined) throw failed.error;
  return sent;
}

/** Fills buffers with the stream, one after the other; fewer bytes than asked for: it has ended. */
function cutter(stream: ByteStream): (buffer: Uint8Array) => Promise<number> {
  let rest: Uint8Array | undefined;
  return async (buffer) => {
    let filled = 0;
    while (filled < buffer.byteLength) {
      rest ??= await stream.pull();
      if (rest === undefined) break;
      const piece = rest.subarray(0, buffer.byteLength - filled);
      buffer.set(piece, filled);
      filled += piece.byteLength;
      rest = piece.byteLength === rest.byteLength ? undefined : rest.subarray(piece.byteLength);
    }
    return filled;
  };
}
