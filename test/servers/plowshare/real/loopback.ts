/**
 * A file host on a loopback port, for a real plowshare and the module beside this file.
 *
 *   PUT /upload            X-Name, X-Folder, X-Account -> link, delete link, code: three lines
 *   GET /about/<id>        name, size: two lines; GET /bytes/<id>/<name>: the bytes, with ranges
 *   DELETE /d/<id>/<code>  403 for a wrong code
 *   GET /folder/<name>     link and name of each: two lines
 */
import { randomBytes } from "node:crypto";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

interface Kept {
  readonly bytes: Buffer;
  readonly name: string;
  readonly folder: string;
  readonly code: string;
}
export interface LoopbackHost extends AsyncDisposable {
  readonly url: string;
  readonly files: Map<string, Kept>;
  /** Status of the next uploads, downloads and so on, by the first segment of their path. */
  readonly refuse: Map<string, number[]>;
  /** For `modules`. */
  readonly modules: string;
}

/** `tls`: behind HTTPS, as localhost. */
export async function loopbackHost(directory: string, tls?: { readonly key: string; readonly cert: string }): Promise<LoopbackHost> {
  const files = new Map<string, Kept>();
  const refuse = new Map<string, number[]>();
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const url = `${tls === undefined ? "http://127.0.0.1" : "https://localhost"}:${(server.address() as AddressInfo).port}`;
  const folder = join(directory, "modules.d", "ours");
  await mkdir(folder, { recursive: true });
  await cp(new URL("loopback.sh", import.meta.url).pathname, join(folder, "loopback.sh"));
  await writeFile(join(folder, "config"), "loopback | download | upload | delete | list | probe |\n");

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, verb = "", id = "", rest = ""] = (request.url ?? "").split("/");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const end = (status: number, body: string | Buffer = "", headers: Record<string, string> = {}): void => {
      response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers }).end(body);
    };
    const refused = refuse.get(verb)?.shift();
    if (refused !== undefined) return end(refused);
    if (verb === "upload") {
      const made = randomBytes(8).toString("hex");
      const code = randomBytes(4).toString("hex");
      const name = String(request.headers["x-name"] ?? "");
      files.set(made, { bytes: Buffer.concat(chunks), name, folder: String(request.headers["x-folder"] ?? ""), code });
      return end(200, `${url}/f/${made}/${encodeURIComponent(name)}\n${url}/d/${made}/${code}\nadm-${made}`);
    }
    if (verb === "folder") {
      const found = [...files].filter(([, file]) => file.folder === id);
      return found.length === 0 ? end(404) : end(200, found.map(([one, { name }]) => `${url}/f/${one}/${encodeURIComponent(name)}\n${name}`).join("\n"));
    }
    const file = files.get(id);
    if (file === undefined) return end(404);
    if (verb === "about") return end(200, `${file.name}\n${file.bytes.length}`);
    if (verb === "d" && request.method === "DELETE") {
      if (rest !== file.code) return end(403);
      files.delete(id);
      return end(200);
    }
    if (verb !== "bytes") return end(404);
    const [, from] = /^bytes=(\d+)-$/.exec(request.headers.range ?? "") ?? [];
    if (from === undefined) return end(200, file.bytes);
    if (Number(from) >= file.bytes.length) return end(416);
    return end(206, file.bytes.subarray(Number(from)), { "content-range": `bytes ${from}-${file.bytes.length - 1}/${file.bytes.length}` });
  }

  return {
    url,
    files,
    refuse,
    modules: join(directory, "modules.d"),
    [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done()).closeAllConnections()),
  };
}
