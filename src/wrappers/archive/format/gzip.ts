/** Gzip of manifests: the same bytes on every platform, and unpacked only as far as the footer allows. */
import { promisify } from "node:util";
import { gunzip as gunzipLater, gzip as gzipLater, gzipSync } from "node:zlib";
import { damaged } from "./faults.ts";

const packLater = promisify<Uint8Array, object, Buffer>(gzipLater);
const unpackLater = promisify<Uint8Array, object, Buffer>(gunzipLater);

export async function pack(text: string): Promise<Buffer> {
  return unmarked(await packLater(Buffer.from(text), { level: 6 }));
}

/** Stored blocks: the length follows from that of the text alone. */
export function packStored(text: string): Buffer {
  return unmarked(gzipSync(Buffer.from(text), { level: 0 }));
}

/** The header's byte for the operating system says "unknown". */
function unmarked(gzip: Buffer): Buffer {
  gzip[9] = 255;
  return gzip;
}

/** Exactly `unpacked` bytes. @throws StoreError `corrupt` */
export async function unpack(gzip: Uint8Array, unpacked: number, limited: boolean): Promise<Buffer> {
  let text: Buffer;
  try {
    // A limit of 0 means none to zlib.
    text = await unpackLater(gzip, limited ? { maxOutputLength: Math.max(1, unpacked) } : {});
  } catch (error) {
    throw error instanceof RangeError ? damaged("the manifest unpacks to more than its footer says") : damaged("the manifest does not unpack");
  }
  if (text.length !== unpacked) throw damaged("the manifest unpacks to another length than its footer says");
  return text;
}
