/**
 * The XML messages of S3 that the direct transport reads and writes, each checked for what it must say.
 *
 *   readPage(parseXml(text))  ->  { objects, prefixes, next }
 */
import { bareEtag, wholeSeconds, type FailedKey, type KeyPage, type Stored } from "./wire.ts";
import { unescapeKey } from "./keys.ts";
import { children, childText, escapeXml, parseXml, XmlError, type XmlElement } from "./xml.ts";

function must(element: XmlElement, name: string): string {
  const text = childText(element, name);
  if (text === undefined) throw new XmlError(`${element.name} without ${name}`);
  return text;
}
function root(element: XmlElement, name: string): void {
  if (element.name !== name) throw new XmlError(`${name} was expected`);
}

/** ListObjectsV2, asked for with `encoding-type=url`. */
export function readPage(list: XmlElement): KeyPage {
  root(list, "ListBucketResult");
  // A service that does not know the parameter says so by leaving the element out, and sends names as they are.
  const name = childText(list, "EncodingType") === "url" ? unescapeKey : (text: string): string => text;
  const truncated = must(list, "IsTruncated") === "true";
  const next = childText(list, "NextContinuationToken");
  if (truncated && (next === undefined || next === "")) throw new XmlError("a page that is not the last and names no next one");
  return {
    objects: children(list, "Contents").map((each) => {
      const size = Number(must(each, "Size"));
      if (!Number.isSafeInteger(size) || size < 0) throw new XmlError("a size that is no number");
      return { key: name(must(each, "Key")), size, etag: bareEtag(childText(each, "ETag")), modifiedMs: wholeSeconds(childText(each, "LastModified")) };
    }),
    prefixes: children(list, "CommonPrefixes").map((each) => name(must(each, "Prefix"))),
    next: truncated ? (next as string) : null,
  };
}

/** CopyObject and UploadPartCopy. */
export function readStored(result: XmlElement): Omit<Stored, "encrypted"> {
  if (!/^Copy(?:Object|Part)Result$/.test(result.name)) throw new XmlError("a result of a copy was expected");
  return { etag: bareEtag(must(result, "ETag")), modifiedMs: wholeSeconds(childText(result, "LastModified")) };
}

/** Only the keys that could not be removed: a quiet answer names no others. */
export function readDeleted(result: XmlElement): FailedKey[] {
  root(result, "DeleteResult");
  return children(result, "Error").map((each) => ({
    key: childText(each, "Key") ?? "",
    code: childText(each, "Code") ?? "",
    message: childText(each, "Message") ?? "",
  }));
}

export function writeDelete(keys: readonly string[]): string {
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`);
  return `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects.join("")}</Delete>`;
}

/** Whatever comes with a refusal: an error of S3, a page of a proxy, or nothing. Never fails, for the status says enough. */
export function readError(text: string): {
  readonly code: string;
  readonly message?: string | undefined;
  readonly region?: string | undefined;
  readonly size?: number | undefined;
} {
  if (!text.includes("<Error")) return { code: "" };
  try {
    const error = parseXml(text);
    const size = Number(childText(error, "ActualObjectSize") ?? Number.NaN);
    return {
      code: error.name === "Error" ? (childText(error, "Code") ?? "") : "",
      message: childText(error, "Message"),
      region: childText(error, "Region"),
      size: Number.isSafeInteger(size) ? size : undefined,
    };
  } catch (error) {
    if (error instanceof XmlError) return { code: "" };
    throw error;
  }
}
