/**
 * Metadata as private properties of a file (developers.google.com/workspace/drive/api/guides/properties): at most 30 of them, and 124 bytes of key and
 * value together in each. What fits is stored as it is, so that other programs of the same client read it; what does not is cut into pieces of one text.
 */
import { StoreError } from "../../store/index.ts";
import type { Metadata } from "../../store/index.ts";

/** Keys of the pieces: `~0` to `~29`. No metadata is stored plainly under such a key. */
const PIECE = /^~([0-9]|[12][0-9])$/;
const MOST_PROPERTIES = 30;
const MOST_BYTES = 124;

/** Whatever has no more bytes than this fits, also as one value; many tiny pairs may not, and are then refused. */
export const MAX_METADATA_BYTES = 2048;

/** @throws StoreError `too-large` */
export function packed(metadata: Metadata): Record<string, string> {
  const pairs = Object.entries(metadata);
  if (pairs.length <= MOST_PROPERTIES && pairs.every(([key, value]) => isPlain(key, value))) return Object.fromEntries(pairs);
  // Lengths in UTF-16 units before each text, so that any characters may stand in it.
  const text = pairs.map(([key, value]) => `${key.length.toString(36)}.${value.length.toString(36)}.${key}${value}`).join("");
  const pieces = cut(text, MOST_BYTES - 3);
  if (pieces.length > MOST_PROPERTIES)
    throw new StoreError("too-large", "Drive keeps 30 properties of 124 bytes with a file; this metadata needs more", { applied: false });
  return Object.fromEntries(pieces.map((piece, index) => [`~${index}`, piece]));
}

export function unpacked(properties: Readonly<Record<string, string>>): Metadata {
  const pieces: string[] = [];
  const plain: [string, string][] = [];
  for (const [key, value] of Object.entries(properties)) {
    const index = PIECE.exec(key)?.[1];
    if (index === undefined) plain.push([key, value]);
    else pieces[Number(index)] = value;
  }
  const text = pieces.join("");
  for (let at = 0; at < text.length;) {
    const head = /^([0-9a-z]+)\.([0-9a-z]+)\./.exec(text.slice(at, at + 16));
    // Written by somebody else: shown as it is.
    if (head === null) return Object.fromEntries(Object.entries(properties));
    at += head[0].length;
    const middle = at + Number.parseInt(head[1] as string, 36);
    const end = middle + Number.parseInt(head[2] as string, 36);
    plain.push([text.slice(at, middle), text.slice(middle, end)]);
    at = end;
  }
  return Object.fromEntries(plain);
}

/** What a change of a file must say so that nothing of before stays: null takes a property away. */
export function replacing(before: Readonly<Record<string, string>> | undefined, after: Readonly<Record<string, string>>): Record<string, string | null> {
  return { ...Object.fromEntries(Object.keys(before ?? {}).map((key) => [key, null])), ...after };
}

function isPlain(key: string, value: string): boolean {
  // An empty value says "take it away" in other versions of the API: not left to chance.
  return key !== "" && key !== "__proto__" && value !== "" && !PIECE.test(key) && Buffer.byteLength(key) + Buffer.byteLength(value) <= MOST_BYTES;
}

/** Pieces of at most so many bytes, none of them ending within a character, or in a space that somebody might trim. */
function cut(text: string, most: number): string[] {
  const pieces: string[] = [];
  let piece = "";
  let bytes = 0;
  for (const char of text) {
    const more = Buffer.byteLength(char);
    if (bytes + more > most) {
      pieces.push(piece);
      piece = "";
      bytes = 0;
    }
    piece += char;
    bytes += more;
  }
  pieces.push(piece);
  return pieces;
}
