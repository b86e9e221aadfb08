/**
 * OAuth 2 for a program on the user's own machine (RFC 8252): the browser comes back to a port of this machine, and PKCE (RFC 7636) binds the code to this
 * run, so that whoever sees it can do nothing with it.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StoreError } from "../store/index.ts";

export interface OAuthService {
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly scope: string | undefined;
  /** What makes the service give a refresh token. */
  readonly parameters: Readonly<Record<string, string>>;
  /** 0: any free one. Services that compare the whole redirect address need a fixed one. */
  readonly port: number;
}

/** Sources: https://developers.google.com/identity/protocols/oauth2/native-app and https://www.dropbox.com/developers/documentation/http/documentation (OAuth). */
export const services: Readonly<Record<"dropbox" | "drive", OAuthService>> = {
  dropbox: {
    authorizeUrl: "https://www.dropbox.com/oauth2/authorize",
    tokenUrl: "https://api.dropboxapi.com/oauth2/token",
    scope: undefined,
    parameters: { token_access_type: "offline" },
    port: 53_785,
  },
  drive: {
    authorizeUrl: "https://accounts.google.com/o/oauth2/v2/auth",
    tokenUrl: "https://oauth2.googleapis.com/token",
    scope: "https://www.googleapis.com/auth/drive",
    parameters: { access_type: "offline", prompt: "consent" },
    port: 0,
  },
};

export interface SignIn {
  readonly service: OAuthService;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly fetch: typeof globalThis.fetch;
  /** Shown to the user, who has to go there. */
  show(url: string): void;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** The refresh token. @throws StoreError `permission-denied` where the user says no, `unauthenticated` where the service does not take what it gave */
export async function signIn({ service, clientId, clientSecret, fetch, show, signal }: SignIn): Promise<string> {
  const state = randomBytes(24).toString("base64url");
  const verifier = randomBytes(48).toString("base64url");
  const waiting = await listen(service.port, state, signal);
  try {
    const url = new URL(service.authorizeUrl);
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    const parameters = {
      client_id: clientId,
      redirect_uri: waiting.redirect,
      response_type: "code",
      state,
      code_challenge: challenge,
      code_challenge_method: "S256",
      ...service.parameters,
    };
    for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
    if (service.scope !== undefined) url.searchParams.set("scope", service.scope);
    show(url.href);
    const code = await waiting.code;
    const body = new URLSearchParams({ grant_type: "authorization_code", code, client_id: clientId, redirect_uri: waiting.redirect, code_verifier: verifier });
    if (clientSecret !== undefined) body.set("client_secret", clientSecret);
    return await exchange(fetch, service.tokenUrl, body, signal);
  } finally {
    waiting.close();
  }
}

async function exchange(fetch: typeof globalThis.fetch, url: string, body: URLSearchParams, signal: AbortSignal): Promise<string> {
  // In the body and nowhere else: addresses are logged.
  const answer = await fetch(url, { method: "POST", body, redirect: "error", signal });
  const text = await answer.text();
  let found: { readonly refresh_token?: unknown; readonly error?: unknown };
  try {
    found = JSON.parse(text) as typeof found;
  } catch {
    // Not its text: it may hold what was sent.
    throw new StoreError("unavailable", `the service answers ${answer.status} and no JSON`, { status: answer.status });
  }
  if (!answer.ok) {
    const word = typeof found.error === "string" && /^[\w-]{1,60}$/.test(found.error) ? found.error : "no reason";
    throw new StoreError("unauthenticated", `the service does not accept the sign-in (${word})`, { status: answer.status });
  }
  if (typeof found.refresh_token !== "string" || found.refresh_token === "")
    throw new StoreError("unauthenticated", "the service gives no refresh token: take the application off the account's list of apps, and sign in again");
  return found.refresh_token;
}

interface Waiting {
  readonly redirect: string;
  readonly code: Promise<string>;
  close(): void;
}

async function listen(port: number, state: string, signal: AbortSignal): Promise<Waiting> {
  const { promise: code, resolve, reject } = Promise.withResolvers<string>();
  code.catch(() => {}); // Awaited by the caller, if it comes so far.
  const server = createServer((request, response) => {
    const { port: own } = server.address() as AddressInfo;
    respond(request, response, own, state, resolve, reject);
  });
  await new Promise<void>((done, fail) => {
    server.once("error", (cause) => fail(new StoreError("config", `port ${port} of this machine is taken: give another one with --port`, { cause })));
    server.listen(port, "127.0.0.1", done);
  });
  const stop = (): void => reject(new StoreError("timeout", "nobody has signed in in time"));
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  return {
    redirect: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    code,
    close() {
      signal.removeEventListener("abort", stop);
      server.close();
      server.closeIdleConnections();
    },
  };
}

/** What does not come from this sign-in (another state, another host name, the icon that browsers ask for) is answered and changes nothing. */
function respond(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  state: string,
  resolve: (code: string) => void,
  reject: (error: unknown) => void,
): void {
  const say = (status: number, text: string, then?: () => void): void => {
    const page = `<!DOCTYPE html><html><head><meta charset="utf-8"><title>stratus</title></head><body><p>${text}</p></body></html>\n`;
    const headers = {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "content-security-policy": "default-src 'none'",
      connection: "close",
    };
    response.writeHead(status, headers).end(page, then);
  };
  const url = new URL(request.url ?? "/", `http://127.0.0.1:${port}`);
  if (request.method !== "GET" || url.pathname !== "/" || request.headers.host !== `127.0.0.1:${port}`) return say(404, "There is nothing here.");
  if (url.searchParams.get("state") !== state) return say(400, "This does not belong to the sign-in that is waiting.");
  const code = url.searchParams.get("code");
  const error = url.searchParams.get("error");
  if (code !== null && code !== "") return say(200, "Signed in. You can close this window.", () => resolve(code));
  const denied = error === "access_denied";
  const reason = denied
    ? "the sign-in was refused in the browser"
    : `the service reports ${error !== null && /^[\w-]{1,60}$/.test(error) ? error : "an error"}`;
  say(200, "Not signed in. You can close this window.", () => reject(new StoreError(denied ? "permission-denied" : "unauthenticated", reason)));
}
