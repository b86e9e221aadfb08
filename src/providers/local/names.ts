/**
 * Names on disk. Below this file a native path is a *binary string*: one character per byte, as encoding "latin1" gives it, so that a name that
 * is not UTF-8 is a name like any other. `toDisk` makes of it what node:fs takes.
 *
 *   names.native("Zoë")                         // "Zo\xc3\xab"
 *   names.logical("a\xff")                      // "a%{xFF}": shown encoded, and accepted in that form
 *   names.logical(".stratus-….tmp")             // undefined: ours, no part of the store
 */
import { isUtf8 } from "node:buffer";
import { nameCodec } from "../../store/index.ts";
import type { NameRules } from "../../store/index.ts";
import { WRITER_LETTERS, isOfDeadWriter, writerLetters } from "./writer.ts";

declare const bytes: unique symbol;
/** One character per byte. */
export type Native = string & { readonly [bytes]: true };

export interface Names {
  native(name: string): Native;
  /** Undefined: a name that no caller can have written, so it is no part of the store. */
  logical(native: Native): string | undefined;
}

const NOT_ASCII = /[^\0-\x7f]/;

export function toNative(text: string): Native {
  return (NOT_ASCII.test(text) ? Buffer.from(text).toString("latin1") : text) as Native;
}

/** For node:fs: the text itself where every byte is ASCII, which is cheaper, else the bytes. */
export function toDisk(path: Native): string | Buffer {
  return NOT_ASCII.test(path) ? Buffer.from(path, "latin1") : path;
}

const TEMPORARY = /^\.stratus-[0-9a-z]{20}\.tmp$/i;

/** The shape of our own temporary names. A user's file of that shape is encoded, so hiding the shape hides nothing of the user's. */
export function isTemporary(name: string): boolean {
  return name.length === 33 && TEMPORARY.test(name);
}

/** ".stratus-", eleven letters of this process (writer.ts), nine random ones, ".tmp". */
export function temporaryName(random: () => number): Native {
  let name = `.stratus-${writerLetters()}`;
  for (let i = WRITER_LETTERS; i < 20; i++) name += Math.floor(random() * 36).toString(36);
  return `${name}.tmp` as Native;
}

/** Was it left behind by a process of this machine that has ended? */
export function isLeftBehind(name: Native): boolean {
  return isTemporary(name) && isOfDeadWriter(name.slice(9));
}

/** Temporary names are longer than some others: a path this much shorter than the limit has room for one beside it. */
export const TEMPORARY_BYTES = 33;

/** `rules`: what this file system cannot hold. */
export function diskNames(rules: NameRules): Names {
  const { reserved = () => false } = rules;
  const ours = (name: string): boolean => isTemporary(name) || reserved(name);
  const codec = nameCodec({ ...rules, reserved: ours });
  // Without further rules only a "%" or the dot of a temporary name can need anything.
  const plain = rules.any === undefined && rules.first === undefined && rules.last === undefined && rules.reserved === undefined;
  const untouched = (name: string): boolean => plain && !name.includes("%") && !name.startsWith(".");
  return {
    native(name) {
      return untouched(name) ? toNative(name) : undecodable.hide(codec.encode(name));
    },
    logical(native) {
      if (!NOT_ASCII.test(native) && untouched(native)) return native;
      const shown = undecodable.show(native);
      return ours(shown) ? undefined : codec.decode(shown);
    },
  };
}

/** A token for an undecodable byte, or, with `{25}` in it, the text of one. */
const TOKEN = /%((?:\{25\})*)\{x([89A-F][0-9A-F])\}/g;

/**
 * Bytes that are no UTF-8 as `%{xHH}`, and back: a bijection between all byte strings and all texts, so that no file is out of reach and no two are one.
 * Texts that hold such a token and would read as bytes get one `{25}` more in each token (and those that look like that, one more again, and so on);
 * all other texts are their own UTF-8.
 */
export const undecodable: { show(native: Native): string; hide(text: string): Native } = {
  show(native) {
    const raw = Buffer.from(native, "latin1");
    if (!isUtf8(raw)) return tokens(raw);
    const text = raw.toString();
    return level(text) === undefined ? text : escaped(text, 1);
  },
  hide(text) {
    const depth = level(text);
    if (depth === undefined) return toNative(text);
    return depth === 0 ? bytesOf(text) : toNative(escaped(text, -1));
  },
};

/** How many `{25}` stand between this text and one that stands for bytes; undefined where there is no such text. */
function level(text: string): number | undefined {
  if (!text.includes("%{")) return undefined;
  let least = Infinity;
  for (const [, escapes] of text.matchAll(TOKEN)) least = Math.min(least, (escapes as string).length / 4);
  if (least === Infinity) return undefined;
  const bare = escaped(text, -least);
  const raw = Buffer.from(bytesOf(bare), "latin1");
  return !isUtf8(raw) && tokens(raw) === bare ? least : undefined;
}

/** Each token of the text with so many `{25}` more. */
function escaped(text: string, by: number): string {
  return text.replace(TOKEN, (_, escapes: string, hex: string) => `%${"{25}".repeat(escapes.length / 4 + by)}{x${hex}}`);
}

/** Every undecodable byte as a token, every text that looks like one escaped. */
function tokens(raw: Buffer): string {
  let out = "";
  let good = 0;
  const flush = (end: number): void => {
    if (good < end) out += escaped(raw.toString("utf8", good, end), 1);
  };
  for (let at = 0; at < raw.length;) {
    const length = characterAt(raw, at);
    if (length > 0) {
      at += length;
      continue;
    }
    flush(at);
    out += `%{x${(raw[at] as number).toString(16).toUpperCase()}}`;
    good = ++at;
  }
  flush(raw.length);
  return out;
}

/** Bytes of the character that starts here; 0: none does. */
function characterAt(raw: Buffer, at: number): number {
  const lead = raw[at] as number;
  const length = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return length > 0 && at + length <= raw.length && isUtf8(raw.subarray(at, at + length)) ? length : 0;
}

/** The bytes of a text whose bare tokens are bytes and whose escaped ones are texts of tokens. */
function bytesOf(text: string): Native {
  let out = "";
  let from = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [token, escapes, hex] = match as unknown as [string, string, string];
    out += toNative(text.slice(from, match.index)) + (escapes === "" ? String.fromCharCode(Number.parseInt(hex, 16)) : escaped(token, -1));
    from = match.index + token.length;
  }
  return (out + toNative(text.slice(from))) as Native;
}
