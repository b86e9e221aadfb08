/**
 * A WebDAV server that does exactly what a test says, and remembers exactly what it was asked.
 *
 *     await using server = await scripted(({ method }) => (method === "PROPFIND" ? found("/dav/a", { size: 3 }) : { status: 500 }));
 *     const store = webdav({ url: `${server.origin}/dav/` });
 *     expect(server.lines).toEqual(["PROPFIND /dav/a"]);
 */
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface Asked {
  readonly method: string;
  /** Raw, as in the request line. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** From 0. */
  readonly index: number;
  /** Which connection, from 0. */
  readonly connection: number;
}
export interface Say {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Announces more than it sends, then cuts the connection. */
  readonly cutAfter?: number;
  /** Cuts the connection without a word. */
  readonly hangUp?: boolean;
}
export interface Scripted extends AsyncDisposable {
  readonly origin: string;
  readonly asked: Asked[];
  /** "METHOD path" of each request. */
  readonly lines: readonly string[];
  /** Bodies that were announced with Expect and never asked for. */
  readonly spared: number;
}
type Script = (asked: Asked) => Say | Promise<Say>;
interface Rules {
  /** What is answered to `Expect: 100-continue` before the body: "continue" (default), "silence", or a final answer. */
  readonly expects?: (asked: Omit<Asked, "body">) => "continue" | "silence" | Say;
  /** The connection is reset as soon as some of the body is there. */
  readonly breaks?: (asked: Omit<Asked, "body">) => boolean;
}

export async function scripted(script: Script, rules: Rules = {}): Promise<Scripted> {
  const asked: Asked[] = [];
  const sockets = new Map<Socket, number>();
  let spared = 0;
  const failures: unknown[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const one: Asked = { ...headOf(request), body: Buffer.concat(chunks) };
    asked.push(one);
    const say = await script(one);
    if (say.hangUp === true) return void request.socket.resetAndDestroy();
    send(response, say);
  }
  const headOf = (request: IncomingMessage): Omit<Asked, "body"> => ({
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    index: asked.length,
    connection: sockets.get(request.socket) ?? -1,
  });
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (rules.breaks?.(headOf(request)) === true) return void request.on("error", () => {}).once("data", () => request.socket.resetAndDestroy());
    answer(request, response).catch((error: unknown) => {
      // A body that breaks off is the client's doing and part of the tests; everything else is a wrong script.
      if ((error as { code?: string }).code !== "ECONNRESET") failures.push(error);
      response.destroy();
    });
  };
  const server = createServer(handle);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    const way = rules.expects?.(headOf(request)) ?? "continue";
    if (way === "continue") response.writeContinue();
    if (typeof way === "string") return handle(request, response);
    spared++;
    asked.push({ ...headOf(request), body: Buffer.alloc(0) });
    send(response, { ...way, headers: { ...way.headers, connection: "close" } });
  });
  server.on("connection", (socket: Socket) => {
    sockets.set(socket, sockets.size);
    socket.on("error", () => {}); // Resets are what some tests are about.
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    get lines() {
      return asked.map(({ method, path }) => `${method} ${path}`);
    },
    get spared() {
      return spared;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.keys()) socket.destroy();
      await new Promise((done) => server.close(done));
      if (failures.length > 0) throw failures[0];
    },
  };
}

function send(response: ServerResponse, { status, headers = {}, body = "", cutAfter }: Say): void {
  const bytes = Buffer.from(body as string);
  if (cutAfter !== undefined) {
    response.writeHead(status, { "Content-Length": String(bytes.byteLength), ...headers });
    response.write(bytes.subarray(0, cutAfter), () => response.socket?.destroySoon());
    return;
  }
  response.writeHead(status, {
    ...(status === 204 || status === 304 || headers["Transfer-Encoding"] !== undefined ? {} : { "Content-Length": String(bytes.byteLength) }),
    ...headers,
  });
  response.end(response.req.method === "HEAD" ? undefined : bytes);
}

export interface Props {
  readonly size?: number;
  readonly etag?: string;
  readonly directory?: boolean;
  readonly modified?: string;
}
export const MODIFIED = "Sat, 21 Nov 2026 09:00:00 GMT";

/** One resource of a multistatus, in the plainest form. */
export function resource(href: string, { size, etag, directory = false, modified = MODIFIED }: Props = {}): string {
  const props = `<D:resourcetype>${directory ? "<D:collection/>" : ""}</D:resourcetype>${size === undefined ? "" : `<D:getcontentlength>${size}</D:getcontentlength>`}<D:getlastmodified>${modified}</D:getlastmodified>${etag === undefined ? "" : `<D:getetag>${etag}</D:getetag>`}`;
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${props}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`;
}
export function multistatus(...responses: readonly string[]): Say {
  return {
    status: 207,
    headers: { "Content-Type": "application/xml" },
    body: `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">${responses.join("")}</D:multistatus>`,
  };
}
export function found(href: string, props?: Props): Say {
  return multistatus(resource(href, props));
}
