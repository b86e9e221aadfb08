/**
 * What Dropbox takes as a path, and which two paths are one.
 *
 * Sources: API reference (path patterns, `malformed_path`, `disallowed_name`); dropbox.com/help/syncing-uploads/files-not-syncing (names); the list of
 * characters that rclone's dropbox back end found by trial (backslash, DEL and a space at the end do not work).
 */
import { refused, uploadRefused } from "./errors.ts";

/** The pattern of WritePath: "" is the root, and everything else starts with a slash. */
export const WRITE_PATH = /^\/[^]*$/u;
/** Names that the desktop clients never store; the API refuses them in any case. */
const DISALLOWED = /^(?:desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr)$/iu;

/**
 * Upper-case letters that came after Unicode 4.1, with which Dropbox folds (developers.dropbox.com/dbx-file-access-guide, "case insensitivity"): those of
 * Cherokee, Georgian Mtavruli, Latin Extended-C and -D and some others keep their case.
 */
const AFTER_4_1 = /[\u1e9e\u{1c90}-\u{1cbf}\u{13a0}-\u{13f5}\u2c60-\u2c7f\ua640-\ua7ff\u0370\u0372\u0376\u037f\u{1e900}-\u{1e921}\u{104b0}-\u{104d3}]/u;

/** One code point to one code point, without context: the simple mapping. */
function lower(char: string): string {
  if (char === "\u0130") return "i";
  if (AFTER_4_1.test(char)) return char;
  const small = char.toLowerCase();
  return small.length === char.length ? small : char;
}

/** Under this key two spellings are one file. */
export function fold(path: string): string {
  let out = "";
  for (const char of path.normalize("NFC")) out += lower(char);
  return out;
}

/** Why no file can have this path; undefined: it can. */
export function wrongName(path: string): "malformed_path" | "disallowed_name" | undefined {
  if (!path.startsWith("/") || path.endsWith("/")) return "malformed_path";
  for (const name of path.slice(1).split("/")) {
    // Names of one dot and two are no names; a backslash is a separator elsewhere.
    if (name === "" || name === "." || name === ".." || /[\\\0\x7f]/.test(name) || name.endsWith(" ")) return "malformed_path";
    if (name.length > 255) return "malformed_path";
    if (DISALLOWED.test(name)) return "disallowed_name";
  }
  return undefined;
}

export function mustWrite(path: string, at: string): void {
  const wrong = wrongName(path);
  if (wrong !== undefined) throw at === "" ? uploadRefused(wrong) : refused(`${at}/${wrong}`);
}

/** On the reading side a name that nothing can have is malformed, and a reserved one is not there. */
export function mustRead(path: string, at: string): void {
  if (path !== "" && wrongName(path) === "malformed_path") throw refused(`${at}/malformed_path`);
}

export const parentKey = (key: string): string => key.slice(0, Math.max(0, key.lastIndexOf("/")));
export const lastName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
