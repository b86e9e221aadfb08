/**
 * An archive of one streamed member. Its name and size are known before the first byte is sent, its stamp and hash after the last one: the manifest is
 * stored unpacked, and what is not known yet has a fixed width.
 */
import { tailOf } from "./build.ts";
import { encodeManifest } from "./encode.ts";
import { packStored } from "./gzip.ts";
import type { DirectoryRecord, FileRecord, Manifest } from "./records.ts";
import { stampOf } from "./records.ts";
import { MAX_TIME_MS } from "./stamp.ts";
import type { Stamp } from "./stamp.ts";
import { memberHeader, padded, paddingBytes } from "./tar.ts";

export interface SoloFile extends Omit<FileRecord, "kind" | "offset" | "stamp" | "sha256"> {
  /** One that the record keeps: bytes of another installation, taken over. Undefined: the archive's own. */
  readonly stamp: Stamp | undefined;
}
export interface SoloPlan {
  readonly id: string;
  readonly writer: string;
  readonly file: SoloFile;
  /** Missing ancestors, made together with the file. */
  readonly directories: readonly Omit<DirectoryRecord, "kind" | "stamp">[];
}

const TIME_WIDTH = String(MAX_TIME_MS).length;
const NO_HASH = "A".repeat(43);

export class SoloLayout {
  /** What stands before the body. */
  readonly head: Buffer;
  readonly object: string;
  readonly size: number;
  readonly blocks: number;
  readonly #plan: SoloPlan;
  readonly #offset: number;

  constructor(plan: SoloPlan) {
    this.#plan = plan;
    const { path, size, modifiedMs } = plan.file;
    const directories = plan.directories.map((one) => memberHeader({ name: one.path.slice(1), directory: true, size: 0, modifiedMs: one.modifiedMs }));
    this.head = Buffer.concat([...directories, memberHeader({ name: path.slice(1), directory: false, size, modifiedMs })]);
    this.#offset = this.head.length;
    // A tail with made-up time and hash has the length of the right one.
    const draft = this.tail(0, NO_HASH);
    this.object = draft.object;
    this.size = draft.size;
    this.blocks = draft.blocks;
  }

  /** Padding of the body, manifest and footer. */
  tail(timeMs: number, sha256: string): ReturnType<typeof tailOf> & { readonly manifest: Manifest; readonly dataEnd: number } {
    const { id, writer, file, directories } = this.#plan;
    const own = stampOf({ timeMs, writer });
    const manifest: Manifest = {
      id,
      writer,
      timeMs,
      records: [
        ...directories.map((one) => ({ kind: "directory" as const, ...one, stamp: own })),
        { kind: "file", ...file, stamp: file.stamp ?? own, offset: this.#offset, sha256 },
      ],
      tombstones: [],
      claims: [],
    };
    const dataEnd = this.#offset + padded(file.size);
    const text = encodeManifest(manifest, TIME_WIDTH);
    const tail = tailOf(manifest, dataEnd, text, packStored(text));
    return { ...tail, chunks: [paddingBytes(file.size), ...tail.chunks], manifest, dataEnd };
  }
}
