/**
 * A second way to a WebDAV server: requests written out by hand over node:http, basic or digest. Shares nothing with the provider.
 *
 *     const raw = rawDav(apache, "some/collection");
 *     await raw.put("a/b.txt", bytes); // makes the collections on the way
 */
import { createHash, randomBytes } from "node:crypto";
import type { SecondChannel } from "../../src/conformance/subject.ts";
import type { WebDavConnection } from "./connection.ts";
import { percentEncode, rawHttp, xmlElements, xmlText } from "./raw-http.ts";
import type { RawAnswer } from "./raw-http.ts";

export interface RawDav extends SecondChannel {
  /** Removes a file or a collection with all below; no error when there is none. */
  delete(path: string): Promise<void>;
  mkdir(path: string): Promise<void>;
  /** Any authenticated request; `path` below the channel's collection, with a `/` at its end where wanted. */
  request(method: string, path: string, headers?: Readonly<Record<string, string>>, body?: Uint8Array): Promise<RawAnswer>;
}
type Where = Pick<WebDavConnection, "url" | "username" | "password">;

/** `url` is the connection's basic URL unless another is given, such as `digestUrl`. */
export function rawDav(where: Where, below = "", { url = where.url, digest = false }: { readonly url?: string; readonly digest?: boolean } = {}): RawDav {
  const { origin, pathname } = new URL(url);
  const root = pathname.replace(/\/$/, "");
  const target = (path: string): string =>
    `${root}/${[...below.split("/"), ...path.split("/")]
      .filter((part) => part !== "")
      .map((part) => percentEncode(part))
      .join("/")}${path.endsWith("/") && path !== "/" ? "/" : ""}`;

  const request: RawDav["request"] = async (method, path, headers = {}, body) => {
    const send = async (authorization?: string): Promise<RawAnswer> =>
      rawHttp(origin, method, target(path), {
        headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
        ...(body === undefined ? {} : { body }),
      });
    if (!digest) return send(`Basic ${Buffer.from(`${where.username}:${where.password}`).toString("base64")}`);
    const challenge = await rawHttp(origin, "OPTIONS", target(path));
    return send(digestAnswer(where, challenge.headers["www-authenticate"] ?? "", method, target(path)));
  };
  const expect = (answer: RawAnswer, what: string, ...statuses: readonly number[]): RawAnswer => {
    if (statuses.includes(answer.status)) return answer;
    throw new Error(`${what}: ${answer.status} ${answer.body.toString("utf8").slice(0, 500)}`);
  };
  // nginx wants the slash; 405 says that it is there already, 201 with rclone too.
  const mkdir = async (path: string): Promise<void> => {
    const parts = [...below.split("/"), ...path.split("/")].filter((part) => part !== "");
    const whole = rawDavAt(where, url, digest);
    for (let n = 1; n <= parts.length; n += 1) {
      const each = `${parts.slice(0, n).join("/")}/`;
      const answer = await whole(each);
      // Of two who make it at once Apache tells one 403; asked again it says that it is there.
      expect(answer.status === 403 ? await whole(each) : answer, `mkcol ${each}`, 201, 405, 301);
    }
  };
  return {
    request,
    mkdir,
    put: async (path, bytes) => {
      await mkdir(path.split("/").slice(0, -1).join("/"));
      expect(await request("PUT", path, {}, bytes), `put ${path}`, 200, 201, 204);
    },
    get: async (path) => {
      const answer = expect(await request("GET", path), `get ${path}`, 200, 404);
      return answer.status === 404 ? undefined : answer.body;
    },
    delete: async (path) => {
      const answer = await request("DELETE", path);
      // A collection without its slash: Apache redirects, nginx calls it a conflict.
      if (answer.status === 301 || answer.status === 409 || answer.status === 400)
        return void expect(await request("DELETE", `${path}/`), `delete ${path}/`, 200, 204, 404);
      expect(answer, `delete ${path}`, 200, 204, 404);
    },
    list: async (dir) => {
      const body = Buffer.from('<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>');
      const asked = dir === "" ? "/" : `${dir}/`;
      const answer = expect(await request("PROPFIND", asked, { depth: "1", "content-type": "application/xml" }, body), `list ${dir}`, 207, 404);
      if (answer.status === 404) return [];
      const own = target(asked).replace(/\/$/, "");
      const names = xmlElements(answer.body.toString("utf8"), "href").map((href) =>
        decodeURIComponent(new URL(xmlText(href.trim()), url).pathname.replace(/\/$/, "")),
      );
      return names
        .filter((name) => name !== decodeURIComponent(own))
        .map((name) => name.slice(name.lastIndexOf("/") + 1))
        .sort();
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function rawDavAt(where: Where, url: string, digest: boolean): (path: string) => Promise<RawAnswer> {
  const whole = rawDav(where, "", { url, digest });
  return async (path) => whole.request("MKCOL", path);
}

/** RFC 7616 with MD5 and qop=auth, which is what mod_auth_digest does. */
function digestAnswer(where: Where, challenge: string, method: string, uri: string): string {
  const field = (name: string): string => {
    const found = new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.[1];
    if (found === undefined) throw new Error(`no ${name} in the digest challenge: ${challenge}`);
    return found;
  };
  const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
  const [realm, nonce, cnonce, nc] = [field("realm"), field("nonce"), randomBytes(8).toString("hex"), "00000001"];
  const response = md5([md5(`${where.username}:${realm}:${where.password}`), nonce, nc, cnonce, "auth", md5(`${method}:${uri}`)].join(":"));
  return `Digest username="${where.username}", realm="${realm}", nonce="${nonce}", uri="${uri}", cnonce="${cnonce}", nc=${nc}, qop=auth, response="${response}", algorithm=MD5`;
}
