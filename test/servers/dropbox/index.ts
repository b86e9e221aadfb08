/**
 * Dropbox API v2 on a loopback port, in this process, as strict as the service itself.
 *
 *   await using dropbox = await startDropbox();
 *   const account = dropbox.account("ann");
 *   const client = new Dropbox({ accessToken: account.accessToken, fetch: dropbox.fetch() });
 *   dropbox.fail({ route: "files/upload", times: 1 }, { status: 503 });
 *
 * Hosts are told apart by the Host header, where a client was led here with its own names, or by the first part of the path: /api/2/…, /content/2/….
 */
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Accounts } from "./accounts.ts";
import type { Account } from "./accounts.ts";
import { Answers } from "./answers.ts";
import type { Failure, Logged, Match } from "./answers.ts";

export { APP } from "./tokens.ts";
export type { Account } from "./accounts.ts";
export { expireCursors } from "./listings.ts";
export type { Logged } from "./answers.ts";

/** What clients that cannot be told another address ask for. */
export const HOSTS = ["api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com"] as const;

export interface DropboxServer extends AsyncDisposable {
  readonly origin: string;
  /** The same accounts behind TLS, for clients that are led here by the real names; 0 without a certificate. */
  readonly securePort: number;
  /** Everything that was asked, in order. */
  readonly log: readonly Logged[];
  /** "files/upload" … of each request since the last `clear`. */
  readonly routes: readonly string[];
  clear(): void;
  account(name: string): Account;
  accounts: Accounts;
  /** The next requests that match are answered like this instead. */
  fail(match: Match, failure: Failure): void;
  advance(ms: number): void;
  /** As the global one, or the given one, with the hosts of Dropbox led here. */
  fetch(through?: typeof globalThis.fetch): typeof globalThis.fetch;
}

export async function startDropbox(tls?: { readonly key: string; readonly cert: string }): Promise<DropboxServer> {
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const accounts = new Accounts(now);
  const answers = new Answers(accounts);
  const options = { maxHeaderSize: 128 * 1024, keepAliveTimeout: 30_000 };
  const handle: RequestListener = (request, response) => void answers.answer(request, response);
  const listening = async (server: Server): Promise<number> => {
    server.listen(0, "127.0.0.1").unref();
    await new Promise((ready) => server.once("listening", ready));
    return (server.address() as AddressInfo).port;
  };
  const servers = [createServer(options, handle), ...(tls === undefined ? [] : [createSecureServer({ ...options, ...tls }, handle)])];
  const [port = 0, securePort = 0] = await Promise.all(servers.map(listening));
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    securePort,
    accounts,
    get log() {
      return answers.log;
    },
    get routes() {
      return answers.log.map(({ route }) => route);
    },
    clear: () => void answers.log.splice(0),
    account: (name) => accounts.get(name),
    fail: (match, failure) => answers.fail(match, failure),
    advance: (ms) => void (ahead += ms),
    fetch: (through = globalThis.fetch) => ledTo(origin, through),
    async [Symbol.asyncDispose]() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      }
      if (answers.defects.length > 0) throw answers.defects[0];
    },
  };
}

/** Only these hosts: a request to any other is a defect of the client. */
export function ledTo(origin: string, through: typeof globalThis.fetch = globalThis.fetch): typeof globalThis.fetch {
  return (input, init) => {
    const url = typeof input === "string" ? input : input instanceof URL ? input.href : input.url;
    const [, host, rest] = /^https:\/\/(api|content|notify)\.dropboxapi\.com(\/.*)$/.exec(url) ?? [];
    if (host === undefined) throw new TypeError(`not a host of Dropbox: ${url}`);
    return through(`${origin}/${host}${rest}`, init);
  };
}
