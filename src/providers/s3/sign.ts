/**
 * Signature version 4 for the requests that go past the SDK: @smithy/signature-v4 with the hashes of node:crypto.
 *
 *   const headers = await signer.sign({ method: "GET", path: "/bucket/key", query: {}, headers: {}, body: undefined });
 */
import { hash } from "node:crypto";
import type { SignatureV4 } from "@smithy/signature-v4";
import type { Clock } from "../../store/index.ts";
import type { S3Credentials } from "./credentials.ts";

export interface Signable {
  readonly method: string;
  /** Escaped, without the query. */
  readonly path: string;
  /** Not escaped. */
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | "stream" | undefined;
}
export interface Signer {
  /** All headers to send, `host` included. */
  sign(request: Signable): Promise<Record<string, string>>;
}

const EMPTY = new Uint8Array(0);
const EMPTY_HASH = hash("sha256", "");
/** Over TLS nobody changes the bytes on the way, so only small bodies are worth their hash. */
const HASHED_OVER_TLS = 64 * 1024;

/** The two blocks that an HMAC puts before what it hashes. */
interface Pads {
  readonly inner: Uint8Array;
  readonly outer: Uint8Array;
}
const BLOCK = 64;
/** A signing key is the same array for a day, so its pads are made once. */
const padsOfKeys = new WeakMap<object, Pads>();

function padsOf(secret: string | ArrayBuffer | ArrayBufferView): Pads {
  const known = typeof secret === "string" ? undefined : padsOfKeys.get(secret);
  if (known !== undefined) return known;
  const given = typeof secret === "string" ? Buffer.from(secret) : bytesOf(secret);
  const key = given.byteLength > BLOCK ? hash("sha256", given, "buffer") : given;
  const pads: Pads = { inner: new Uint8Array(BLOCK).fill(0x36), outer: new Uint8Array(BLOCK).fill(0x5c) };
  for (let i = 0; i < key.byteLength; i++) {
    pads.inner[i] = 0x36 ^ (key[i] as number);
    pads.outer[i] = 0x5c ^ (key[i] as number);
  }
  if (typeof secret !== "string") padsOfKeys.set(secret, pads);
  return pads;
}

/** What the signer takes for SHA-256 and HMAC. One-shot hashes: an Hmac object of Node costs three times as much as what it computes. */
export class NodeSha256 {
  readonly #pads: Pads | undefined;
  #data: Uint8Array = EMPTY;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#pads = secret === undefined ? undefined : padsOf(secret);
  }
  update(data: Uint8Array): void {
    this.#data = this.#data.byteLength === 0 ? data : Buffer.concat([this.#data, data]);
  }
  digest(): Promise<Uint8Array> {
    const pads = this.#pads;
    if (pads === undefined) return Promise.resolve(hash("sha256", this.#data, "buffer"));
    const inner = hash("sha256", Buffer.concat([pads.inner, this.#data]), "buffer");
    return Promise.resolve(hash("sha256", Buffer.concat([pads.outer, inner]), "buffer"));
  }
  reset(): void {
    this.#data = EMPTY;
  }
}

function bytesOf(secret: ArrayBuffer | ArrayBufferView): Uint8Array {
  return secret instanceof ArrayBuffer ? new Uint8Array(secret) : new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength);
}

export function makeSigner(
  Signature: typeof SignatureV4,
  base: URL,
  region: string,
  credentials: () => S3Credentials | Promise<S3Credentials>,
  clock: Clock,
): Signer {
  const signature = new Signature({
    service: "s3",
    region,
    credentials: async () => {
      const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
      return sessionToken === undefined ? { accessKeyId, secretAccessKey } : { accessKeyId, secretAccessKey, sessionToken };
    },
    sha256: NodeSha256,
    uriEscapePath: false, // S3 signs the path as it is sent
    applyChecksum: false,
  });
  const secure = base.protocol === "https:";
  return {
    async sign({ method, path, query, headers, body }) {
      const signed = await signature.sign(
        {
          method,
          protocol: base.protocol,
          hostname: base.hostname,
          path,
          query: query,
          headers: { ...headers, host: base.host, "x-amz-content-sha256": payloadHash(body, secure) },
          body: undefined,
        },
        { signingDate: new Date(clock.now()) },
      );
      return signed.headers;
    },
  };
}

function payloadHash(body: Signable["body"], secure: boolean): string {
  if (body === undefined || body.length === 0) return EMPTY_HASH;
  if (body === "stream" || (secure && body.byteLength > HASHED_OVER_TLS)) return "UNSIGNED-PAYLOAD";
  return hash("sha256", body);
}
