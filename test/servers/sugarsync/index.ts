/**
 * The SugarSync Platform API, in process: strict, with accounts of their own for tests that run side by side.
 *
 *     await using server = await startSugarSync();
 *     const { refreshToken } = server.account("ann@example.org");
 *     const store = sugarsync({ url: server.url, ...server.application, refreshToken });
 *     server.fail(({ method, path }) => (method === "PUT" && path.endsWith("/data") ? { status: 503 } : undefined));
 *
 * rclone, which speaks to the real service, is run against it in test/providers/sugarsync/rclone.server.test.ts.
 */
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Accounts, APPLICATION } from "./accounts.ts";
import type { Account, Application } from "./accounts.ts";
import { bytesOf, collected } from "../spill.ts";
import type { Chunk } from "../spill.ts";
import { errorPage } from "./markup.ts";
import { answer } from "./routes.ts";
import type { Reply } from "./routes.ts";
import { Refused } from "./tree.ts";
import type { TreeOptions } from "./tree.ts";

export { APPLICATION } from "./accounts.ts";
export type { Account } from "./accounts.ts";
export type { Node } from "./tree.ts";

/** What clients that cannot be told another address ask for. */
export const HOST = "api.sugarsync.com";

export interface SugarSyncOptions {
  /** What links begin with. Default: where it listens. */
  readonly base?: string;
  /** Milliseconds since 1970. Default: the system's. `advance` adds to it. */
  readonly now?: () => number;
  /** How long an access token is good. Default an hour. */
  readonly accessMs?: number;
  readonly duplicates?: TreeOptions["duplicates"];
  /** Default 1 TB. */
  readonly quotaBytes?: number;
  /** Default 413 (CloudFusion's client: 413 is the quota). */
  readonly overQuotaStatus?: number;
  /** The folder that every account has in the beginning. Default false: an empty root. */
  readonly magicBriefcase?: boolean;
  /** How a listener is made, for TLS. */
  readonly listen?: (listener: RequestListener) => Server;
}
export interface Request {
  readonly method: string;
  /** Raw, with the query. */
  readonly path: string;
  /** From 0. */
  readonly index: number;
}
/** What is said instead. `hangUp`: nothing, the connection is cut; after the request was done where `after` says so. */
export interface Failure {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly reason?: string;
  readonly hangUp?: "before" | "after";
}
export interface SugarSync extends AsyncDisposable {
  readonly url: string;
  readonly application: Application;
  readonly requests: readonly Request[];
  /** "METHOD path" of each request, ids and queries left out: "PUT /file/data". */
  readonly lines: readonly string[];
  clear(): void;
  /** Made when it is asked for the first time; a new refresh token each time. */
  account(username: string): Account & { readonly refreshToken: string };
  /** An access token, for clients that sign in with keys of their own. */
  access(account: { readonly refreshToken: string }): string;
  revoke(account: Account): void;
  expire(account: Account): void;
  advance(ms: number): void;
  fail(script: ((request: Request) => Failure | undefined) | undefined): void;
  /** A test run ends although nobody stopped the server. */
  unref(): void;
}

export async function startSugarSync(options: SugarSyncOptions = {}): Promise<SugarSync> {
  let skipped = 0;
  const clock = options.now ?? Date.now;
  const now = (): number => clock() + skipped;
  const tree: TreeOptions = {
    clock: now,
    duplicates: options.duplicates ?? "refused",
    quotaBytes: options.quotaBytes ?? 1e12,
    overQuotaStatus: options.overQuotaStatus ?? 413,
    magicBriefcase: options.magicBriefcase ?? false,
  };
  const accounts = new Accounts(now, options.accessMs ?? 3_600_000);
  let requests: Request[] = [];
  let script: ((request: Request) => Failure | undefined) | undefined;
  let base = options.base ?? "";
  let count = 0;
  const listener: RequestListener = (request, response) => {
    const asked = { method: request.method ?? "GET", path: request.url ?? "/", index: count++ };
    requests.push(asked);
    request.on("error", () => {});
    response.on("error", () => {});
    respond({ accounts, base }, request, response, script?.(asked)).catch(() => response.destroy());
  };
  const server = (options.listen ?? createServer)(listener);
  // A slow machine is no reason to close a connection that is idle.
  server.keepAliveTimeout = 0;
  server.listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  if (base === "") base = url;
  return {
    url,
    application: APPLICATION,
    get requests() {
      return requests;
    },
    get lines() {
      return requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, "").replace(/\/(?::|%3A)sc[^/]*|(?<=\/user)\/\d+/gi, "")}`);
    },
    clear: () => void (requests = []),
    account(username) {
      const account = accounts.account(username, tree);
      return { ...account, refreshToken: `${base}/app-authorization/${accounts.grant(account)}` };
    },
    access: ({ refreshToken }) => `${base}/authorization/${accounts.access({ ...APPLICATION, refreshToken }).token}`,
    revoke: (account) => accounts.revoke(original(accounts, account)),
    expire: (account) => accounts.expire(original(accounts, account)),
    advance: (ms) => void (skipped += ms),
    fail: (next) => void (script = next),
    unref: () => void server.unref(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function original(accounts: Accounts, account: Account): Account {
  const found = accounts.byId(account.userId);
  if (found === undefined) throw new Error("an account of another server");
  return found;
}

async function respond(
  service: { accounts: Accounts; base: string },
  request: IncomingMessage,
  response: ServerResponse,
  failure: Failure | undefined,
): Promise<void> {
  if (failure?.hangUp === "before") return void request.socket.destroy();
  if (failure !== undefined && failure.hangUp === undefined) {
    request.resume();
    const { status = 500, headers, reason = "Internal Server Error" } = failure;
    return send(response, { status, headers: { "content-type": "text/html; charset=UTF-8", ...headers }, body: errorPage(status, reason) });
  }
  let reply: Reply;
  try {
    const [path = "/", query = ""] = (request.url ?? "/").split("?");
    const segments = path
      .split("/")
      .slice(1)
      .filter((part) => part !== "")
      .map(decodeURIComponent);
    reply = await answer(service, {
      method: request.method ?? "GET",
      segments,
      query: new URLSearchParams(query),
      request,
      bytes: () => bodyOf(request),
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    reply = { status: error.status, headers: { "content-type": "text/html; charset=UTF-8" }, body: errorPage(error.status, error.message) };
  }
  if (failure?.hangUp === "after") return void request.socket.destroy();
  await send(response, reply);
  // A refusal that came before the body: what is left of that is not kept.
  request.resume();
}

async function send(response: ServerResponse, { status, headers = {}, body = "" }: Reply): Promise<void> {
  if (typeof body === "string") {
    response.writeHead(status, { ...headers, ...(status === 204 ? {} : { "content-length": String(Buffer.byteLength(body)) }) }).end(body);
    return;
  }
  response.writeHead(status, headers);
  for (const chunk of body) {
    if (response.destroyed) return;
    if (!response.write(bytesOf(chunk))) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((go) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      go();
    };
    response.on("drain", done).on("close", done);
  });
}

/** The whole body, or an error where the connection broke: half a body is never stored. */
async function bodyOf(request: IncomingMessage): Promise<readonly Chunk[]> {
  const chunks = await collected(request as AsyncIterable<Uint8Array>);
  if (!request.complete) throw new Error("broken off");
  return chunks;
}
