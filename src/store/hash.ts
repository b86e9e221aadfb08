/** The one implementation of each hash, those that node:crypto lacks included. */
import { createHash } from "node:crypto";
import type { HashName } from "./entry.ts";

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hexadecimal. Ends the hasher. */
  hex(): string;
}

/** Hexadecimal digits of each hash. */
export const hashDigits: Readonly<Record<HashName, number>> = { md5: 32, sha1: 40, sha256: 64, sha512: 128, crc32c: 8, dropbox: 64 };

export function hasher(name: HashName): Hasher {
  if (name === "crc32c") return crc32c();
  if (name === "dropbox") return dropbox();
  const hash = createHash(name);
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

/** Castagnoli's polynomial, reflected (RFC 3720, appendix B.4), eight bytes a step. */
const CRC_TABLES: readonly Uint32Array[] = (() => {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  const first = tables[0] as Uint32Array;
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1;
    first[n] = c >>> 0;
  }
  for (let t = 1; t < 8; t++) {
    const before = tables[t - 1] as Uint32Array;
    const table = tables[t] as Uint32Array;
    for (let n = 0; n < 256; n++) {
      const c = before[n] as number;
      table[n] = ((first[c & 0xff] as number) ^ (c >>> 8)) >>> 0;
    }
  }
  return tables;
})();

function crc32c(): Hasher {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = CRC_TABLES as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let crc = 0xffffffff;
  return {
    update(bytes) {
      let c = crc;
      let i = 0;
      const at = (k: number): number => bytes[k] as number;
      for (const end = bytes.length - 7; i < end; i += 8) {
        const low = c ^ (at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24));
        c =
          (t7[low & 0xff] as number) ^
          (t6[(low >>> 8) & 0xff] as number) ^
          (t5[(low >>> 16) & 0xff] as number) ^
          (t4[low >>> 24] as number) ^
          (t3[at(i + 4)] as number) ^
          (t2[at(i + 5)] as number) ^
          (t1[at(i + 6)] as number) ^
          (t0[at(i + 7)] as number);
      }
      for (; i < bytes.length; i++) c = (t0[(c ^ at(i)) & 0xff] as number) ^ (c >>> 8);
      crc = c >>> 0;
    },
    hex: () => ((crc ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0"),
  };
}

const DROPBOX_BLOCK = 4 << 20;

/** SHA-256 over the SHA-256 of each block of 4 MiB (dropbox.com/developers/reference/content-hash). */
function dropbox(): Hasher {
  const whole = createHash("sha256");
  let block = createHash("sha256");
  let filled = 0;
  return {
    update(bytes) {
      for (let at = 0; at < bytes.length;) {
        const part = bytes.subarray(at, at + DROPBOX_BLOCK - filled);
        block.update(part);
        at += part.length;
        filled += part.length;
        if (filled === DROPBOX_BLOCK) {
          whole.update(block.digest());
          block = createHash("sha256");
          filled = 0;
        }
      }
    },
    hex() {
      if (filled > 0) whole.update(block.digest());
      return whole.digest("hex");
    },
  };
}
