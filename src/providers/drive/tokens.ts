/**
 * Access tokens: got from a refresh token or with the key of a service account, kept until shortly before their end, renewed once for all who wait.
 *
 * Not by the package's own client: that reads the system's clock, sends token requests again by itself, takes any 403 (a rate limit too) for an
 * outdated token, cannot be given up, and puts the secrets of a request into the error of that request. decisions/0065 has the reasons at length.
 */
import { createPrivateKey, sign } from "node:crypto";
import { StoreError, unlessAborted } from "../../store/index.ts";
import type { DriveAuth, RefreshAuth, ServiceAccountAuth } from "./options.ts";
import type { Settings } from "./options.ts";
import { textOf, transmit } from "./transmit.ts";

/** A token is not used in its last minute: a request may take that long. */
const MARGIN_MS = 60_000;
const DEFAULT_SCOPE = "https://www.googleapis.com/auth/drive";

interface Token {
  readonly text: string;
  readonly untilMs: number;
}

export class Tokens {
  readonly #settings: Settings;
  #token: Token | undefined;
  #renewing: Promise<Token> | undefined;
  /** Why no token can be had any more: said to every call until `forget`, since who asks again and again is locked out. */
  #refusal: StoreError | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async get(signal: AbortSignal | undefined): Promise<string> {
    if (this.#refusal !== undefined) throw this.#refusal;
    const token = this.#token;
    if (token !== undefined && token.untilMs > this.#settings.clock.now()) return token.text;
    return (await this.#renewed(signal)).text;
  }

  /** After a 401 with this token: another one, or undefined where there is none to be had. */
  async another(refused: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#token !== undefined && this.#token.text !== refused) return this.get(signal);
    const { auth } = this.#settings;
    if ("token" in auth && typeof auth.token === "string") return undefined;
    this.#token = undefined;
    const { text } = await this.#renewed(signal);
    return text === refused ? undefined : text;
  }

  forget(): void {
    this.#token = undefined;
    this.#refusal = undefined;
  }

  #renewed(signal: AbortSignal | undefined): Promise<Token> {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined));
    const renewing = this.#renewing;
    // Whoever leaves early must not make the failure one that nobody heard of.
    renewing.catch(() => {});
    return unlessAborted(renewing, signal);
  }

  async #renew(): Promise<Token> {
    const { auth } = this.#settings;
    try {
      this.#token = "token" in auth ? await given(auth.token) : await this.#ask(auth);
      return this.#token;
    } catch (error) {
      if (StoreError.is(error) && error.code === "unauthenticated") this.#refusal = error;
      throw error;
    }
  }

  async #ask(auth: Exclude<DriveAuth, { readonly token: unknown }>): Promise<Token> {
    const { clock, tokenUrl } = this.#settings;
    const started = clock.now();
    const body = "serviceAccount" in auth ? assertionOf(auth, tokenUrl, started) : grantOf(auth);
    const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
    const answer = await transmit(this.#settings, { method: "POST", url: tokenUrl, headers, body: body.toString(), signal: undefined, changes: false });
    const text = await textOf(answer);
    const { status } = answer.response;
    const said = parsed(text);
    if (status === 200 && typeof said["access_token"] === "string") {
      const lifetimeMs = typeof said["expires_in"] === "number" ? said["expires_in"] * 1000 : 3_600_000;
      // One that lives shorter than the margin is used for half of its life.
      return { text: said["access_token"], untilMs: started + Math.max(lifetimeMs - MARGIN_MS, lifetimeMs / 2) };
    }
    throw refused(status, said, "serviceAccount" in auth);
  }
}

async function given(token: string | (() => string | Promise<string>)): Promise<Token> {
  const text: unknown = typeof token === "string" ? token : await token();
  if (typeof text !== "string" || !/^[\x21-\x7e]+$/.test(text))
    throw new StoreError("config", "the token is printable ASCII without spaces", { applied: false });
  return { text, untilMs: Infinity };
}

function grantOf({ clientId, clientSecret, refreshToken }: RefreshAuth): URLSearchParams {
  return new URLSearchParams({ grant_type: "refresh_token", client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken });
}

/** RFC 7523, as Google wants it: RS256, at most an hour. */
function assertionOf({ serviceAccount, subject, scope }: ServiceAccountAuth, audience: string, nowMs: number): URLSearchParams {
  const { client_email, private_key, private_key_id } = serviceAccount;
  const iat = Math.floor(nowMs / 1000);
  const claims = { iss: client_email, scope: scope ?? DEFAULT_SCOPE, aud: audience, iat, exp: iat + 3600, ...(subject === undefined ? {} : { sub: subject }) };
  const head = { alg: "RS256", typ: "JWT", ...(private_key_id === undefined ? {} : { kid: private_key_id }) };
  const text = [head, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  let signature: Buffer;
  try {
    signature = sign("RSA-SHA256", Buffer.from(text), createPrivateKey(private_key));
  } catch {
    // What node says of a key quotes it.
    throw new StoreError("config", "the private key of the service account cannot be read", { applied: false });
  }
  return new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: `${text}.${signature.toString("base64url")}` });
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** RFC 6749, section 5.2. Only the word of the error is passed on: a description may quote what was sent. */
function refused(status: number, said: Readonly<Record<string, unknown>>, isRobot: boolean): StoreError {
  const word = typeof said["error"] === "string" && /^[\w-]{1,60}$/.test(said["error"]) ? said["error"] : "";
  const cause = new Error(`HTTP ${status} ${word}`.trimEnd());
  const details = { cause, status, applied: false as const };
  if (word === "invalid_grant")
    return new StoreError(
      "unauthenticated",
      isRobot
        ? "Google does not accept the key of the service account (invalid_grant)"
        : "the sign-in has expired or was revoked: sign in again (invalid_grant)",
      details,
    );
  if (word === "invalid_client" || word === "unauthorized_client")
    return new StoreError("unauthenticated", `Google does not know this client (${word})`, details);
  if (status === 429) return new StoreError("rate-limited", "Google asks to slow down", details);
  if (status === 200 || status >= 500 || status === 408) return new StoreError("unavailable", `no token can be had now (${status})`, details);
  return new StoreError("config", `Google gives no token for these credentials (${status}${word === "" ? "" : ` ${word}`})`, details);
}
