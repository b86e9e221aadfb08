/**
 * A second way to an S3 bucket: signature version 4 written out by hand over node:http. Shares nothing with the provider, so that a mistake made
 * both when writing and when reading shows.
 *
 *     const raw = rawS3(ceph, "bucket", "prefix/");
 *     await raw.put("a/b.txt", bytes);   // key "prefix/a/b.txt"
 */
import { createHash, createHmac } from "node:crypto";
import type { SecondChannel } from "../../src/conformance/subject.ts";
import type { S3Connection } from "./connection.ts";
import { percentEncode, rawHttp, xmlElements, xmlText } from "./raw-http.ts";
import type { RawAnswer } from "./raw-http.ts";

export interface RawS3 extends SecondChannel {
  /** Removes one object; no error when there is none. */
  delete(path: string): Promise<void>;
  /** All keys below `prefix` (of the channel), the whole key without the channel's prefix, in the service's order. */
  keys(prefix?: string): Promise<readonly string[]>;
  /** Stored headers of an object, or undefined. */
  head(path: string): Promise<RawAnswer["headers"] | undefined>;
  createBucket(): Promise<void>;
  /** Removes all objects, open uploads and the bucket. */
  destroy(): Promise<void>;
  /** `key (upload id)` of every upload that was begun and neither completed nor aborted. */
  openUploads(): Promise<readonly string[]>;
  /** Any signed request on the bucket; `key` undefined is the bucket itself. */
  request(
    method: string,
    key: string | undefined,
    query?: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
    body?: Uint8Array,
  ): Promise<RawAnswer>;
}

type Where = Pick<S3Connection, "endpoint" | "region" | "accessKeyId" | "secretAccessKey">;

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Uint8Array, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** Names of the direct children of `dir` (plain names; a "directory" once) in code unit order. */
export function children(dir: string, paths: readonly string[]): string[] {
  const base = dir === "" ? "" : `${dir}/`;
  const names = new Set<string>();
  for (const path of paths) {
    if (!path.startsWith(base) || path === base) continue;
    names.add(path.slice(base.length).split("/")[0] as string);
  }
  return [...names].sort();
}

/** `pageSize` is how many keys or uploads are asked for at once, 1 to 1000. */
export function rawS3(where: Where, bucket: string, prefix = "", pageSize = 1000): RawS3 {
  const { host } = new URL(where.endpoint);

  const request: RawS3["request"] = async (method, key, query = {}, headers = {}, body = new Uint8Array()) => {
    const path = `/${percentEncode(bucket)}${key === undefined ? "" : `/${percentEncode(key, "/")}`}`;
    const search = Object.entries(query)
      .map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`)
      .join("&");
    const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = `${time.slice(0, 8)}/${where.region}/s3/aws4_request`;
    const signed: Record<string, string> = { host, "x-amz-content-sha256": sha256(body), "x-amz-date": time };
    for (const [name, value] of Object.entries(headers)) signed[name.toLowerCase()] = value;
    const names = Object.keys(signed).sort();
    const canonical = [method, path, search, ...names.map((name) => `${name}:${signed[name]?.trim()}`), "", names.join(";"), sha256(body)].join("\n");
    const toSign = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
    const key4 = [where.region, "s3", "aws4_request"].reduce<Buffer>(
      (previous, part) => hmac(previous, part),
      hmac(`AWS4${where.secretAccessKey}`, time.slice(0, 8)),
    );
    const authorization = `AWS4-HMAC-SHA256 Credential=${where.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${hmac(key4, toSign).toString("hex")}`;
    return rawHttp(where.endpoint, method, search === "" ? path : `${path}?${search}`, {
      headers: { ...signed, authorization },
      ...(method === "PUT" || method === "POST" ? { body } : {}),
    });
  };

  const expect = (answer: RawAnswer, what: string, ...statuses: readonly number[]): RawAnswer => {
    if (statuses.includes(answer.status)) return answer;
    throw new Error(`${what}: ${answer.status} ${answer.body.toString("utf8").slice(0, 500)}`);
  };

  const keys: RawS3["keys"] = async (below = "") => {
    const found: string[] = [];
    for (let token: string | undefined, more = true; more;) {
      const query = {
        "list-type": "2",
        "encoding-type": "url",
        "max-keys": String(pageSize),
        prefix: prefix + below,
        ...(token === undefined ? {} : { "continuation-token": token }),
      };
      const xml = expect(await request("GET", undefined, query), `list ${bucket}`, 200).body.toString("utf8");
      for (const contents of xmlElements(xml, "Contents")) {
        const key = xmlText(xmlElements(contents, "Key")[0] ?? "");
        found.push(decodeURIComponent(key.replaceAll("+", " ")).slice(prefix.length));
      }
      more = xmlElements(xml, "IsTruncated")[0] === "true";
      token = xmlText(xmlElements(xml, "NextContinuationToken")[0] ?? "");
    }
    return found;
  };

  const uploads = async (): Promise<{ key: string; id: string }[]> => {
    const found: { key: string; id: string }[] = [];
    for (let markers: Record<string, string> = {}, more = true; more;) {
      const xml = expect(
        await request("GET", undefined, { uploads: "", "encoding-type": "url", "max-uploads": String(pageSize), ...markers }),
        `uploads of ${bucket}`,
        200,
      ).body.toString("utf8");
      for (const upload of xmlElements(xml, "Upload")) {
        found.push({
          key: decodeURIComponent(xmlText(xmlElements(upload, "Key")[0] ?? "").replaceAll("+", " ")),
          id: xmlText(xmlElements(upload, "UploadId")[0] ?? ""),
        });
      }
      more = xmlElements(xml, "IsTruncated")[0] === "true";
      // The last one is the marker. NextKeyMarker is no help: Ceph doesn't url-encode it, Swift leaves it empty.
      const last = found.at(-1);
      if (more && last !== undefined && last.key === markers["key-marker"] && last.id === markers["upload-id-marker"])
        throw new Error(`uploads of ${bucket}: no progress after ${last.key}`);
      markers = { "key-marker": last?.key ?? "", "upload-id-marker": last?.id ?? "" };
    }
    return found;
  };

  const raw: RawS3 = {
    request,
    keys,
    put: async (path, bytes) => void expect(await request("PUT", prefix + path, {}, {}, bytes), `put ${path}`, 200),
    get: async (path) => {
      const answer = expect(await request("GET", prefix + path), `get ${path}`, 200, 404);
      return answer.status === 404 ? undefined : answer.body;
    },
    head: async (path) => {
      const answer = expect(await request("HEAD", prefix + path), `head ${path}`, 200, 404);
      return answer.status === 404 ? undefined : answer.headers;
    },
    delete: async (path) => void expect(await request("DELETE", prefix + path), `delete ${path}`, 204, 200, 404),
    list: async (dir) => children(dir, await keys(dir === "" ? "" : `${dir}/`)),
    createBucket: async () => void expect(await request("PUT", undefined), `create bucket ${bucket}`, 200),
    openUploads: async () => (await uploads()).map(({ key, id }) => `${key} (${id})`),
    destroy: async () => {
      if (prefix !== "") throw new Error("only a channel on the whole bucket destroys it");
      for (const { key, id } of await uploads()) expect(await request("DELETE", key, { uploadId: id }), `abort ${key}`, 204, 404);
      for (const key of await keys()) await raw.delete(key);
      expect(await request("DELETE", undefined), `delete bucket ${bucket}`, 204, 404);
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return raw;
}
