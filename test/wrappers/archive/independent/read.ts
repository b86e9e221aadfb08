/** Reads an archive as docs/formats/archive.md says, and checks every sentence of that page that a single archive can break. */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { decodeLine, lineOrder } from "./manifest.ts";
import type { FileRecord, Head, Line } from "./manifest.ts";
import { parseHeader, walkTar } from "./tar.ts";

export const ARCHIVE_NAME = /^(([0-9a-z]{9})-([a-z2-7]{10})-([1-9a-z][0-9a-z]{0,8}))\.([1-9][0-9]{0,8})\.(tar|tails\.tar)$/;

export interface Opened {
  readonly head: Head;
  readonly lines: readonly Line[];
  readonly count: number;
  readonly bytes: Buffer;
}

/** @throws Error that says what is wrong; also where `bytes` are right for a lenient reader and not as this format is written. */
export function readArchive(objectName: string, bytes: Uint8Array): Opened {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = ARCHIVE_NAME.exec(objectName);
  if (name === null || name[6] !== "tar") throw new Error(`${objectName} is no name of an archive`);
  const [, id, , writer, count, blocks] = name as unknown as readonly string[];
  if (objectName.length > 64) throw new Error(`${objectName} is longer than 64`);
  const footer = readFooter(data, id!);
  const tail = data.length - Number(blocks) * 512;
  if (tail < 0 || (footer["manifest"] as number) < tail) throw new Error(`the manifest of ${objectName} is not within its last ${blocks} blocks`);
  const { head, lines } = readManifest(data, footer, id!, writer!);
  checkMembers(data, id!, lines, head);
  return { head, lines, count: Number.parseInt(count!, 36), bytes: data };
}

function readFooter(data: Buffer, id: string): Record<string, unknown> {
  const block = data.subarray(data.length - 1536, data.length - 1024).toString("utf8");
  if (!/^\{.*\} *\n$/.test(block)) throw new Error(`no footer but ${JSON.stringify(block.slice(0, 80))}`);
  const footer = JSON.parse(block) as Record<string, unknown>;
  if (Object.keys(footer).join() !== "stratus,version,id,size,manifest,bytes,unpacked,sha256")
    throw new Error(`members of the footer: ${Object.keys(footer).join()}`);
  if (footer["stratus"] !== "archive" || footer["version"] !== 1 || footer["id"] !== id || footer["size"] !== data.length) throw new Error(`footer ${block}`);
  const mine = parseHeader(data.subarray(data.length - 2048, data.length - 1536), data.length - 2048);
  if (mine.name !== `.stratus/${id}.json` || mine.size !== 512) throw new Error(`header of the footer: ${mine.name}`);
  return footer;
}

function readManifest(data: Buffer, footer: Record<string, unknown>, id: string, writer: string): { readonly head: Head; readonly lines: readonly Line[] } {
  const at = footer["manifest"] as number;
  const packed = data.subarray(at, at + (footer["bytes"] as number));
  if (createHash("sha256").update(packed).digest("hex") !== footer["sha256"]) throw new Error("the manifest has another hash than the footer says");
  if (packed.readUInt32LE(4) !== 0) throw new Error("a time in the header of the gzip");
  const text = gunzipSync(packed);
  if (text.length !== footer["unpacked"]) throw new Error(`the manifest has ${text.length} bytes and not ${String(footer["unpacked"])}`);
  if (text.at(-1) !== 10) throw new Error("the last line has no end");
  const [first, ...rest] = text.toString("utf8").slice(0, -1).split("\n");
  const said = JSON.parse(first!) as Record<string, unknown>;
  if (said["stratus"] !== "archive" || said["version"] !== 1 || said["id"] !== id || said["writer"] !== writer || said["lines"] !== rest.length)
    throw new Error(`head ${first}`);
  const time = said["time"];
  if (!Number.isSafeInteger(time) || (time as number) < 0 || (time as number) > 2 ** 48) throw new Error(`head ${first}`);
  const head: Head = { id, writer, time: time as number };
  const lines = rest.map((line) => decodeLine(line, head));
  for (let i = 1; i < lines.length; i++) {
    const [before, here] = [lines[i - 1]!, lines[i]!];
    if (before.kind !== "o" && lineOrder(before, here) >= 0) throw new Error(`lines out of order: ${rest[i - 1]}, ${rest[i]}`);
    const record = (line: Line): boolean => line.kind === "d" || line.kind === "f" || line.kind === "r";
    if (record(before) && record(here) && "path" in before && "path" in here && before.path === here.path) throw new Error(`two records of ${here.path}`);
  }
  return { head, lines };
}

/** Manifest and tar headers say the same; every byte of the object belongs to a member. */
function checkMembers(data: Buffer, id: string, lines: readonly Line[], head: Head): void {
  const members = walkTar(data);
  const expected = lines.filter((line) => line.kind === "d" || line.kind === "f");
  if (members.length !== expected.length + 2) throw new Error(`${members.length} members for ${expected.length} records`);
  for (const [i, line] of expected.entries()) {
    const member = members[i]!;
    const named = line.kind === "d" ? `${line.path.slice(1)}/` : line.path.slice(1);
    if (member.name !== named) throw new Error(`member ${JSON.stringify(member.name)} where the manifest has ${JSON.stringify(named)}`);
    if (member.rawType !== (line.kind === "d" ? "5" : "0") || member.mode !== (line.kind === "d" ? 0o755 : 0o644)) throw new Error(`type or mode of ${named}`);
    const cut = Math.floor(line.modifiedMs / 1000) * 1000;
    if (member.modifiedMs !== (member.pax.length > 0 && line.modifiedMs >= 0 ? line.modifiedMs : cut))
      throw new Error(`time of ${named}: ${member.modifiedMs} for ${line.modifiedMs}`);
    if (line.kind === "f") checkFile(data, line, member);
    else if (member.size !== 0) throw new Error(`size of ${named}`);
  }
  const [manifest, footer] = members.slice(-2);
  if (manifest!.name !== `.stratus/${id}.jsonl.gz` || footer!.name !== `.stratus/${id}.json`)
    throw new Error("the last two members are not manifest and footer");
  const seconds = Math.floor(head.time / 1000) * 1000;
  if (manifest!.modifiedMs !== seconds || footer!.modifiedMs !== seconds) throw new Error("times of manifest and footer");
}

function checkFile(data: Buffer, line: FileRecord, member: { readonly offset: number; readonly size: number }): void {
  if (line.offset !== member.offset || line.size !== member.size)
    throw new Error(`${line.path} lies at ${member.offset}+${member.size}, the manifest says ${line.offset}+${line.size}`);
  if (
    createHash("sha256")
      .update(data.subarray(line.offset, line.offset + line.size))
      .digest("base64url") !== line.sha256
  )
    throw new Error(`bytes of ${line.path}`);
}
