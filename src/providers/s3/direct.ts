/**
 * The hot verbs without the SDK: signed by @smithy/signature-v4, sent over an undici pool, answered in plain facts.
 *
 *   const wire = new DirectWire(session, undici, SignatureV4);
 *   const facts = await wire.head("photos/a.jpg", signal);
 *
 * The middleware of the SDK costs about five times what signing and sending cost.
 */
import { createHash } from "node:crypto";
import type { SignatureV4 } from "@smithy/signature-v4";
import type { Dispatcher } from "undici";
import { exchange, headerOf, type Answer, type Request, type Timeouts } from "./exchange.ts";
import { innerFailure, isFailure, NO_ETAG, S3Failure, sizeFromContentRange } from "./failure.ts";
import { escapeKey } from "./keys.ts";
import { fromHeaders, toHeaders } from "./metadata.ts";
import { readDeleted, readError, readPage, readStored, writeDelete } from "./messages.ts";
import type { Session } from "./session.ts";
import { makeSigner, type Signer } from "./sign.ts";
import {
  bareEtag,
  placeOf,
  wholeSeconds,
  type BucketFacts,
  type FailedKey,
  type KeyPage,
  type KeyQuery,
  type ObjectBody,
  type ObjectFacts,
  type Properties,
  type PutBody,
  type PutConditions,
  type Stored,
  type Wire,
} from "./wire.ts";
import { childText, parseXml, XmlError, type XmlElement } from "./xml.ts";

type Undici = Pick<typeof import("undici"), "Pool">;

interface Asked {
  readonly method: Request["method"];
  /** Undefined: the bucket itself. */
  readonly key?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Record<string, string> | undefined;
  readonly body?: PutBody | undefined;
  readonly want?: "whole" | "stream" | undefined;
}
/** What is built from the facts of the session, and anew when they change. */
interface Line {
  readonly generation: number;
  readonly pool: Dispatcher;
  readonly signer: Signer;
  readonly path: string;
}

const META = "x-amz-meta-";
const NONE: Readonly<Record<string, string>> = {};

export class DirectWire implements Wire {
  readonly #session: Session;
  readonly #undici: Undici;
  readonly #Signature: typeof SignatureV4;
  readonly #timeouts: Timeouts;
  readonly #pools = new Map<string, Dispatcher>();
  #line: Line | undefined;

  constructor(session: Session, undici: Undici, Signature: typeof SignatureV4) {
    this.#session = session;
    this.#undici = undici;
    this.#Signature = Signature;
    this.#timeouts = { answerMs: session.settings.answerTimeoutMs, idleMs: session.settings.idleTimeoutMs };
  }

  async headBucket(signal: AbortSignal | undefined): Promise<BucketFacts> {
    const answer = await this.#send({ method: "HEAD" }, signal);
    const number = (name: string): number | null => {
      const value = Number(headerOf(answer, name) ?? Number.NaN);
      return Number.isNaN(value) ? null : value;
    };
    return { usedBytes: number("x-rgw-bytes-used"), quotaBytes: number("x-rgw-quota-bucket-size") };
  }

  async head(key: string, signal: AbortSignal | undefined): Promise<ObjectFacts> {
    return factsOf(await this.#send({ method: "HEAD", key }, signal));
  }

  async get(
    key: string,
    range: string | undefined,
    ifMatch: string | undefined,
    ifNoneMatch: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ObjectBody> {
    const headers: Record<string, string> = {};
    if (range !== undefined) headers["range"] = range;
    if (ifMatch !== undefined) headers["if-match"] = `"${ifMatch}"`;
    if (ifNoneMatch !== undefined) headers["if-none-match"] = `"${ifNoneMatch}"`;
    const answer = await this.#send({ method: "GET", key, headers, want: "stream" }, signal);
    return { ...placeOf(factsOf(answer), answer.status === 206, headerOf(answer, "content-range")), body: answer.body };
  }

  async put(
    key: string,
    body: PutBody,
    properties: Properties,
    conditions: PutConditions,
    md5: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Stored> {
    const headers = this.#properties(properties);
    if (conditions.ifAbsent) headers["if-none-match"] = "*";
    if (conditions.ifMatch !== undefined) headers["if-match"] = this.#session.vendor.quotedPutEtag ? `"${conditions.ifMatch}"` : conditions.ifMatch;
    if (md5 !== undefined) headers["content-md5"] = Buffer.from(md5, "hex").toString("base64");
    const answer = await this.#send({ method: "PUT", key, headers, body }, signal);
    const etag = headerOf(answer, "etag");
    // Every service names one; a proxy that answers in its place does not.
    if (etag === undefined) throw innerFailure(NO_ETAG, "a file without an etag");
    return { etag: bareEtag(etag), modifiedMs: null, encrypted: isEncrypted(answer) };
  }

  async remove(key: string, ifMatch: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    await this.#send({ method: "DELETE", key, headers: ifMatch === undefined ? undefined : { "if-match": `"${ifMatch}"` } }, signal);
  }

  async removeMany(keys: readonly string[], signal: AbortSignal | undefined): Promise<readonly FailedKey[]> {
    const body = Buffer.from(writeDelete(keys));
    // Swift demands it, AWS takes it for its checksum, and the SDK never sends it.
    const headers = { "content-md5": createHash("md5").update(body).digest("base64"), "content-type": "application/xml" };
    return readDeleted(xmlOf(await this.#send({ method: "POST", query: { delete: "" }, headers, body }, signal)));
  }

  async list({ prefix, delimiter, max, token }: KeyQuery, signal: AbortSignal | undefined): Promise<KeyPage> {
    const query: Record<string, string> = { "list-type": "2", "encoding-type": "url", "max-keys": String(max) };
    if (prefix !== "") query["prefix"] = prefix;
    if (delimiter !== undefined) query["delimiter"] = delimiter;
    if (token !== undefined) query["continuation-token"] = token;
    return readPage(xmlOf(await this.#send({ method: "GET", query }, signal)));
  }

  async copy(from: string, to: string, etag: string | null, ifAbsent: boolean, signal: AbortSignal | undefined): Promise<Stored> {
    const headers: Record<string, string> = { "x-amz-copy-source": `/${this.#session.settings.bucket}/${escapeKey(from)}`, "x-amz-metadata-directive": "COPY" };
    if (etag !== null) headers["x-amz-copy-source-if-match"] = `"${etag}"`;
    const { copyIfAbsent } = this.#session.vendor;
    if (ifAbsent && copyIfAbsent !== null) headers[copyIfAbsent[0]] = copyIfAbsent[1];
    const answer = await this.#send({ method: "PUT", key: to, headers }, signal);
    return { ...readStored(xmlOf(answer)), encrypted: isEncrypted(answer) };
  }

  async putPart(key: string, uploadId: string, number: number, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string> {
    const answer = await this.#send({ method: "PUT", key, query: { partNumber: String(number), uploadId }, body: bytes }, signal);
    const etag = headerOf(answer, "etag");
    if (etag === undefined) throw innerFailure("InternalError", "a part without an etag");
    return etag;
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    this.#line = undefined;
    await Promise.all(pools.map((pool) => pool.destroy(new Error("the store was closed"))));
  }

  #properties({ contentType, metadata }: Properties): Record<string, string> {
    const headers: Record<string, string> = {};
    if (contentType !== undefined) headers["content-type"] = contentType;
    if (metadata === undefined) return headers;
    for (const [name, value] of Object.entries(toHeaders(metadata, this.#session.vendor.maxMetadataBytes))) headers[META + name] = value;
    return headers;
  }

  async #send(asked: Asked, signal: AbortSignal | undefined): Promise<Answer> {
    try {
      return await this.#sendOnce(asked, signal);
    } catch (error) {
      // Refused before the service looked at anything else; a stream is spent by then and cannot go out again.
      const again = isFailure(error) && (asked.body === undefined || asked.body instanceof Uint8Array) && this.#session.learn(error);
      if (!again) throw error;
      return await this.#sendOnce(asked, signal);
    }
  }

  async #sendOnce({ method, key, query = NONE, headers = {}, body, want = "whole" }: Asked, signal: AbortSignal | undefined): Promise<Answer> {
    const line = this.#line?.generation === this.#session.generation ? this.#line : await this.#connect();
    const path = key === undefined ? line.path || "/" : `${line.path}/${escapeKey(key)}`;
    const bytes = body === undefined || body instanceof Uint8Array ? body : undefined;
    const stream = body === undefined || body instanceof Uint8Array ? undefined : body;
    const signed = await line.signer.sign({ method, path, query, headers, body: stream === undefined ? bytes : "stream" });
    // Unsigned, because proxies of some services rewrite it.
    signed["accept-encoding"] = this.#session.vendor.acceptEncoding;
    if (stream !== undefined) signed["content-length"] = String(stream.size);
    const search = Object.entries(query).map(([name, value]) => `${name}=${escapeKey(value).replaceAll("/", "%2F")}`);
    const request: Request = { method, path: search.length === 0 ? path : `${path}?${search.join("&")}`, headers: signed, body: stream?.stream ?? bytes };
    const keepAlive = method !== "HEAD" || this.#session.vendor.headKeepAlive;
    const answer = await exchange(line.pool, request, this.#timeouts, want, keepAlive, signal);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw failureOf(answer);
  }

  async #connect(): Promise<Line> {
    const { generation, settings, credentials, clock } = this.#session;
    const base = await this.#session.base();
    const region = await this.#session.region();
    let pool = this.#pools.get(base.origin);
    if (pool === undefined) {
      // Reads hold their connection until their end, so a fixed number of connections could stop a reader that writes.
      pool = new this.#undici.Pool(base.origin, { connections: null, pipelining: 1, connect: { timeout: settings.connectTimeoutMs } });
      this.#pools.set(base.origin, pool);
    }
    const path = base.pathname === "/" ? "" : base.pathname;
    return (this.#line = { generation, pool, path, signer: makeSigner(this.#Signature, base, region, () => credentials.get(), clock) });
  }
}

function xmlOf(answer: Answer): XmlElement {
  if (!(answer.body instanceof Uint8Array)) throw new XmlError("an answer that was not collected");
  const element = parseXml(Buffer.from(answer.body).toString("utf8"));
  // AWS begins an answer before it knows how a copy ends, and puts the error into a 200.
  if (element.name === "Error") throw innerFailure(childText(element, "Code") ?? "", childText(element, "Message"));
  return element;
}

function isEncrypted(answer: Answer): boolean {
  const method = headerOf(answer, "x-amz-server-side-encryption");
  return (method !== undefined && method !== "AES256") || headerOf(answer, "x-amz-server-side-encryption-customer-algorithm") !== undefined;
}

function factsOf(answer: Answer): ObjectFacts {
  const length = headerOf(answer, "content-length");
  const meta: Record<string, string> = {};
  for (const name of Object.keys(answer.headers)) if (name.startsWith(META)) meta[name.slice(META.length)] = headerOf(answer, name) ?? "";
  return {
    size: length === undefined ? null : Number(length),
    etag: bareEtag(headerOf(answer, "etag")),
    modifiedMs: wholeSeconds(headerOf(answer, "last-modified")),
    contentType: headerOf(answer, "content-type") ?? null,
    metadata: fromHeaders(meta),
    encrypted: isEncrypted(answer),
  };
}

function failureOf(answer: Answer): S3Failure {
  const text = answer.body instanceof Uint8Array ? Buffer.from(answer.body).toString("utf8") : "";
  const told = readError(text);
  return new S3Failure({
    status: answer.status,
    code: told.code,
    message: told.message,
    retryAfter: headerOf(answer, "retry-after"),
    region: headerOf(answer, "x-amz-bucket-region") ?? told.region,
    size: sizeFromContentRange(headerOf(answer, "content-range")) ?? told.size,
  });
}
