/** What the capabilities say about a name: whether it is accepted, and which other names are the same file. */
import type { Capabilities } from "../../store/index.ts";

export function bytesOf(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** True: every verb accepts this path. False: `invalid-path`, because of a declared character or length. For paths that are legal otherwise. */
export function accepted(capabilities: Capabilities, path: string): boolean {
  const forbidden = new Set(capabilities.forbidden);
  if (bytesOf(path) > capabilities.maxPathBytes) return false;
  return path.split("/").every((name) => bytesOf(name) <= capabilities.maxNameBytes && !Array.from(name).some((character) => forbidden.has(character)));
}

/** Two names are one file exactly if these are equal. */
export function folded(capabilities: Capabilities, name: string): string {
  const form = capabilities.normalisation;
  const normal = (text: string): string => (form === "kept" ? text : text.normalize(form.toUpperCase()));
  return capabilities.caseSensitive ? normal(name) : normal(normal(name).toLowerCase());
}

/** For messages: what cannot be seen, and what looks like something else, as code points. */
export function spell(name: string): string {
  const text = Array.from(name, (character) => (/[\x21-\x7e]/.test(character) ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`)).join("");
  return `"${text.length <= 120 ? text : `${text.slice(0, 100)}… (${name.length})`}"`;
}
