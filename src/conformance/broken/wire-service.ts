/**
 * A tiny object service over HTTP, for stores that are wrong on the wire: the reference model behind a plain protocol, with uploads in parts.
 *
 *   const service = await openService({ pageSize: 10 });      // service.url: "http://127.0.0.1:40123"
 *
 *   GET HEAD PUT DELETE MKCOL COPY MOVE /f<path>              bytes and entries; Range, If-Match, If-None-Match, X-To, X-Options
 *   GET /d<path>?cursor=…                                     one page: a JSON value per line, the last one { "end": true }
 *   POST /f<path>?uploads, PUT ?upload=&part=, POST ?upload=  an upload in parts; DELETE ?upload= gives it up
 *
 * Errors carry their code in X-Error. Everything else about it is correct: the bugs are in the providers.
 */
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { StoreError, calls, createStore, parsePath, parseRangeHeader, toHttpStatus } from "../../store/index.ts";
import type { Entry, Store } from "../../store/index.ts";
import { referenceProvider } from "../model/reference.ts";
import type { ReferenceOptions } from "../model/reference.ts";

export interface Service extends AsyncDisposable {
  readonly url: string;
  /** Uploads that were begun and neither completed nor given up. */
  readonly uploads: readonly string[];
  /** The bytes behind it, for a second channel. */
  readonly store: Store;
}

export async function openService(options: ReferenceOptions = {}): Promise<Service> {
  const provider = referenceProvider(options);
  const store = createStore(provider);
  const uploads = new Map<string, Map<number, Uint8Array>>();
  let made = 0;

  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://service");
    const path = parsePath(decodeURIComponent(url.pathname.slice(2)) || "/");
    const query = url.searchParams;
    const { headers, method } = request;
    const say = JSON.parse(String(headers["x-options"] ?? "{}")) as { readonly recursive?: boolean; readonly existOk?: boolean; readonly ifAbsent?: boolean };
    const ifMatch = unquoted(headers["if-match"]);
    const conditions = { ...(ifMatch === undefined ? {} : { ifMatch }), ...(headers["if-none-match"] === "*" ? { ifAbsent: true } : {}) };

    if (url.pathname.startsWith("/d")) {
      const cursor: unknown = query.has("cursor") ? JSON.parse(query.get("cursor") ?? "") : undefined;
      const page = await provider.list(calls.list(path, { cursor }));
      const lines = [...page.entries, { end: true, cursor: page.cursor }].map((line) => `${JSON.stringify(line)}\n`).join("");
      return void response.writeHead(200, { "content-length": Buffer.byteLength(lines) }).end(lines);
    }
    switch (method) {
      case "HEAD":
        return void response.writeHead(200, entryHeaders(await store.stat(path))).end();
      case "GET": {
        const range = parseRangeHeader(headers.range);
        await using result = await store.read(path, { range });
        const bytes = await result.bytes();
        const last = result.offset + bytes.length - 1;
        const partial = range !== undefined && bytes.length > 0;
        response.writeHead(partial ? 206 : 200, {
          ...entryHeaders(result.entry),
          "content-length": bytes.length,
          ...(partial ? { "content-range": `bytes ${result.offset}-${last}/${result.entry.size}` } : {}),
        });
        return void response.end(bytes);
      }
      case "PUT": {
        const body = await bodyOf(request);
        const upload = query.get("upload");
        if (upload === null) return done(response, await store.write(path, body, conditions));
        partsOf(upload).set(Number(query.get("part")), body);
        return void response.writeHead(200, { "content-length": 0 }).end();
      }
      case "POST": {
        const upload = query.get("upload");
        if (upload !== null) {
          const count = Number((await bodyOf(request)).toString());
          const parts = partsOf(upload);
          if (parts.size !== count) throw new StoreError("conflict", "a part is missing");
          const entry = await store.write(
            path,
            Buffer.concat(
              Array.from(parts.keys())
                .sort((a, b) => a - b)
                .map((part) => parts.get(part) ?? Buffer.alloc(0)),
            ),
            conditions,
          );
          uploads.delete(upload);
          return done(response, entry);
        }
        made += 1;
        uploads.set(`u${made}`, new Map());
        return void response.writeHead(200, { "content-length": `u${made}`.length }).end(`u${made}`);
      }
      case "DELETE": {
        const upload = query.get("upload");
        if (upload === null) await store.delete(path, { ...(ifMatch === undefined ? {} : { ifMatch }), recursive: say.recursive === true });
        else uploads.delete(upload);
        return void response.writeHead(204).end();
      }
      case "MKCOL":
        return done(response, await store.mkdir(path, { existOk: say.existOk === true }));
      case "COPY":
      case "MOVE":
        return done(
          response,
          await store[method === "COPY" ? "copy" : "move"](path, decodeURIComponent(String(headers["x-to"])), { ifAbsent: say.ifAbsent === true }),
        );
      default:
        throw new StoreError("unsupported", "no such method");
    }
  }

  function partsOf(upload: string): Map<number, Uint8Array> {
    const parts = uploads.get(upload);
    if (parts === undefined) throw new StoreError("conflict", "there is no such upload");
    return parts;
  }

  const server = http.createServer((request, response) => {
    request.on("error", () => {});
    answer(request, response).catch((error: unknown) => {
      if (!StoreError.is(error)) return void request.socket.destroy();
      request.resume();
      const facts = error.entry === null ? {} : entryHeaders(error.entry);
      response.writeHead(toHttpStatus(error), { ...facts, "x-error": error.code, "content-length": 0 }).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get uploads() {
      return [...uploads.keys()];
    },
    store,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await store.close();
    },
  };
}

/** @throws when the client breaks off, so that nothing is stored of half a body */
async function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function done(response: http.ServerResponse, entry: Entry): void {
  response.writeHead(200, { ...entryHeaders(entry), "content-length": 0 }).end();
}

function entryHeaders(entry: Entry): Record<string, string> {
  return { "x-entry": encodeURIComponent(JSON.stringify(entry)) };
}

function unquoted(header: string | undefined): string | undefined {
  return header?.replace(/^"(.*)"$/, "$1");
}
