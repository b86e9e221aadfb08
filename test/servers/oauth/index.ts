/**
 * An OAuth 2 server in process, strict about what a program on a user's own machine has to do: RFC 6749 (codes, once), RFC 7636 (PKCE, S256 only), RFC 8252
 * (loopback redirects). It stands for Dropbox's and Google's, which differ in parameters only.
 *
 *     await using server = await startOAuth({ clientId: "app", clientSecret: "s", need: { access_type: "offline" } });
 *     await server.approve(url);              // what a user does in a browser
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface OAuthOptions {
  readonly clientId: string;
  /** Default: none, and one that is sent is refused. */
  readonly clientSecret?: string;
  /** Parameters without which there is no refresh token. */
  readonly need?: Readonly<Record<string, string>>;
}
export interface OAuth extends AsyncDisposable {
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  /** Refresh tokens given out. */
  readonly refreshTokens: readonly string[];
  /** Goes to the address as a user who says yes or no, follows the redirect, and gives the page that the program showed. */
  approve(url: string, answer?: "yes" | "no"): Promise<string>;
  /** Token requests as they came, for looking where secrets are. */
  readonly asked: readonly { readonly url: string; readonly body: string }[];
}
interface Code {
  readonly redirect: string;
  readonly challenge: string;
  readonly refresh: boolean;
}

export async function startOAuth({ clientId, clientSecret, need = {} }: OAuthOptions): Promise<OAuth> {
  const codes = new Map<string, Code>();
  const refreshTokens: string[] = [];
  const asked: { url: string; body: string }[] = [];

  function authorize(url: URL, yes: boolean): string {
    const get = (name: string): string => url.searchParams.get(name) ?? "";
    if (get("client_id") !== clientId) throw new Error("unknown client");
    const redirect = get("redirect_uri");
    if (!/^http:\/\/127\.0\.0\.1:\d+\/$/.test(redirect)) throw new Error("a redirect that is not registered");
    if (get("response_type") !== "code" || get("code_challenge_method") !== "S256" || !/^[\w-]{43}$/.test(get("code_challenge")))
      throw new Error("invalid_request");
    if (get("state").length < 16) throw new Error("a state that can be guessed");
    const back = new URL(redirect);
    back.searchParams.set("state", get("state"));
    if (!yes) {
      back.searchParams.set("error", "access_denied");
      return back.href;
    }
    const code = randomBytes(16).toString("hex");
    codes.set(code, { redirect, challenge: get("code_challenge"), refresh: Object.entries(need).every(([key, value]) => get(key) === value) });
    back.searchParams.set("code", code);
    return back.href;
  }

  function token(form: URLSearchParams): { readonly status: number; readonly body: object } {
    const wrong = (error: string): { readonly status: number; readonly body: object } => ({ status: 400, body: { error, error_description: "see RFC 6749" } });
    if (form.get("client_id") !== clientId || (form.get("client_secret") ?? undefined) !== clientSecret)
      return { status: 401, body: { error: "invalid_client" } };
    if (form.get("grant_type") !== "authorization_code") return wrong("unsupported_grant_type");
    const code = codes.get(form.get("code") ?? "");
    // Once.
    codes.delete(form.get("code") ?? "");
    const verifier = form.get("code_verifier") ?? "";
    if (code === undefined || form.get("redirect_uri") !== code.redirect) return wrong("invalid_grant");
    if (!/^[\w.~-]{43,128}$/.test(verifier) || createHash("sha256").update(verifier).digest("base64url") !== code.challenge) return wrong("invalid_grant");
    const refresh = randomBytes(16).toString("hex");
    if (code.refresh) refreshTokens.push(refresh);
    return {
      status: 200,
      body: { access_token: randomBytes(16).toString("hex"), token_type: "bearer", expires_in: 3600, ...(code.refresh ? { refresh_token: refresh } : {}) },
    };
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString("utf8");
    if (request.method !== "POST" || url.pathname !== "/token") return void response.writeHead(404).end();
    asked.push({ url: request.url ?? "", body });
    const isForm = (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
    const answer = isForm && url.search === "" ? token(new URLSearchParams(body)) : { status: 400, body: { error: "invalid_request" } };
    response.writeHead(answer.status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(answer.body));
  }

  const server = createServer((request, response) => void respond(request, response).catch(() => response.destroy()));
  server.listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    authorizeUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    refreshTokens,
    asked,
    async approve(url, answer = "yes") {
      if (!url.startsWith(`${origin}/authorize?`)) throw new Error("an address of another server");
      return (await fetch(authorize(new URL(url), answer === "yes"))).text();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
