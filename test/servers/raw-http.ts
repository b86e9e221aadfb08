/**
 * One HTTP request with nothing done to it: the path goes out as it is (fetch and curl would fold `..`), the body is bytes, no redirect is
 * followed, any status is an answer.
 */
import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** `target` is what stands in the request line: path and query, percent-encoded already. */
export async function rawHttp(
  origin: string,
  method: string,
  target: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: Uint8Array; readonly timeoutMs?: number } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const { body, headers = {}, timeoutMs = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: hostname,
      port,
      method,
      path: target,
      agent: false, // A connection of its own: the channel must not share fate with anything.
      headers: { ...headers, ...(body === undefined ? {} : { "content-length": String(body.byteLength) }) },
      signal: AbortSignal.timeout(timeoutMs),
    });
    outgoing.once("error", reject);
    outgoing.once("response", (incoming) => {
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => parts.push(part));
      incoming.once("error", reject);
      incoming.once("end", () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(parts) }));
    });
    outgoing.end(body);
  });
}

/** Percent-encodes the UTF-8 of `text`, all but A-Z a-z 0-9 - . _ ~ and what `keep` holds. */
export function percentEncode(text: string, keep = ""): string {
  let encoded = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const character = String.fromCharCode(byte);
    encoded +=
      /[A-Za-z0-9\-._~]/.test(character) || (byte < 0x80 && keep.includes(character)) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** The text of an XML element's content: entities resolved. */
export function xmlText(escaped: string): string {
  return escaped.replace(
    /&(?:#x([0-9a-f]+)|#([0-9]+)|(lt|gt|amp|quot|apos));/gi,
    (_, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }[name as string] as string;
    },
  );
}

/** Contents of all elements of this local name, in order, whatever their prefix; raw XML. */
export function xmlElements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<((?:[\\w.-]+:)?)${name}(?:\\s[^>]*)?(?:/>|>([\\s\\S]*?)</\\1${name}\\s*>)`, "g"))].map((match) => match[2] ?? "");
}
