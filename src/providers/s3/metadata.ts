/**
 * User metadata in HTTP headers, so that any text comes back as it was written.
 *
 *   toHeaders({ Author: "Zoë" })  ->  { "%41uthor": "=?UTF-8?B?Wm/Dqw==?=" }        (each behind "x-amz-meta-")
 *
 * Header names lose their case on the way, so a letter in upper case is written as the "%" and hexadecimal digits of its byte, as is every
 * byte that a header name cannot hold. Values outside of printable ASCII, and those that an HTTP parser would trim, are RFC 2047 words; so S3
 * itself shows them. What other tools wrote reads as it stands, their encoded words decoded.
 */
import { StoreError, type Metadata } from "../../store/index.ts";

const PLAIN_NAME = /^[a-z0-9-]+$/;
const PLAIN_VALUE = /^[!-~]+(?: [!-~]+)*$/;

export function encodeName(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  return [...Buffer.from(name)]
    .map((byte) => (PLAIN_NAME.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`))
    .join("");
}

/** Only what `encodeName` can have written is decoded; anything else stands for itself. */
export function decodeName(header: string): string {
  if (!header.includes("%")) return header;
  const bytes = header.replaceAll(/%([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const name = Buffer.from(bytes, "latin1").toString("utf8");
  return encodeName(name) === header ? name : header;
}

export function encodeValue(value: string): string {
  if (PLAIN_VALUE.test(value) && !value.startsWith("=?")) return value;
  return `=?UTF-8?B?${Buffer.from(value).toString("base64")}?=`;
}

/** Words of both kinds, also several in a row, as S3 writes long ones. */
export function decodeValue(header: string): string {
  if (!header.startsWith("=?")) return header;
  const words = header.split(/(?<=\?=)\s+(?==\?)/);
  const pieces = words.map((word) => {
    const match = /^=\?utf-8\?(b|q)\?([^?]*)\?=$/i.exec(word);
    if (match === null) return undefined;
    const [, kind, text = ""] = match;
    if (kind?.toLowerCase() === "b") return Buffer.from(text, "base64");
    return Buffer.from(
      text.replaceAll("_", " ").replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      "latin1",
    );
  });
  return pieces.includes(undefined) ? header : Buffer.concat(pieces as Buffer[]).toString("utf8");
}

/** Names without "x-amz-meta-". @throws StoreError `too-large` where the encoded form is beyond what the service takes */
export function toHeaders(metadata: Metadata, maxBytes: number): Record<string, string> {
  const headers: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    const encoded = encodeName(name);
    headers[encoded] = encodeValue(value);
    bytes += encoded.length + headers[encoded].length;
  }
  if (bytes > maxBytes) throw new StoreError("too-large", `metadata takes ${bytes} bytes as headers, the service holds ${maxBytes}`, { applied: false });
  return headers;
}

export function fromHeaders(headers: Readonly<Record<string, string>>): Metadata {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    // A header of this name would set the prototype instead of a member.
    Object.defineProperty(metadata, decodeName(name), { value: decodeValue(value), enumerable: true, configurable: true, writable: true });
  }
  return metadata;
}
