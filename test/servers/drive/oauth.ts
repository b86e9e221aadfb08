/**
 * The token endpoint: refresh tokens (developers.google.com/identity/protocols/oauth2/web-server#offline) and the JWT of a service account
 * (developers.google.com/identity/protocols/oauth2/service-account). Errors as RFC 6749, section 5.2.
 */
import { createPublicKey, generateKeyPairSync, randomBytes, verify } from "node:crypto";

export interface ServiceAccount {
  readonly client_email: string;
  readonly private_key: string;
  readonly private_key_id: string;
}

export class OAuth {
  readonly clientId = "client.apps.example";
  readonly clientSecret: string = randomBytes(12).toString("hex");
  readonly refreshTokens: Set<string> = new Set([`1//${randomBytes(18).toString("base64url")}`]);
  /** Token → when it ends. */
  readonly #tokens: Map<string, number> = new Map();
  readonly #now: () => number;
  #account: ServiceAccount | undefined;
  /** How long a token lives. */
  lifetimeMs = 3_599_000;
  granted = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get refreshToken(): string {
    return [...this.refreshTokens][0] as string;
  }

  /** A token as a browser would have got it. */
  issue(): string {
    const token = `ya29.${randomBytes(24).toString("base64url")}`;
    this.#tokens.set(token, this.#now() + this.lifetimeMs);
    this.granted++;
    return token;
  }

  accept(token: string): void {
    this.#tokens.set(token, Infinity);
  }

  knows(authorization: string | undefined): boolean {
    const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1];
    return token !== undefined && (this.#tokens.get(token) ?? 0) > this.#now();
  }

  /** All access tokens end now. */
  expire(): void {
    this.#tokens.clear();
  }

  serviceAccount(): ServiceAccount {
    this.#account ??= {
      client_email: "robot@project.iam.gserviceaccount.example",
      private_key_id: "key1",
      private_key: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    };
    return this.#account;
  }

  answer(form: URLSearchParams, audience: string): { readonly status: number; readonly body: object } {
    const refuse = (status: number, error: string, error_description: string) => ({ status, body: { error, error_description } });
    switch (form.get("grant_type")) {
      case "refresh_token":
        if (form.get("client_id") !== this.clientId || form.get("client_secret") !== this.clientSecret)
          return refuse(401, "invalid_client", "The OAuth client was not found.");
        if (!this.refreshTokens.has(form.get("refresh_token") ?? "")) return refuse(400, "invalid_grant", "Token has been expired or revoked.");
        break;
      case "urn:ietf:params:oauth:grant-type:jwt-bearer": {
        const fault = this.#fault(form.get("assertion") ?? "", audience);
        if (fault !== undefined) return refuse(400, "invalid_grant", fault);
        break;
      }
      default:
        return refuse(400, "unsupported_grant_type", "Invalid grant_type");
    }
    const access_token = this.issue();
    return {
      status: 200,
      body: { access_token, expires_in: Math.floor(this.lifetimeMs / 1000), scope: "https://www.googleapis.com/auth/drive", token_type: "Bearer" },
    };
  }

  #fault(jwt: string, audience: string): string | undefined {
    const [head = "", claims = "", signature = ""] = jwt.split(".");
    const account = this.serviceAccount();
    if (!verify("RSA-SHA256", Buffer.from(`${head}.${claims}`), createPublicKey(account.private_key), Buffer.from(signature, "base64url")))
      return "Invalid JWT Signature.";
    const header = JSON.parse(Buffer.from(head, "base64url").toString()) as Record<string, unknown>;
    if (header["alg"] !== "RS256") return "Invalid JWT: alg";
    const { iss, scope, aud, iat, exp } = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, unknown>;
    if (iss !== account.client_email) return "Invalid grant: account not found";
    if (aud !== audience) return "Invalid JWT: Failed audience check.";
    if (typeof scope !== "string" || scope === "") return "Invalid OAuth scope.";
    const now = this.#now() / 1000;
    if (typeof iat !== "number" || typeof exp !== "number" || exp - iat > 3600 || exp < now || iat > now + 300)
      return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";
    return undefined;
  }
}
