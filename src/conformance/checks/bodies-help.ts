/** Bodies of every kind with given bytes. */
import { Readable } from "node:stream";
import type { Body, ByteRange, Reopenable } from "../../store/index.ts";
import { pattern, pieces } from "../assert.ts";

export function webStream(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller): void {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + size));
        at += size;
      },
    },
    { highWaterMark: 0 },
  );
}

async function* generated(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export function reopenable(bytes: Uint8Array, size: number | null | undefined): Reopenable {
  return {
    ...(size === undefined ? {} : { size }),
    open(range?: ByteRange): AsyncIterable<Uint8Array> {
      const offset = range?.offset ?? 0;
      return pieces(bytes.subarray(offset, range?.length === undefined ? undefined : offset + range.length), 700);
    },
  };
}

/** One body of each kind, all with these bytes, made when it is needed. */
export function kinds(bytes: Uint8Array<ArrayBuffer>): Readonly<Record<string, { readonly known: boolean; readonly body: () => Body }>> {
  return {
    Uint8Array: { known: true, body: () => bytes },
    Buffer: { known: true, body: () => Buffer.from(bytes) },
    "view into a larger buffer": { known: true, body: () => view(bytes) },
    Blob: { known: true, body: () => new Blob([bytes.slice(0, 10), bytes.slice(10)]) },
    "web stream": { known: false, body: () => webStream(bytes, 1000) },
    "stream of a Blob": { known: false, body: () => new Blob([bytes]).stream() },
    "async generator": { known: false, body: () => generated(bytes, 1000) },
    "async iterable": { known: false, body: () => pieces(bytes, 1000) },
    "Node stream": {
      known: false,
      body: () =>
        Readable.from(
          Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, i) => Buffer.from(bytes.subarray(i * 1000, i * 1000 + 1000))),
          { objectMode: false },
        ),
    },
    "Reopenable of known size": { known: true, body: () => reopenable(bytes, bytes.length) },
    "Reopenable of unknown size": { known: false, body: () => reopenable(bytes, null) },
    "Reopenable that says nothing of its size": { known: false, body: () => reopenable(bytes, undefined) },
  };
}

/** The bytes in the middle of a larger ArrayBuffer, as Node's pool and network code hand them out. */
export function view(bytes: Uint8Array): Uint8Array {
  const large = pattern(bytes.length + 200, "around");
  large.set(bytes, 100);
  return large.subarray(100, 100 + bytes.length);
}
