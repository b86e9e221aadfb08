/**
 * Digest authentication (RFC 7616): MD5 and SHA-256, with and without "-sess", qop "auth" or none.
 *
 * The webdav package has one of its own that gives parallel requests one nonce count, hashes the second half by MD5 whatever was asked and takes a
 * stale nonce for a wrong password; a count of its own for each request is why this one exists.
 */
import { createHash } from "node:crypto";
import type { Challenge } from "./challenge.ts";

export interface Digest {
  readonly nonce: string;
  /** The header of one request; counts up. `uri` as it stands in the request line. */
  authorize(method: string, uri: string): string;
}

const ALGORITHMS: Readonly<Record<string, "md5" | "sha256">> = { md5: "md5", "md5-sess": "md5", "sha-256": "sha256", "sha-256-sess": "sha256" };

/** The strongest digest challenge that can be answered, or undefined. */
export function strongest(challenges: readonly Challenge[]): Challenge | undefined {
  const usable = challenges.filter(({ scheme, params }) => {
    if (scheme !== "digest" || params["nonce"] === undefined) return false;
    const qop = params["qop"];
    return ALGORITHMS[algorithmOf(params)] !== undefined && (qop === undefined || qop === "" || /(?:^|[\s,])auth(?:$|[\s,])/.test(qop));
  });
  return usable.find(({ params }) => algorithmOf(params).startsWith("sha-256")) ?? usable[0];
}

function algorithmOf(params: Readonly<Record<string, string>>): string {
  return (params["algorithm"] || "MD5").toLowerCase();
}

export function digestOf({ params }: Challenge, username: string, password: string, random: () => number): Digest {
  const algorithm = algorithmOf(params);
  const hash = (text: string): string =>
    createHash(ALGORITHMS[algorithm] as string)
      .update(text, "utf8")
      .digest("hex");
  const { realm = "", nonce = "", opaque } = params;
  const qop = params["qop"] ? "auth" : undefined;
  const cnonce = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  const secret = hash(`${username}:${realm}:${password}`);
  const ha1 = algorithm.endsWith("-sess") ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  let count = 0;
  return {
    nonce,
    authorize(method, uri) {
      const nc = (++count).toString(16).padStart(8, "0");
      const ha2 = hash(`${method}:${uri}`);
      const response = qop === undefined ? hash(`${ha1}:${nonce}:${ha2}`) : hash(`${ha1}:${nonce}:${nc}:${cnonce}:${qop}:${ha2}`);
      const parts = [`username=${quoted(username)}`, `realm=${quoted(realm)}`, `nonce=${quoted(nonce)}`, `uri=${quoted(uri)}`, `response="${response}"`];
      if (params["algorithm"]) parts.push(`algorithm=${params["algorithm"]}`);
      if (opaque !== undefined) parts.push(`opaque=${quoted(opaque)}`);
      if (qop !== undefined) parts.push(`qop=${qop}`, `nc=${nc}`, `cnonce="${cnonce}"`);
      // Header values are bytes to node:http, one per character.
      return Buffer.from(`Digest ${parts.join(", ")}`, "utf8").toString("latin1");
    },
  };
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
