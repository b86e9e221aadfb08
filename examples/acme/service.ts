/** The Acme file service itself, in memory on a loopback port: `const service = await startAcme("secret"); service.url; await service.stop()`. */
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Node {
  readonly bytes: Buffer | null;
  readonly modified: number;
}
const PAGE = 500;

export async function startAcme(token: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const nodes = new Map<string, Node>([["/", { bytes: null, modified: Date.now() }]]);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error instanceof Refusal) response.writeHead(error.status, { "content-length": Buffer.byteLength(error.message) }).end(error.message);
      else response.destroy();
    });
  });
  // A test run ends although nobody stopped the service.
  server.listen(0, "127.0.0.1").unref();
  await new Promise((ready) => server.once("listening", ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, stop: () => new Promise((done) => server.close(() => done()).closeAllConnections()) };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.headers.authorization !== `Bearer ${token}`) throw new Refusal(401, "who are you");
    const [target = "", query = ""] = (request.url ?? "").split("?");
    const [, what, ...names] = target.split("/").map(decodeURIComponent);
    const path = `/${names.join("/")}`;
    const verb = `${request.method} ${what}`;
    if (verb === "PUT files") return json(response, path, put(path, await bytesOf(request), request.headers["if-none-match"] === "*"));
    if (verb === "POST folders") return json(response, path, mkdir(path, query === "exist=ok"));
    if (verb === "DELETE files") return remove(path, response);
    const node = nodes.get(path);
    if (node === undefined) throw new Refusal(404, "nothing there");
    if (verb === "GET stat") return json(response, path, node);
    if (verb === "GET list") return list(path, node, new URLSearchParams(query).get("cursor"), response);
    if (verb === "GET files") return get(node, request, response);
    throw new Refusal(405, "no such verb");
  }

  function put(path: string, bytes: Buffer, create: boolean): Node {
    const old = nodes.get(path);
    if (old?.bytes === null) throw new Refusal(409, "is a folder");
    if (create && old !== undefined) throw new Refusal(412, "exists");
    return keep(path, { bytes, modified: Date.now() });
  }

  function mkdir(path: string, existOk: boolean): Node {
    const old = nodes.get(path);
    if (old !== undefined && !(existOk && old.bytes === null)) throw new Refusal(409, "exists");
    return old ?? keep(path, { bytes: null, modified: Date.now() });
  }

  function keep(path: string, node: Node): Node {
    const parent = path.slice(0, path.lastIndexOf("/")) || "/";
    const above = nodes.get(parent) ?? mkdir(parent, true);
    if (above.bytes !== null) throw new Refusal(409, "not a folder");
    nodes.set(path, node);
    return node;
  }

  function remove(path: string, response: ServerResponse): void {
    if (nodes.get(path)?.bytes === null && childrenOf(path).length > 0) throw new Refusal(409, "folder not empty");
    nodes.delete(path);
    response.writeHead(204).end();
  }

  function childrenOf(path: string): string[] {
    const start = path === "/" ? "/" : `${path}/`;
    return [...nodes.keys()].filter((one) => one !== "/" && one.startsWith(start) && !one.slice(start.length).includes("/")).sort();
  }

  function list(path: string, node: Node, cursor: string | null, response: ServerResponse): void {
    if (node.bytes !== null) throw new Refusal(409, "not a folder");
    const rest = childrenOf(path).filter((one) => cursor === null || one > cursor);
    const page = rest.slice(0, PAGE);
    const items = page.map((one) => item(one, nodes.get(one) as Node));
    send(response, { items, next: rest.length > PAGE ? page.at(-1) : null });
  }

  function get({ bytes, modified }: Node, request: IncomingMessage, response: ServerResponse): void {
    if (bytes === null) throw new Refusal(409, "is a folder");
    const headers = { etag: `"${etagOf(bytes, modified)}"`, "x-modified": modified };
    const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    if (from === "" && to === "") return void response.writeHead(200, { ...headers, "content-length": bytes.length }).end(bytes);
    const first = from === "" ? Math.max(0, bytes.length - Number(to)) : Number(from);
    const last = from === "" || to === "" ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1);
    if (first >= bytes.length && bytes.length > 0) throw new Refusal(416, "past the end");
    if (bytes.length === 0) return void response.writeHead(200, { ...headers, "content-length": 0 }).end();
    response
      .writeHead(206, { ...headers, "content-length": last - first + 1, "content-range": `bytes ${first}-${last}/${bytes.length}` })
      .end(bytes.subarray(first, last + 1));
  }

  function json(response: ServerResponse, path: string, node: Node): void {
    send(response, item(path, node));
  }
}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const etagOf = (bytes: Buffer, modified: number): string => createHash("sha256").update(bytes).update(String(modified)).digest("hex").slice(0, 32);

function item(path: string, { bytes, modified }: Node): object {
  return {
    name: path.slice(path.lastIndexOf("/") + 1),
    kind: bytes === null ? "directory" : "file",
    size: bytes?.length ?? 0,
    modified,
    etag: bytes === null ? null : etagOf(bytes, modified),
  };
}

function send(response: ServerResponse, value: object): void {
  const text = JSON.stringify(value);
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) }).end(text);
}

/** The whole body, or an error where the connection broke: half a body is never stored. */
async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (!request.complete) throw new Error("broken off");
  return Buffer.concat(chunks);
}
