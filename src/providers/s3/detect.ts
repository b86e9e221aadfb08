/**
 * Finds out whose service an endpoint is, from what it says without being asked to do anything.
 *
 *   const { vendor, evidence } = await detectS3({ endpoint: "https://s3.example.org" });
 *   const store = s3({ bucket: "photos", endpoint: "https://s3.example.org", vendor });
 *
 * One request without credentials. What it cannot tell is `generic`, whose capabilities hold everywhere.
 */
import { StoreError } from "../../store/index.ts";
import { translate } from "./errors.ts";
import { loadUndici } from "./load.ts";
import type { VendorName } from "./vendors.ts";
import { childText, parseXml, XmlError, type XmlElement } from "./xml.ts";

export interface DetectedS3 {
  readonly vendor: VendorName;
  /** What made it so, for people. */
  readonly evidence: string;
}

/** By the host, which is the vendor's own and nobody else's. */
const HOSTS: readonly (readonly [RegExp, VendorName])[] = [
  [/(?:^|\.)amazonaws\.com(?:\.cn)?$/, "aws"],
  [/(?:^|\.)storage\.googleapis\.com$/, "google"],
  [/\.r2\.cloudflarestorage\.com$/, "r2"],
  [/\.backblazeb2\.com$/, "b2"],
];
const MAX_BODY_BYTES = 64 * 1024;

/** @throws StoreError `unavailable` where nobody answers, `config` for what is no address */
export async function detectS3({
  endpoint,
  signal,
  timeoutMs = 10_000,
}: {
  readonly endpoint: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}): Promise<DetectedS3> {
  const url = URL.parse(endpoint.includes("://") ? endpoint : `https://${endpoint}`);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) throw new StoreError("config", "endpoint is an http or https address");
  const host = HOSTS.find(([pattern]) => pattern.test(url.hostname));
  if (host !== undefined) return { vendor: host[1], evidence: "the host name" };
  const { request } = await loadUndici();
  try {
    const answer = await request(new URL("/", url), {
      method: "GET",
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    const text = (await limited(answer.body)).toString("utf8");
    return byAnswer((name) => [answer.headers[name]].flat()[0], text);
  } catch (error) {
    throw (
      translate(error, { operation: "" }, Date.now()) ??
      new StoreError(signal?.aborted === true ? "aborted" : "unavailable", "the endpoint did not answer", { cause: error })
    );
  }
}

async function limited(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks);
}

export function byAnswer(header: (name: string) => string | undefined, text: string): DetectedS3 {
  const server = header("server") ?? "";
  if (/^MinIO/i.test(server)) return { vendor: "minio", evidence: `server: ${server}` };
  if (/^AmazonS3/i.test(server)) return { vendor: "aws", evidence: `server: ${server}` };
  if (/^cloudflare/i.test(server) && header("x-amz-request-id") === undefined && header("cf-ray") !== undefined && /<Error/.test(text))
    return { vendor: "r2", evidence: `server: ${server}` };
  if (/^UploadServer/i.test(server)) return { vendor: "google", evidence: `server: ${server}` };
  const answer = element(text);
  // radosgw names the zone of the host in every error, and its request ids begin with tx and hold two dashes before the zone.
  const request = header("x-amz-request-id") ?? "";
  if (/^tx[0-9a-f]{21}-[0-9a-f]{10}-[0-9a-f]+-/.test(request)) return { vendor: "ceph", evidence: "the form of its request ids" };
  if (answer !== undefined && childText(answer, "HostId") !== undefined && /-[^-]+-[^-]+$/.test(childText(answer, "HostId") ?? ""))
    return { vendor: "ceph", evidence: "the host id of its error" };
  if (header("x-openstack-request-id") !== undefined || header("x-trans-id") !== undefined) return { vendor: "swift", evidence: "its transaction ids" };
  return { vendor: "generic", evidence: "nothing tells the vendor" };
}

function element(text: string): XmlElement | undefined {
  try {
    return parseXml(text);
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}
