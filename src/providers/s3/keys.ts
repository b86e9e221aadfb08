/**
 * Paths of the store and keys of the bucket, both ways and without loss.
 *
 *   const keys = new Keys("photos/", null);
 *   keys.file(path("/a/b")) === "photos/a/b";   keys.directory(path("/a")) === keys.marker(path("/a")) === "photos/a/";
 *   keys.name("b") === "b";                     keys.name("..") === "%{2E}.";      keys.name("x_$folder$") === undefined
 *
 * A bucket holds keys that no path can spell: empty segments, "." and "..", NUL. Those show as tokens (`%{}`, `%{2E}`, `%{0}`) and every verb
 * takes them in that form. In the other direction one shape is kept from users' names: `<name>_$folder$`, with which older Hadoop tools mark
 * a directory; a user's own file of that name is stored with its last character as a token.
 */
import { nameCodec, root, StoreError, type NameCodec, type StorePath } from "../../store/index.ts";
import { MAX_KEY_BYTES } from "./vendors.ts";

/** How older Hadoop file systems mark the directory `name`: an empty object beside it. */
export const FOLDER_SUFFIX = "_$folder$";

/** Names that the bucket has and a path cannot: read backwards, `encode` makes the shown name. */
const shown: NameCodec = nameCodec({ any: "\0", reserved: (name) => name === "." || name === "..", empty: true });
/**
 * Names that a path has and the bucket keeps for markers: "x_$folder$" is stored as "x_$folder%{24}", and what looks like that already gets a
 * `{25}` more, which `decode` takes away. Not by `reserved` of the common scheme: a token in front leaves the end that tools look at.
 */
const LIKE_STORED = /_\$folder%((?:\{25\})*)\{24\}$/;
const stored: NameCodec = {
  encode(name) {
    if (name.endsWith(FOLDER_SUFFIX)) return `${name.slice(0, -1)}%{24}`;
    return name.replace(LIKE_STORED, (_, escapes: string) => `_$folder%{25}${escapes}{24}`);
  },
  decode(segment) {
    return segment.replace(LIKE_STORED, (_, escapes: string) => (escapes === "" ? FOLDER_SUFFIX : `_$folder%${escapes.slice(4)}{24}`));
  },
};

export class Keys {
  /** "" or something that ends in "/". */
  readonly prefix: string;
  readonly #maxNameBytes: number;
  readonly #prefixBytes: number;

  constructor(prefix: string, maxNameBytes: number | null) {
    this.prefix = prefix;
    this.#prefixBytes = Buffer.byteLength(prefix);
    this.#maxNameBytes = maxNameBytes ?? Infinity;
  }

  /** Bytes that a path may have so that its key still fits. */
  get maxPathBytes(): number {
    return MAX_KEY_BYTES - this.#prefixBytes + 1;
  }

  /** The key of a file. @throws StoreError `invalid-path` where the service has no such key */
  file(path: StorePath): string {
    const key = this.prefix + this.#relative(path);
    if (key === "") throw new StoreError("invalid-path", "a bucket has no empty key");
    this.#fits(key, path);
    return key;
  }

  /** What all keys below a directory start with. The root: the prefix itself. Below a file of the longest key nothing can be: `keyPage` knows. */
  directory(path: StorePath): string {
    return path === root ? this.prefix : `${this.file(path)}/`;
  }

  /** The key that keeps an empty directory. @throws StoreError `invalid-path` where the service has no such key */
  marker(path: StorePath): string {
    const key = this.directory(path);
    this.#fits(key, path);
    return key;
  }

  /** The key with which older Hadoop tools mark this directory; undefined where no such key can be. */
  folderMarker(path: StorePath): string | undefined {
    if (path === root) return undefined;
    const key = this.prefix + this.#relative(path) + FOLDER_SUFFIX;
    return Buffer.byteLength(key) > MAX_KEY_BYTES ? undefined : key;
  }

  /** The name in a path for one segment of a key. Undefined: a name that this store never writes, so no part of it. */
  name(segment: string): string | undefined {
    if (segment.endsWith(FOLDER_SUFFIX)) return undefined;
    if (segment !== "" && segment !== "." && segment !== ".." && !/[%\0]/.test(segment)) return segment;
    return shown.encode(stored.decode(segment));
  }

  #relative(path: StorePath): string {
    const relative = path.slice(1);
    if (!relative.includes("%") && !relative.includes(FOLDER_SUFFIX)) return relative;
    return relative
      .split("/")
      .map((name) => stored.encode(shown.decode(name)))
      .join("/");
  }

  #fits(key: string, path: StorePath): void {
    if (key.length * 3 > MAX_KEY_BYTES && Buffer.byteLength(key) > MAX_KEY_BYTES)
      throw new StoreError("invalid-path", "the key would be longer than 1,024 bytes");
    if (this.#maxNameBytes === Infinity || path.length * 3 <= this.#maxNameBytes) return;
    if (key.split("/").some((segment) => Buffer.byteLength(segment) > this.#maxNameBytes)) {
      throw new StoreError("invalid-path", `the service takes names of at most ${this.#maxNameBytes} bytes`);
    }
  }
}

/** A key as it stands in a request line: every byte that is not unreserved is escaped, "/" stays, and dot segments stay as they are. */
export function escapeKey(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A name of a listing that was asked for with `encoding-type=url`. Services write a space as "+" or as "%20". */
export function unescapeKey(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  return decodeURIComponent(text.replaceAll("+", " "));
}
