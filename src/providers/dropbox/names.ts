/**
 * Paths of the store and paths of Dropbox, in both directions: `names.native("/a\\b") === "/Backup/a%{5C}b"`.
 *
 * What Dropbox cannot hold as a name is written as a token (`nameCodec`): a backslash, DEL, a space at the end, and names that its clients keep for
 * themselves. Names come back in form NFC; case is kept, and two spellings are one file.
 */
import { StoreError, join, nameCodec, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";

/** In UTF-16 code units. */
const MAX_NAME = 255;
/** So long that it fits a header six times over: every character beyond ASCII is escaped there. */
export const MAX_PATH_BYTES = 4000;
const RESERVED = /^(?:desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr)$/i;
/** Our own temporary names, on the way of a rename that only changes the spelling. */
const TEMPORARY = /^\.stratus-[0-9a-z]{20}\.tmp$/i;
const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
const codec = nameCodec({ any: "\\\u007f", last: " ", reserved: (name) => RESERVED.test(name) || TEMPORARY.test(name), fold: true });

export interface Names {
  /** "" for the root of an account. @throws StoreError `invalid-path` */
  native(path: StorePath): string;
  /** The last name of a native path, as Dropbox answers it. */
  last(native: string): string;
  /** The child of this native name. Null: a name that this never writes, which is no part of the store. */
  child(dir: StorePath, native: string): StorePath | null;
  /** A temporary name beside this native path. */
  beside(native: string): string;
}

export function namesOf(base: string, random: () => number): Names {
  const longest = MAX_PATH_BYTES - Buffer.byteLength(base);
  return {
    native(path) {
      if (path === root) return base;
      let out = base;
      for (const name of path.slice(1).split("/")) {
        const native = codec.encode(name);
        if (native.length > MAX_NAME || native.normalize("NFC").length > MAX_NAME)
          throw new StoreError("invalid-path", `a name of more than ${MAX_NAME} characters, as Dropbox would hold it`, { applied: false });
        out += `/${native}`;
      }
      if (Buffer.byteLength(out) - Buffer.byteLength(base) > longest)
        throw new StoreError("invalid-path", `a path of more than ${longest} bytes`, { applied: false });
      return out;
    },
    last: (native) => native.slice(native.lastIndexOf("/") + 1).normalize("NFC"),
    child(dir, native) {
      const name = codec.decode(native);
      if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) return null;
      // Tokens are read in either case, because the service folds it.
      if (codec.encode(name) !== native && codec.encode(name).toLowerCase() !== native.toLowerCase()) return null;
      return join(dir, name);
    },
    beside: (native) =>
      `${native.slice(0, native.lastIndexOf("/"))}/.stratus-${Array.from({ length: 20 }, () => ALPHABET[Math.floor(random() * 36)]).join("")}.tmp`,
  };
}
