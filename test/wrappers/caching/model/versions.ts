/** What stands in a file, made of a number: bytes, type and metadata of version n, and which version some bytes are. */
import type { Entry } from "../../../../src/store/index.ts";

/** Small enough for the journal, or a content file of its own (programs set `inlineBytes` between the two). Empty: the same bytes as others, and another type. */
export type Size = "empty" | "small" | "large";
export const INLINE_BYTES = 64;

const SIZE_BYTES = { empty: 0, small: 24, large: 200 };

export interface Version {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
}

/** Bytes of version n begin with "v<n>|"; every part of them tells n, so that a mix of two versions is none. */
export class Versions {
  readonly #sizes: Size[] = [];

  /** The number of a new version. */
  add(size: Size): number {
    return this.#sizes.push(size) - 1;
  }
  get(version: number): Version {
    const size = this.#sizes[version];
    if (size === undefined) throw new Error(`there is no version ${version}`);
    const mark = `v${version}|`;
    return {
      bytes: Buffer.from(mark.repeat(Math.ceil(SIZE_BYTES[size] / mark.length)).slice(0, SIZE_BYTES[size])),
      contentType: version % 3 === 1 || size === "empty" ? `text/x-${version}` : undefined,
      metadata: version % 2 === 1 ? { version: String(version) } : undefined,
    };
  }
  /** The version that these bytes are whole; undefined for any others. Empty ones are told by their type. */
  of(bytes: Uint8Array, contentType: string | null = null): number | undefined {
    if (bytes.length === 0) {
      const version = Number(/^text\/x-(\d+)$/.exec(contentType ?? "")?.[1] ?? NaN);
      return this.#sizes[version] === "empty" ? version : undefined;
    }
    const number = /^v(\d+)\|/.exec(Buffer.from(bytes.subarray(0, 12)).toString("latin1"))?.[1];
    if (number === undefined || this.#sizes[Number(number)] === undefined) return undefined;
    return Buffer.compare(bytes, this.get(Number(number)).bytes) === 0 ? Number(number) : undefined;
  }
  /** What an entry says that is not so of this version; undefined: all is. */
  fault(version: number, entry: Pick<Entry, "kind" | "size" | "contentType" | "metadata" | "complete">): string | undefined {
    const { bytes, contentType, metadata } = this.get(version);
    if (entry.kind !== "file") return `a file is told as a ${entry.kind}`;
    if (entry.size !== bytes.length) return `size ${entry.size}, and it has ${bytes.length}`;
    if (!entry.complete) return undefined;
    if (entry.contentType !== (contentType ?? null)) return `type ${entry.contentType}, and it is ${contentType}`;
    const told = JSON.stringify(entry.metadata ?? {});
    return told === JSON.stringify(metadata ?? {}) ? undefined : `metadata ${told}, and they are ${JSON.stringify(metadata)}`;
  }
}
