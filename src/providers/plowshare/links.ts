/** Links as hosts give them. What is no link never gets into the index or onto a command line. */

/** Where a host keeps one copy of some bytes. */
export interface HostLink {
  readonly host: string;
  readonly url: string;
  /** The link that deletes it; null: the host gave none. */
  readonly remove: string | null;
  /** A link or a code of its owner. */
  readonly admin: string | null;
}

const MAX_LINK = 4096;

/** http or https, the characters of RFC 3986 but the quote. A second "http://" inside would be taken for the link itself. */
export function isLink(text: string): boolean {
  return text.length <= MAX_LINK && /^https?:\/\/[\w[][\w\-.~:/?#[\]@!$&()*+,;=%]*$/.test(text) && !/https?:\/\//i.test(text.slice(4));
}

/** Codes of owners: short, printable. */
export function isCode(text: string): boolean {
  return text.length <= 1024 && /^[\x21-\x7e]+$/.test(text);
}
