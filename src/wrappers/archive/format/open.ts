/** Opening an archive from its end: footer, manifest, every bound. One read where the name says how many blocks it takes. */
import { decodeManifest } from "./decode.ts";
import { damaged } from "./faults.ts";
import { FOOTER_BYTES, decodeFooter, hexSha256 } from "./footer.ts";
import { unpack } from "./gzip.ts";
import type { LineRules } from "./lines.ts";
import type { ArchiveName } from "./names.ts";
import type { Manifest } from "./records.ts";
import { BLOCK } from "./tar.ts";

export interface OpenRules extends LineRules {
  readonly checksManifestHash: boolean;
  readonly limitsUnpacking: boolean;
}
export interface OpenLimits {
  readonly maxManifestBytes: number;
}
/** The bytes from `offset` to the end of the object, or exactly `length` of them. */
export type ReadPart = (offset: number, length: number) => Promise<Uint8Array>;

export interface OpenedArchive {
  readonly manifest: Manifest;
  /** Members end at or before this offset. */
  readonly dataEnd: number;
}

/** More than this behind the manifest no writer of version 1 puts. */
const SLACK_BYTES = 1 << 20;

/** @throws StoreError `corrupt`, `unsupported` (newer version), and whatever `read` throws */
export async function openArchive(name: ArchiveName, size: number, read: ReadPart, limits: OpenLimits, rules: OpenRules): Promise<OpenedArchive> {
  const asked = name.blocks * BLOCK;
  if (asked > limits.maxManifestBytes + SLACK_BYTES) throw damaged("the name says that the manifest is larger than this reader takes");
  if (size < FOOTER_BYTES + BLOCK) throw damaged("the object is too short for an archive");
  const start = Math.max(0, size - Math.max(asked, FOOTER_BYTES));
  const end = await read(start, size - start);
  const footer = decodeFooter(name.id, size, end, limits);
  const gzip =
    footer.manifest >= start ? end.subarray(footer.manifest - start, footer.manifest - start + footer.bytes) : await read(footer.manifest, footer.bytes);
  if (rules.checksManifestHash && hexSha256(gzip) !== footer.sha256) throw damaged("the manifest is not the one that was written");
  const dataEnd = footer.manifest - BLOCK;
  const manifest = decodeManifest(await unpack(gzip, footer.unpacked, rules.limitsUnpacking), name.id, dataEnd, rules);
  return { manifest, dataEnd };
}
