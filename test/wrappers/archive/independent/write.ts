/**
 * Writes archives from docs/formats/archive.md alone, also wrong ones: any step can be replaced.
 *
 *     const { name, bytes } = writeArchive({ head, members: [{ kind: "file", path: "/a", body: Buffer.from("x"), modifiedMs: 0 }] });
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { encodeLine, lineOrder } from "./manifest.ts";
import type { Claim, Extra, Head, Line, ReferenceRecord, Stamp, Tombstone } from "./manifest.ts";
import { header, memberHeader, padding } from "./tar.ts";

export interface FileMember {
  readonly kind: "file";
  readonly path: string;
  readonly body: Uint8Array;
  readonly modifiedMs: number;
  readonly stamp?: Stamp;
  readonly extra?: Extra;
}
export interface DirectoryMember {
  readonly kind: "directory";
  readonly path: string;
  readonly modifiedMs: number;
  readonly stamp?: Stamp;
}
export type AnyMember = FileMember | DirectoryMember | ReferenceRecord | Tombstone | Claim;

/** What can be made wrong. Each gets what is right and gives what is written instead. */
export interface Wrong {
  /** Blocks before the first member: foreign members, links, devices. */
  readonly before?: Buffer;
  readonly lines?: (lines: readonly Line[]) => readonly Line[];
  /** The whole text of the manifest. */
  readonly text?: (text: string) => string | Buffer;
  readonly gzip?: (packed: Buffer, text: Buffer) => Buffer;
  readonly footer?: (footer: Record<string, unknown>) => Record<string, unknown> | string;
  readonly blocks?: (blocks: number) => number;
}

export interface Written {
  /** Of the object: `<id>.<blocks>.tar`. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly lines: readonly Line[];
  /** Of the manifest's gzip. */
  readonly manifest: { readonly offset: number; readonly bytes: number };
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}

/** `<time>-<writer>-<count>` */
export function archiveId(timeMs: number, writer: string, count: number): string {
  return `${timeMs.toString(36).padStart(9, "0")}-${writer}-${count.toString(36)}`;
}

export function writeArchive(head: Head, members: readonly AnyMember[], wrong: Wrong = {}): Written {
  const parts: Buffer[] = [];
  let length = 0;
  const put = (part: Uint8Array): void => {
    parts.push(Buffer.from(part));
    length += part.length;
  };
  const own: Stamp = [head.time, head.writer];
  if (wrong.before !== undefined) put(wrong.before);
  const lines: Line[] = [];
  const byPath = (member: AnyMember): Buffer => Buffer.from("path" in member ? member.path : "");
  for (const member of [...members].sort((a, b) => Buffer.compare(byPath(a), byPath(b)))) {
    if (member.kind === "directory") {
      put(memberHeader({ name: `${member.path.slice(1)}/`, size: 0, modifiedMs: member.modifiedMs, type: "5" }));
      lines.push({ kind: "d", path: member.path, modifiedMs: member.modifiedMs, stamp: member.stamp ?? own });
    } else if (member.kind === "file") {
      const { path, body, modifiedMs, extra } = member;
      put(memberHeader({ name: path.slice(1), size: body.length, modifiedMs, type: "0" }));
      lines.push({ kind: "f", path, offset: length, size: body.length, modifiedMs, sha256: sha256(body), stamp: member.stamp ?? own, extra: extra ?? null });
      put(body);
      put(padding(body.length));
    } else lines.push(member);
  }
  const ordered = wrong.lines?.([...lines].sort(lineOrder)) ?? [...lines].sort(lineOrder);
  const head1 = JSON.stringify({ stratus: "archive", version: 1, id: head.id, writer: head.writer, time: head.time, lines: ordered.length });
  const right = `${head1}\n${ordered.map((line) => `${encodeLine(line, head)}\n`).join("")}`;
  const text = Buffer.from(wrong.text?.(right) ?? right);
  const rightGzip = gzipSync(text);
  const packed = wrong.gzip?.(rightGzip, text) ?? rightGzip;
  const start = length;
  put(memberHeader({ name: `.stratus/${head.id}.jsonl.gz`, size: packed.length, modifiedMs: head.time, type: "0" }));
  const offset = length;
  put(packed);
  put(padding(packed.length));
  put(header({ name: `.stratus/${head.id}.json`, mode: 0o644, size: 512, seconds: Math.floor(head.time / 1000), type: "0" }));
  const size = length + 512 + 1024;
  const hash = createHash("sha256").update(packed).digest("hex");
  const rightFooter = { stratus: "archive", version: 1, id: head.id, size, manifest: offset, bytes: packed.length, unpacked: text.length, sha256: hash };
  const footer = wrong.footer?.(rightFooter) ?? rightFooter;
  put(Buffer.from(`${(typeof footer === "string" ? footer : JSON.stringify(footer)).padEnd(511)}\n`).subarray(0, 512));
  put(Buffer.alloc(1024));
  const blocks = (length - start) / 512;
  return {
    name: `${head.id}.${wrong.blocks?.(blocks) ?? blocks}.tar`,
    bytes: Buffer.concat(parts),
    lines: ordered,
    manifest: { offset, bytes: packed.length },
  };
}
