/** Tar as docs/formats/archive.md 2.2 describes it, written from that page alone: headers, pax headers, and a walk over all blocks of a file. */

const BLOCK = 512;
/** With the version after its NUL. */
const MAGIC = "ustar\u000000";
/** First size that eleven octal digits cannot say. */
const HUGE_SIZE = 8 * 2 ** 30;
/** First second that eleven octal digits cannot say. */
const HUGE_SECOND = 2 ** 33;

export interface Member {
  /** Without the first "/"; a directory ends with "/". */
  readonly name: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly type: "0" | "5";
}

/** The blocks before a member's bytes: its header, after a pax header where ustar cannot say it. */
export function memberHeader({ name, size, modifiedMs, type }: Member): Buffer {
  const mode = type === "5" ? 0o755 : 0o644;
  const plain = /^[\x20-\x7e]*$/.test(name);
  const parts = plain ? splitName(name) : undefined;
  const seconds = Math.floor(modifiedMs / 1000);
  const early = modifiedMs < 0;
  if (parts !== undefined && size < HUGE_SIZE && !early && seconds < HUGE_SECOND) return header({ ...parts, mode, size, seconds, type });
  const records: Buffer[] = [];
  if (name.normalize("NFC") !== name) records.push(paxRecord("hdrcharset", "BINARY"));
  records.push(paxRecord("path", name));
  if (size >= HUGE_SIZE) records.push(paxRecord("size", String(size)));
  records.push(paxRecord("mtime", decimalSeconds(modifiedMs)));
  const body = Buffer.concat(records);
  let short = "";
  for (let i = 0; i < name.length; i++) short += name[i]! >= " " && name[i]! <= "~" ? name[i] : "_";
  short = short.slice(-60);
  return Buffer.concat([
    header({ name: `PaxHeaders/${short}`, prefix: "", mode: 0o644, size: body.length, seconds, type: "x" }),
    body,
    padding(body.length),
    header({ name: short, prefix: "", mode, size: size >= HUGE_SIZE ? HUGE_SIZE - 1 : size, seconds, type }),
  ]);
}

/** A plain name as ustar says it: whole, or at the rightmost "/" that leaves 1-155 bytes before it and 1-100 after it. */
function splitName(name: string): { readonly name: string; readonly prefix: string } | undefined {
  if (name.length <= 100) return { name, prefix: "" };
  for (let at = Math.min(155, name.length - 2); at > 0; at--) {
    if (name[at] === "/" && name.length - at - 1 <= 100) return { prefix: name.slice(0, at), name: name.slice(at + 1) };
  }
  return undefined;
}

/** Whole seconds before 1970: bsdtar reads the fraction of a negative number the wrong way round. */
function decimalSeconds(ms: number): string {
  if (ms < 0) return String(Math.floor(ms / 1000));
  return `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, "0")}`;
}

export function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

export interface RawHeader {
  readonly name: string;
  readonly prefix?: string;
  readonly mode: number;
  readonly size: number;
  readonly seconds: number;
  readonly type: string;
  readonly link?: string;
}

/** One header block, just as asked; for hostile members too (`type` "1", "2", "3"). */
export function header({ name, prefix = "", mode, size, seconds, type, link = "" }: RawHeader): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  block.write(name, 0, 100, "latin1");
  block.write(octal(mode, 7), 100, "latin1");
  block.write(octal(0, 7), 108, "latin1");
  block.write(octal(0, 7), 116, "latin1");
  if (size < HUGE_SIZE) block.write(octal(size, 11), 124, "latin1");
  else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write(octal(Math.min(HUGE_SECOND - 1, Math.max(0, seconds)), 11), 136, "latin1");
  block.write(type, 156, 1, "latin1");
  block.write(link, 157, 100, "latin1");
  block.write(MAGIC, 257, "latin1");
  block.write(prefix, 345, 155, "latin1");
  block.write(`${checksum(block).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

/** Sum of all bytes, the field of the sum itself taken as spaces. */
function checksum(block: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : block[i]!;
  return sum;
}

/** NUL up to the end of the block. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

export interface Found extends Member {
  readonly rawType: string;
  /** Where its header begins (that of its pax header, if it has one), and where its bytes do. */
  readonly at: number;
  readonly offset: number;
  readonly mode: number;
  /** Keys of its pax header, in order. */
  readonly pax: readonly string[];
}

/** Every member of a tar, strictly: checksums, terminators, padding, two zero blocks and nothing after them. @throws Error that says what is wrong */
export function walkTar(bytes: Uint8Array): Found[] {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Found[] = [];
  let pax: Map<string, string> | undefined;
  let start = 0;
  for (let at = 0; ;) {
    const block = data.subarray(at, at + BLOCK);
    if (block.length < BLOCK) throw new Error(`the tar ends at ${data.length} without two zero blocks`);
    if (block.every((byte) => byte === 0)) {
      if (pax !== undefined) throw new Error("a pax header with no member after it");
      const end = data.subarray(at);
      if (end.length !== 2 * BLOCK || end.some((byte) => byte !== 0)) throw new Error(`not two zero blocks at the end but ${end.length} bytes`);
      return found;
    }
    const { name, size, seconds, type, mode } = parseHeader(block, at);
    const offset = at + BLOCK;
    const end = offset + size + ((BLOCK - (size % BLOCK)) % BLOCK);
    if (pax === undefined) start = at;
    if (type === "x") {
      if (pax !== undefined) throw new Error(`two pax headers at ${at}`);
      pax = parsePax(data.subarray(offset, offset + size));
      if (data.subarray(offset + size, end).some((byte) => byte !== 0)) throw new Error(`a pax header at ${at} is not filled up with NUL`);
    } else {
      const realSize = Number(pax?.get("size") ?? size);
      const stop = offset + realSize + ((BLOCK - (realSize % BLOCK)) % BLOCK);
      if (stop > data.length) throw new Error(`${name} at ${at} runs past the end`);
      if (data.subarray(offset + realSize, stop).some((byte) => byte !== 0)) throw new Error(`${name} at ${at} is not filled up with NUL`);
      const mtime = pax?.get("mtime");
      found.push({
        name: pax?.get("path") ?? name,
        size: realSize,
        modifiedMs: mtime === undefined ? seconds * 1000 : Math.round(Number(mtime) * 1000),
        type: type as Member["type"],
        rawType: type,
        at: start,
        offset,
        mode,
        pax: [...(pax?.keys() ?? [])],
      });
      pax = undefined;
      at = stop;
      continue;
    }
    at = end;
  }
}

export interface ParsedHeader {
  readonly name: string;
  readonly size: number;
  readonly seconds: number;
  readonly type: string;
  readonly mode: number;
}

export function parseHeader(block: Buffer, at = 0): ParsedHeader {
  const text = (from: number, length: number): string => block.toString("latin1", from, from + length);
  const octal = (from: number, length: number, what: string): number => {
    const field = text(from, length);
    if (!/^[0-7]+\0$/.test(field)) throw new Error(`${what} at ${at} is not zero-padded octal and NUL: ${JSON.stringify(field)}`);
    return Number.parseInt(field, 8);
  };
  if (text(257, 8) !== MAGIC) throw new Error(`no ustar header at ${at}`);
  const sum = text(148, 8);
  if (!/^[0-7]{6}\0 $/.test(sum) || Number.parseInt(sum, 8) !== checksum(block)) throw new Error(`wrong checksum at ${at}`);
  const cut = (field: string): string => (field.includes("\0") ? field.slice(0, field.indexOf("\0")) : field);
  const prefix = cut(text(345, 155));
  const name = cut(text(0, 100));
  if (octal(108, 8, "uid") !== 0 || octal(116, 8, "gid") !== 0) throw new Error(`an owner at ${at}`);
  const size = block[124] === 0x80 ? Number(block.readBigUInt64BE(128)) : octal(124, 12, "size");
  return { name: prefix === "" ? name : `${prefix}/${name}`, size, seconds: octal(136, 12, "time"), type: text(156, 1), mode: octal(100, 8, "mode") };
}

/** The records of a pax header, in order. */
export function parsePax(body: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at);
    const length = Number(body.toString("latin1", at, space));
    if (space < 0 || !Number.isSafeInteger(length) || length <= 0 || at + length > body.length) throw new Error(`a pax record at ${at} with a wrong length`);
    const record = body.toString("utf8", space + 1, at + length);
    const equals = record.indexOf("=");
    if (equals < 0 || !record.endsWith("\n")) throw new Error(`a pax record at ${at} that is none`);
    records.set(record.slice(0, equals), record.slice(equals + 1, -1));
    at += length;
  }
  return records;
}
