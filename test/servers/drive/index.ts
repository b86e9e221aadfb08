/**
 * Google Drive in this process: API v3 and the token endpoint, as strict as what they stand for.
 *
 *   await using drive = await startDrive({ lagMs: 200 });
 *   drive.url            // instead of https://www.googleapis.com/
 *   drive.tokenUrl       // instead of https://oauth2.googleapis.com/token
 *   drive.fail({ match: ({ method }) => method === "PATCH", status: 403, reason: "userRateLimitExceeded" })
 *   drive.requests       // all so far
 */
import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { OAuth } from "./oauth.ts";
import { route } from "./routes.ts";
import { State } from "./state.ts";
import type { StateOptions } from "./state.ts";
import { Uploads } from "./uploads.ts";

export interface DriveOptions extends Omit<StateOptions, "now"> {
  /** Serves HTTPS with this key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingMessage["headers"];
  readonly index: number;
  status: number | null;
}

/** An answer instead of the service's own. */
export interface Failure {
  readonly match?: ((asked: Asked) => boolean) | undefined;
  readonly status: number;
  readonly reason: string;
  readonly message?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How many requests get it. Default 1. */
  readonly times?: number | undefined;
}

export interface DriveServer extends AsyncDisposable {
  /** With a slash at its end. */
  readonly url: string;
  readonly tokenUrl: string;
  readonly port: number;
  readonly state: State;
  readonly oauth: OAuth;
  readonly uploads: Uploads;
  readonly requests: Asked[];
  fail(failure: Failure): void;
  /** Called before each request is answered; what it throws or waits for happens to that request. */
  before: ((asked: Asked) => void | Promise<void>) | undefined;
  /** Moves the clock of the service on. */
  advance(ms: number): void;
  /** Does not keep the process alive. */
  unref(): void;
}

export async function startDrive({ tls, ...options }: DriveOptions = {}): Promise<DriveServer> {
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const state = new State({ ...options, now });
  const oauth = new OAuth(now);
  const uploads = new Uploads(state);
  const requests: Asked[] = [];
  const failures: { readonly failure: Failure; left: number }[] = [];
  let before: DriveServer["before"];

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const target = new URL(request.url ?? "/", "http://drive.invalid");
    const asked: Asked = {
      method: request.method ?? "GET",
      path: target.pathname,
      query: new Map(target.searchParams),
      headers: request.headers,
      index: requests.length,
      status: null,
    };
    requests.push(asked);
    response.once("close", () => (asked.status = response.headersSent ? response.statusCode : null));
    const found = failures.find(({ failure, left }) => left > 0 && (failure.match === undefined || failure.match(asked)));
    if (found !== undefined) found.left--;
    const host = request.headers.host ?? "";
    const origin = `${tls === undefined ? "http" : "https"}://${host}`;
    const work = async (): Promise<void> => {
      await before?.(asked);
      await route({ state, oauth, uploads, request, response, asked, origin, failure: found?.failure });
    };
    work().catch(() => response.destroy());
  };
  const server = tls === undefined ? http.createServer(answer) : https.createServer(tls, answer);
  server.requestTimeout = 0;
  // Google keeps a connection for minutes; Node's five seconds are short for a client that waits for its processor, and a change that meets its end is in doubt.
  server.keepAliveTimeout = 0;
  await new Promise<void>((done, fail) => server.once("error", fail).listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}/`;
  return {
    url,
    tokenUrl: `${url}token`,
    port,
    state,
    oauth,
    uploads,
    requests,
    fail: (failure) => void failures.push({ failure, left: failure.times ?? 1 }),
    get before() {
      return before;
    },
    set before(hook) {
      before = hook;
    },
    advance: (ms) => void (ahead += ms),
    unref: () => void server.unref(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
