/**
 * What a 207 says, resource by resource. The package reads the XML; around it stand the guards for what it would lose:
 * it keeps the first propstat of a resource, whatever its status; reads "1e5" as a number; and takes half a document for a whole one.
 */
import { StoreError } from "../../store/index.ts";
import type { WebdavPackage } from "./sdk.ts";

export interface Resource {
  /** As answered: relative or absolute, encoded in the server's own way. */
  readonly href: string;
  /** Of the resource itself, where the answer has one instead of properties; else 200. */
  readonly status: number;
  /** Properties found, by local name: text, or for elements with children an object. Servers without namespaces, or with any prefix, look the same. */
  readonly props: Readonly<Record<string, unknown>>;
}

const CLOSED = /<\/(?:[\w.-]+:)?multistatus\s*>\s*(?:<!--[\s\S]*?-->\s*)*$|<(?:[\w.-]+:)?multistatus\b[^>]*\/>\s*$/;
const RESPONSE = /<((?:[\w.-]+:)?response)(?=[\s>])[^>]*>[\s\S]*?<\/\1\s*>/g;
const PROPSTAT = /<((?:[\w.-]+:)?propstat)(?=[\s>])[^>]*>[\s\S]*?<\/\1\s*>/g;
const FAILED = /<(?:[\w.-]+:)?status(?:\s[^>]*)?>\s*HTTP\/\S+\s+(?!2)\d/i;
/** From the end of the properties of one propstat to the beginning of those of the next. */
const SEAM = /<\/(?:[\w.-]+:)?prop\s*>(?:(?!<(?:[\w.-]+:)?prop[\s/>])[\s\S])*?<(?:[\w.-]+:)?prop(?:\s[^>]*)?>/g;

/** @throws StoreError `unavailable` for what is no whole multistatus. */
export async function parseMultistatus(text: string, { parseXML }: Pick<WebdavPackage, "parseXML">): Promise<Resource[]> {
  if (!CLOSED.test(text.slice(-2000))) throw broken();
  let parsed: Awaited<ReturnType<WebdavPackage["parseXML"]>>;
  try {
    parsed = await parseXML(onlyFound(text), { attributeNamePrefix: "@", attributeParsers: [], tagParsers: [() => undefined] });
  } catch (cause) {
    throw broken(cause);
  }
  return parsed.multistatus.response.filter((response) => response !== undefined && response !== "").map(resource);
}

/** Each resource with one propstat, of everything that was found. */
function onlyFound(text: string): string {
  const propstats = text.match(/<\/(?:[\w.-]+:)?propstat\s*>/g)?.length ?? 0;
  const responses = text.match(/<\/(?:[\w.-]+:)?response\s*>/g)?.length ?? 0;
  if (propstats <= responses && !FAILED.test(text)) return text;
  return text.replace(RESPONSE, (response) => {
    const found = response.replace(PROPSTAT, (propstat) => (FAILED.test(propstat) ? "" : propstat));
    return found.match(/<\/(?:[\w.-]+:)?propstat\s*>/g)?.length === 1 ? found : found.replace(SEAM, "");
  });
}

function resource(response: unknown): Resource {
  const { href, status, propstat } = response as { href?: unknown; status?: unknown; propstat?: { prop?: unknown } };
  const { prop } = propstat ?? {};
  const code = /^HTTP\/\S+\s+(\d{3})/i.exec(textOf(status) ?? "")?.[1];
  return {
    href: textOf(Array.isArray(href) ? href[0] : href) ?? "",
    status: code === undefined ? 200 : Number(code),
    props: typeof prop === "object" && prop !== null ? (prop as Record<string, unknown>) : {},
  };
}

/** The text of an element, whether or not it carries attributes. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return textOf(value[0]);
  if (typeof value === "object" && value !== null && "text" in value) return textOf(value.text);
  return undefined;
}

function broken(cause?: unknown): StoreError {
  return new StoreError("unavailable", "the server's listing broke off or is no XML", { cause });
}
