/**
 * Signature version 4 for the requests that go past the SDK: @smithy/signature-v4 with the hashes of node:crypto.
 *
 *   const headers = await signer.sign({ method: "GET", path: "/bucket/key", query: {}, headers: {}, body: undefined });
 */
import { createHash, createHmac, hash, type Hash, type Hmac } from "node:crypto";
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

const EMPTY_HASH = hash("sha256", "");
/** Over TLS nobody changes the bytes on the way, so only small bodies are worth their hash. */
const HASHED_OVER_TLS = 64 * 1024;

class NodeSha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", typeof secret === "string" ? secret : bytesOf(secret));
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
  reset(): void {
    throw new Error("a hash is used once");
  }
}

function bytesOf(secret: ArrayBuffer | ArrayBufferView): Uint8Array {
  return secret instanceof ArrayBuffer ? new Uint8Array(secret) : new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength);
}

export function makeSigner(Signature: typeof SignatureV4, base: URL, region: string, credentials: () => S3Credentials | Promise<S3Credentials>, clock: Clock): Signer {
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
          query: query as Record<string, string>,
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
