/** Names: of objects in stores, of files on this disk, of keys. */
import { randomBytes } from "node:crypto";
import { nameOf, parentOf, parsePath } from "../store/index.ts";
import { RepositoryError } from "./errors.ts";

/** Of most file systems. */
const MOST_BYTES = 255;

/** Never used twice, so that what is deleted late can only be what nobody wants. Readable, and with its extension at the end. */
export function objectPath(key: string): string {
  const path = parsePath(key);
  const dir = parentOf(path);
  return `${dir === "/" ? "" : dir}/${fitted(`${randomBytes(8).toString("hex")}-`, nameOf(path))}`;
}

/** Never used twice either. The guid says whose bytes they are, also to a catalogue that was put back from a backup and counts its ids anew. */
export function localName(guid: string, path: string): string {
  // eslint-disable-next-line no-control-regex
  const clean = nameOf(parsePath(path)).replace(/[\0-\x1f\x7f\\:*?"<>|]/g, "_");
  return fitted(`${guid}.${randomBytes(4).toString("hex")}.`, clean);
}

export function guidOf(local: string): string | undefined {
  return /^([0-9a-f]{32})\.[0-9a-f]{8}\./.exec(local)?.[1];
}

/** @throws RepositoryError `bad-query`, StoreError `invalid-path` */
export function checkPath(text: string): string {
  const path = parsePath(text);
  if (path === "/") throw new RepositoryError("bad-query", "the root is no file");
  return path;
}

export function newKey(path: string): string {
  return `${path}.${randomBytes(8).toString("hex")}`;
}

/** Whether its bytes are compressed on their way in and decompressed on their way out. */
export const isCompressed = (path: string): boolean => path.endsWith(".gz");

/** Cut at the front of the name, so that the extension stays. */
function fitted(prefix: string, name: string): string {
  let rest = name;
  while (Buffer.byteLength(prefix + rest) > MOST_BYTES) rest = Array.from(rest).slice(1).join("");
  return prefix + rest;
}
