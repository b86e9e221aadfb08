/** Headers of tar members: POSIX ustar, with a pax header before a member only where ustar cannot say it. */

export const BLOCK = 512;
const LARGEST_OCTAL_SIZE = 8 * 2 ** 30;
const LATEST_MS = 2 ** 33 * 1000;
const ZEROS = Buffer.alloc(BLOCK);

export interface TarMember {
  /** Without a leading "/"; a directory's without a trailing one. */
  readonly name: string;
  readonly directory: boolean;
  readonly size: number;
  readonly modifiedMs: number;
}

/** The time of a member of ours, such that its header is one block whatever the clock says. */
export function plainTime(timeMs: number): number {
  return Math.min(Math.max(0, timeMs), LATEST_MS - 1);
}

/** Bytes that fill the last block. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

export function paddingBytes(size: number): Buffer {
  return ZEROS.subarray(0, padding(size));
}

export function padded(size: number): number {
  return size + padding(size);
}

/** Everything that stands before the member's bytes: whole blocks. */
export function memberHeader({ name: bare, directory, size, modifiedMs }: TarMember): Buffer {
  const name = directory ? `${bare}/` : bare;
  const type = directory ? "5" : "0";
  const fits = size < LARGEST_OCTAL_SIZE && modifiedMs >= 0 && modifiedMs < LATEST_MS;
  const place = fits ? ustarPlace(name) : undefined;
  if (place !== undefined) return header({ ...place, size, modifiedMs, type });
  const records = [
    // bsdtar would normalise the name otherwise.
    ...(name.normalize("NFC") === name ? [] : [paxRecord("hdrcharset", "BINARY")]),
    paxRecord("path", name),
    ...(size < LARGEST_OCTAL_SIZE ? [] : [paxRecord("size", String(size))]),
    // Whole seconds before 1970: bsdtar takes the fraction of a negative number for one of the other direction.
    paxRecord("mtime", modifiedMs < 0 ? String(Math.floor(modifiedMs / 1000)) : (modifiedMs / 1000).toFixed(3)),
  ];
  const pax = Buffer.concat(records);
  const short = name.replace(/[^\x20-\x7e]/g, "_").slice(-60);
  return Buffer.concat([
    header({ name: `PaxHeaders/${short}`, prefix: "", size: pax.length, modifiedMs, type: "x" }),
    pax,
    paddingBytes(pax.length),
    header({ name: short, prefix: "", size: Math.min(size, LARGEST_OCTAL_SIZE - 1), modifiedMs, type }),
  ]);
}

/** At least as many bytes as `memberHeader` makes for a member of up to 1 GiB, without making them. */
export function headerBytesAtMost(name: string): number {
  return name.length <= 99 && PLAIN.test(name) ? BLOCK : 4 * BLOCK + padded(Buffer.byteLength(name));
}

const PLAIN = /^[\x20-\x7e]*$/;

/** Name and prefix as ustar has room for them; undefined where it has none. */
function ustarPlace(name: string): { readonly name: string; readonly prefix: string } | undefined {
  if (!PLAIN.test(name)) return undefined;
  if (name.length <= 100) return { name, prefix: "" };
  for (let at = Math.min(155, name.length - 2); at > 0; at--) {
    if (name[at] !== "/") continue;
    // Further left the name only gets longer.
    if (name.length - at - 1 > 100) return undefined;
    return { name: name.slice(at + 1), prefix: name.slice(0, at) };
  }
  return undefined;
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
export function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

interface Header {
  readonly name: string;
  readonly prefix: string;
  readonly size: number;
  readonly modifiedMs: number;
  /** "x": a pax header for the next member. */
  readonly type: "0" | "5" | "x";
}

function header({ name, prefix, size, modifiedMs, type }: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, "latin1");
  block.write(octal(type === "5" ? 0o755 : 0o644, 8), 100, "latin1");
  block.write(octal(0, 8), 108, "latin1");
  block.write(octal(0, 8), 116, "latin1");
  block.write(octal(size, 12), 124, "latin1");
  const seconds = Math.floor(modifiedMs / 1000);
  block.write(octal(Math.max(0, Math.min(LATEST_MS / 1000 - 1, seconds)), 12), 136, "latin1");
  block.write("        ", 148, "latin1");
  block.write(type, 156, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write(prefix, 345, 155, "latin1");
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += block[at] as number;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}
