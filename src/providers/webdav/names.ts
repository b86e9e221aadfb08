/**
 * Paths of the store and addresses of the server, in both directions.
 *
 *   names.file("/a b/ü") === "/dav/a%20b/%C3%BC";   names.children("/dav/a%20b/", hrefs) -> names below it
 *
 * What the server cannot hold as a name is written as a token (`nameCodec`). Addresses are built as strings and never pass through `new URL()`,
 * to which "%2E%2E" is a way up.
 */
import { StoreError, join, nameCodec, root } from "../../store/index.ts";
import type { NameCodec, StorePath } from "../../store/index.ts";
import type { Settings } from "./options.ts";
import { isMisread } from "./sabre-names.ts";

/** The provider's own temporary files: hidden in listings; a user's file of this shape is written encoded, so hiding hides nothing of the user's. */
const TEMPORARY = /^\.stratus-[0-9a-z]{20}\.tmp$/;
/** What no XML can carry and no server keeps. */
const NEVER = `${String.fromCodePoint(...Array.from({ length: 31 }, (_, i) => i + 1))}\u007f\ufffe\uffff`;
/** Longest address below the base, in bytes before percent-encoding. Servers take 8 KiB request lines; a byte becomes at most three. */
export const MAX_PATH_BYTES = 4000;
const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** One address as the server knows it: raw, percent-encoded. */
export type Href = string;

export interface Names {
  /** Raw address without a slash at its end; the base itself keeps its slash. @throws StoreError `invalid-path` for a name the server cannot hold. */
  file(path: StorePath): Href;
  /** The same with a slash: of a collection. */
  directory(path: StorePath): Href;
  /** A new temporary file in a directory. */
  temporary(directory: StorePath): Href;
  /** One in the directory of temporary files, with the slash of that directory before it. */
  aside(directory: Href): Href;
  /** A directory for temporary files in the root; hidden as they are. */
  shelf(): Href;
  /** Does this answer speak of that address? Compared decoded, without slashes at the end, absolute or not. */
  same(answered: string, href: Href): boolean;
  /** Is this the address of a temporary file? */
  isTemporary(answered: string): boolean;
  /** The child of `dir` that an answer speaks of: null for everything else, hidden names included. */
  child(answered: string, dir: StorePath, href: Href): StorePath | null;
}

export function namesOf({ base, origin, profile, random }: Settings): Names {
  const { reserved, refused } = profile;
  const rules = {
    any: NEVER + profile.any,
    first: profile.first,
    last: profile.last,
    reserved: (name: string) => TEMPORARY.test(name) || (reserved !== null && reserved.test(name)),
  };
  const common = nameCodec(rules);
  // Half a million characters are misread: only those that this name holds, or names in a token, can matter to its codec.
  const codecOf = (name: string): NameCodec => {
    if (!profile.misreadsNames) return common;
    const misread = Array.from(name).concat(tokensIn(name)).filter(isMisread).join("");
    return misread === "" ? common : nameCodec({ ...rules, any: rules.any + misread });
  };
  const plain = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
  const special = /[\w-]/.test(profile.first) || /[\w.-]/.test(profile.any + profile.last);
  const longest = Math.max(1, MAX_PATH_BYTES - Buffer.byteLength(base));

  const fresh = (): string => `.stratus-${Array.from({ length: 20 }, () => ALPHABET[Math.floor(random() * 36)]).join("")}.tmp`;

  function file(path: StorePath): Href {
    if (path === root) return base;
    let bytes = 0;
    let out = "";
    for (const name of path.slice(1).split("/")) {
      // Most names need nothing, and this is on the way of every call.
      const native = !special && plain.test(name) && reserved?.test(name) !== true ? name : codecOf(name).encode(name);
      const length = Buffer.byteLength(native);
      if (length > profile.maxNameBytes)
        throw new StoreError("invalid-path", `a name of more than ${profile.maxNameBytes} bytes, as ${profile.name} would hold it`);
      if (refused?.test(native) === true) throw new StoreError("invalid-path", `a name that ${profile.name} keeps for itself`);
      bytes += length + 1;
      out += out === "" ? segment(native) : `/${segment(native)}`;
    }
    if (bytes > longest) throw new StoreError("invalid-path", `a path of more than ${longest} bytes`);
    return base + out;
  }

  return {
    file,
    directory: (path) => (path === root ? base : `${file(path)}/`),
    temporary: (path) => (path === root ? base : `${file(path)}/`) + fresh(),
    aside: (directory) => directory + fresh(),
    shelf: () => `${base}${fresh()}/`,
    same(answered, href) {
      const raw = rawPath(answered, origin);
      if (raw === null) return false;
      if (raw === href) return true;
      const left = decoded(raw);
      const right = decoded(href);
      return left !== null && right !== null && equal(left, right, profile.normalisation);
    },
    isTemporary: (answered) => TEMPORARY.test(answered.slice(answered.replace(/\/$/, "").lastIndexOf("/") + 1).replace(/\/$/, "")),
    child(answered, dir, href) {
      const raw = rawPath(answered, origin);
      if (raw === null) return null;
      const native = raw.startsWith(href) ? single(raw.slice(href.length)) : single(below(decoded(raw), decoded(href), profile.normalisation));
      if (native === null) return null;
      const name = codecOf(native).decode(native);
      // A name that this codec never writes is no part of the store: it could not be reached. Temporary names are such.
      if (name === "." || name === ".." || /[/\0]/.test(name) || codecOf(name).encode(name) !== native) return null;
      return join(dir, name);
    },
  };
}

/** Characters that stand in a name as tokens, or as what would be read as one. */
function tokensIn(name: string): string[] {
  return [...name.matchAll(/\{([1-9A-F][0-9A-F]{0,5})\}/g)].flatMap(([, hex = ""]) => {
    const code = Number.parseInt(hex, 16);
    return code > 0x10ffff ? [] : [String.fromCodePoint(code)];
  });
}

/** Percent-encoded so that no server and no URL parser reads anything into it. */
function segment(native: string): string {
  return encodeURIComponent(native);
}

/** The raw path of an address in an answer, or null where it is another host's or none. */
export function rawPath(answered: string, origin: string): string | null {
  const text = answered.trim();
  if (text.startsWith("/") && !text.startsWith("//")) return text;
  const absolute = /^https?:\/\/[^/]+(\/.*)$/is.exec(text);
  if (absolute !== null) return absolute[1] as string;
  // "//x/y" is read by nobody as another host here: servers that double a slash exist.
  if (text.startsWith("//")) return text.replace(/^\/+/, "/");
  return text === origin ? "/" : null;
}

/** Decoded segments, or null where an address is not UTF-8. Empty ones are left out, so slashes at the end make no difference. */
function decoded(raw: string): string[] | null {
  try {
    return raw
      .split("/")
      .filter((part) => part !== "")
      .map((part) => decodeURIComponent(part));
  } catch {
    return null; // Not UTF-8: a foreign name that no path can say.
  }
}

function form(text: string, normalisation: "kept" | "nfc"): string {
  return normalisation === "nfc" ? text.normalize("NFC") : text;
}

function equal(left: readonly string[], right: readonly string[], normalisation: "kept" | "nfc"): boolean {
  return left.length === right.length && left.every((part, at) => part === right[at] || form(part, normalisation) === form(right[at] as string, normalisation));
}

/** The raw name of what lies directly below, or null. */
function below(path: readonly string[] | null, dir: readonly string[] | null, normalisation: "kept" | "nfc"): string | null {
  if (path === null || dir === null || path.length !== dir.length + 1) return null;
  return equal(path.slice(0, -1), dir, normalisation) ? encodeURIComponent(path.at(-1) as string) : null;
}

/** The native name in what follows the directory's address, or null where it is not one segment. */
function single(rest: string | null): string | null {
  if (rest === null) return null;
  const raw = rest.endsWith("/") ? rest.slice(0, -1) : rest;
  if (raw === "" || raw.includes("/")) return null;
  try {
    return raw.includes("%") ? decodeURIComponent(raw) : raw;
  } catch {
    return null; // Not UTF-8, as above.
  }
}
