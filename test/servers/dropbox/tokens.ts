/** POST /oauth2/token (RFC 6749, sections 5 and 6; dropbox.com/developers/documentation/http/documentation#oauth2-token). */
import { ACCESS_TOKEN_MS } from "./accounts.ts";
import type { Accounts } from "./accounts.ts";
import { Refusal } from "./errors.ts";
import type { Json } from "./metadata.ts";

export const APP = { key: "appkey123", secret: "appsecret456" } as const;

function oauthError(error: string, description: string, status = 400): Refusal {
  return new Refusal(status, JSON.stringify({ error, error_description: description }), { "content-type": "application/json" });
}

/** `parameters`: those of the body and, as the official SDK sends them, of the query. */
export function token(accounts: Accounts, parameters: URLSearchParams, authorization: string | undefined): Json {
  const [, basic = ""] = /^Basic (\S+)$/.exec(authorization ?? "") ?? [];
  const [basicKey, basicSecret] = Buffer.from(basic, "base64").toString("utf8").split(":");
  const key = parameters.get("client_id") ?? basicKey;
  const secret = parameters.get("client_secret") ?? basicSecret;
  if (key !== APP.key) throw oauthError("invalid_client", "Invalid client_id or client_secret");
  // Without a secret for apps that signed in with PKCE.
  if (secret !== undefined && secret !== APP.secret) throw oauthError("invalid_client", "Invalid client_id or client_secret");
  const kind = parameters.get("grant_type");
  if (kind !== "refresh_token") throw oauthError("unsupported_grant_type", "unknown, missing or unsupported grant type");
  const account = accounts.byRefreshToken(parameters.get("refresh_token") ?? "");
  if (account === undefined) throw oauthError("invalid_grant", "refresh token is invalid or revoked");
  return { access_token: accounts.grant(account), token_type: "bearer", expires_in: ACCESS_TOKEN_MS / 1000 };
}
