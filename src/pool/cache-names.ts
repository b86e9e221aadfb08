/** Names of cached files: the first 7 digits of the hash, "_", and the name of the file, as cloud-manager has them. */

/** Of most file systems. */
const MOST_BYTES = 255;
const DIGITS = 7;

/** The last part of a path, with nothing that a file name cannot have; what is left empty becomes the first ten digits of the hash. */
export function cleanName(name: string | undefined, hash: string): string {
  const last =
    (name ?? "")
      .toWellFormed()
      .split(/[/\\]/)
      .findLast((part) => part !== "") ?? "";
  // eslint-disable-next-line no-control-regex
  const clean = last.replace(/[\0-\x1f\x7f]/g, "_");
  return clean === "" || clean === "." || clean === ".." ? hash.slice(0, 10) : clean;
}

/** The usual one, and one that no other hash can have, for where two files share the digits and the name. */
export function cachedNames(hash: string, name: string): readonly [usual: string, sure: string] {
  return [fitted(`${hash.slice(0, DIGITS)}_`, name), fitted(`${hash}_`, name)];
}

/** Cut at its front, so that the extension stays. */
function fitted(prefix: string, name: string): string {
  let rest = name;
  while (Buffer.byteLength(prefix + rest) > MOST_BYTES) rest = Array.from(rest).slice(1).join("");
  return prefix + rest;
}

/** What stands behind the hash; the whole where there is none. */
export function withoutDigits(cached: string): string {
  return /^(?:[0-9a-f]{7}|[0-9a-f]{64})_(.+)$/s.exec(cached)?.[1] ?? cached;
}
