/**
 * A loopback HTTP server that answers as a test says, and keeps what it was asked.
 *
 *   await using server = await scripted((request) => (request.method === "HEAD" ? { status: 404 } : undefined));
 *   ...; expect(server.log).toEqual(["HEAD /bucket/a"]);
 *
 * A request for which the script has no answer gets 599, which no code knows, and fails the test when the server is closed.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { s3, type S3Options } from "../../../src/providers/s3/index.ts";

export interface Seen {
  readonly method: string;
  /** As it came, the query included. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  /** False: the connection broke off before the announced length. */
  readonly complete: boolean;
}
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Bytes of the body after which the connection is dropped. */
  readonly cutAt?: number;
  readonly delayMs?: number;
}
/** drop: the connection is reset without an answer; hang: nothing ever comes. */
export type Answer = Reply | "drop" | "hang" | undefined;

export interface Scripted extends AsyncDisposable {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** "METHOD /path?query" of all requests so far. */
  readonly log: readonly string[];
  /** Open connections. */
  readonly connections: number;
}

export async function scripted(script: (request: Seen, count: number) => Answer | Promise<Answer>): Promise<Scripted> {
  const seen: Seen[] = [];
  const unexpected: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    request.on("error", () => {});
    void answer(request, response);
  });
  // As some servers and proxies do: the answer comes when the body has come.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => void answer(request, response));
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    let complete = true;
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      complete = false;
    }
    const url = request.url ?? "";
    const [path = "", query = ""] = url.split("?");
    const one: Seen = {
      method: request.method ?? "",
      url,
      path,
      query: new URLSearchParams(query),
      headers: request.headers,
      body: Buffer.concat(chunks),
      complete,
    };
    seen.push(one);
    if (!complete) return;
    const reply = await script(one, seen.length);
    if (reply === "hang") return;
    if (reply === "drop") return void request.socket.destroy();
    if (reply === undefined) unexpected.push(`${one.method} ${url}`);
    const { status, headers = {}, body = "", cutAt, delayMs } = reply ?? { status: 599 };
    if (delayMs !== undefined) await new Promise((done) => setTimeout(done, delayMs));
    const bytes = Buffer.from(body);
    response.writeHead(status, { "content-length": String(bytes.byteLength), ...headers });
    if (request.method === "HEAD") response.end();
    else if (cutAt === undefined) response.end(bytes);
    else response.write(bytes.subarray(0, cutAt), () => request.socket.destroy());
  };
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    get log() {
      return seen.map(({ method, url }) => `${method} ${url}`);
    },
    get connections() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
      if (unexpected.length > 0) throw new Error(`requests that the script has no answer for: ${unexpected.join(", ")}`);
    },
  };
}

export const keys = { accessKeyId: "AKIDTEST", secretAccessKey: "secret-of-the-test" } as const;
export const transports = ["direct", "sdk"] as const;

export function storeAt(server: Pick<Scripted, "url">, options: Partial<S3Options> = {}): ReturnType<typeof s3> {
  return s3({ bucket: "bucket", endpoint: server.url, region: "us-east-1", vendor: "generic", credentials: keys, folderMarkers: false, ...options });
}

export function failure(status: number, code: string, more = ""): Reply {
  return { status, headers: { "content-type": "application/xml" }, body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message></Message>${more}</Error>` };
}
export function listing(keys: readonly { readonly key: string; readonly size?: number }[], next?: string, prefixes: readonly string[] = []): Reply {
  const contents = keys.map(
    ({ key, size = 0 }) =>
      `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>2026-11-21T09:30:59.955Z</LastModified><ETag>"e"</ETag><Size>${size}</Size></Contents>`,
  );
  const common = prefixes.map((prefix) => `<CommonPrefixes><Prefix>${encodeURIComponent(prefix)}</Prefix></CommonPrefixes>`);
  const more =
    next === undefined ? "<IsTruncated>false</IsTruncated>" : `<IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken>`;
  return {
    status: 200,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType>${more}${contents.join("")}${common.join("")}</ListBucketResult>`,
  };
}
