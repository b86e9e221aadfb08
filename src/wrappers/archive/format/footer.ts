/** The end of an archive: the last 2,048 bytes say where its manifest is and what it hashes to. */
import { createHash } from "node:crypto";
import { damaged, newer } from "./faults.ts";
import { VERSION } from "./encode.ts";
import { BLOCK, memberHeader, plainTime } from "./tar.ts";

/** Header, footer, two zero blocks. */
export const FOOTER_BYTES: number = 4 * BLOCK;

export interface Footer {
  /** Bytes of the whole object. */
  readonly size: number;
  /** Offset, length and unpacked length of the manifest's gzip, and the hex SHA-256 of its bytes. */
  readonly manifest: number;
  readonly bytes: number;
  readonly unpacked: number;
  readonly sha256: string;
}

export function encodeFooter(id: string, timeMs: number, { size, manifest, bytes, unpacked, sha256 }: Footer): Buffer {
  const out = Buffer.alloc(FOOTER_BYTES);
  memberHeader({ name: `.stratus/${id}.json`, directory: false, size: BLOCK, modifiedMs: plainTime(timeMs) }).copy(out);
  out.fill(" ", BLOCK, 2 * BLOCK - 1);
  out.write(JSON.stringify({ stratus: "archive", version: VERSION, id, size, manifest, bytes, unpacked, sha256 }), BLOCK);
  out.write("\n", 2 * BLOCK - 1);
  return out;
}

/**
 * From the end of an object of `size` bytes. @throws StoreError `corrupt`: no footer, or one that cannot be right; `unsupported`: of a newer version
 */
export function decodeFooter(id: string, size: number, end: Uint8Array, limits: { readonly maxManifestBytes: number }): Footer {
  if (end.byteLength < FOOTER_BYTES) throw damaged("the object is too short for an archive");
  const at = end.byteLength - FOOTER_BYTES + BLOCK;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(end.subarray(at, at + BLOCK)));
  } catch {
    throw damaged("the object has no footer: it is no archive, cut, or still under way");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged("the object has no footer");
  const footer = value as Readonly<Record<string, unknown>>;
  if (footer["stratus"] !== "archive") throw damaged("the footer is not one of an archive");
  if (count(footer["version"]) > VERSION) throw newer("the archive was written by a newer version");
  if (footer["version"] === 0 || footer["id"] !== id) throw damaged("the footer is that of another archive");
  if (footer["size"] !== size) throw damaged("the object has another size than its footer says");
  const [manifest, bytes, unpacked] = [count(footer["manifest"]), count(footer["bytes"]), count(footer["unpacked"])];
  const sha256 = footer["sha256"];
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) throw damaged("the footer has no hash");
  if (manifest < BLOCK || manifest + bytes > size - FOOTER_BYTES) throw damaged("the manifest lies outside of the archive");
  if (unpacked > limits.maxManifestBytes || bytes > limits.maxManifestBytes) throw damaged("the manifest is larger than this reader takes");
  return { size, manifest, bytes, unpacked, sha256 };
}

function count(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw damaged("a number of the footer is not valid");
  return value;
}

export function hexSha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
