/**
 * Access tokens: kept, renewed before they expire or when the service refuses one, by one request however many calls wait for it.
 *
 * Not by the package's own renewal: that puts secret and refresh token into the address, where logs keep them, sends one request per waiting call, renews
 * at once where no time of expiry is known, and never after a 401.
 */
import { StoreError, watchdog } from "../../store/index.ts";
import { ApiError, refusalOf, translate } from "./errors.ts";
import type { Settings } from "./options.ts";

const TOKEN_URL = "https://api.dropboxapi.com/oauth2/token";
/** Refusals of a token that no later call cures. */
const FOR_GOOD: ReadonlySet<string> = new Set(["expired_access_token", "invalid_access_token", "user_suspended"]);
/** So long before its end a token is renewed. */
const EARLY_MS = 300_000;

export class Tokens {
  readonly #settings: Settings;
  #access: string | undefined;
  #expiresMs: number;
  #renewing: Promise<string> | undefined;
  /** Credentials that were refused for good are not tried again before `reconnect`. */
  #refused: StoreError | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#access = settings.accessToken;
    this.#expiresMs = settings.accessTokenExpiresMs ?? Infinity;
  }

  /** @throws StoreError `unauthenticated` */
  async current(signal: AbortSignal | undefined): Promise<string> {
    if (this.#refused !== undefined) throw this.#refused;
    const { clock, refreshToken } = this.#settings;
    const due = this.#access === undefined || clock.now() >= this.#expiresMs - EARLY_MS;
    if (!due || refreshToken === undefined) return this.#access as string;
    return this.#renew(signal);
  }

  /** The service refused this token: another one, or undefined where there is none to be had. */
  async instead(refused: string, signal: AbortSignal | undefined): Promise<string | undefined> {
    if (this.#settings.refreshToken === undefined) return undefined;
    // Somebody else has renewed it meanwhile.
    if (this.#access !== undefined && this.#access !== refused) return this.#access;
    return this.#renew(signal);
  }

  /** Says so, and where it is Dropbox that says it, to all calls that follow until `reconnect`, without asking again. A gateway may change its mind. */
  refuse(cause: ApiError): StoreError {
    const reason = cause.tag === "expired_access_token" ? "the access token has expired" : "the access token is not valid, or was revoked";
    const refused = new StoreError("unauthenticated", `${reason}: sign in again`, { cause, status: cause.status, applied: false });
    if (FOR_GOOD.has(cause.tag)) this.#refused ??= refused;
    return this.#refused ?? refused;
  }

  forget(): void {
    this.#refused = undefined;
    if (this.#settings.refreshToken === undefined) return;
    this.#access = undefined;
  }

  async #renew(signal: AbortSignal | undefined): Promise<string> {
    this.#renewing ??= this.#ask().finally(() => (this.#renewing = undefined));
    // One caller that gives up does not stop the others.
    this.#renewing.catch(() => {});
    return orGone(this.#renewing, signal);
  }

  async #ask(): Promise<string> {
    const { refreshToken = "", clientId = "", clientSecret, clock, timeoutMs, fetch, onToken } = this.#settings;
    const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken, client_id: clientId });
    if (clientSecret !== undefined) form.set("client_secret", clientSecret);
    const dog = watchdog(clock, timeoutMs, undefined);
    let answer: Response;
    let body: unknown;
    try {
      const headers = { "Content-Type": "application/x-www-form-urlencoded" };
      answer = await fetch(TOKEN_URL, { method: "POST", headers, body: form.toString(), redirect: "manual", signal: dog.signal });
      body = parsed(await answer.text());
    } catch (error) {
      throw (translate(dog.signal.aborted ? dog.signal.reason : error) ?? new StoreError("unavailable", "a new token cannot be had", { cause: error })).with({
        applied: false,
        cause: error,
      });
    } finally {
      dog.stop();
    }
    if (!answer.ok) throw this.#denied(answer, body);
    const { access_token: access, expires_in: seconds } = (body ?? {}) as { access_token?: unknown; expires_in?: unknown };
    if (typeof access !== "string" || !/^[\x21-\x7e]+$/.test(access))
      throw new StoreError("unavailable", "the answer to a renewal holds no token", { applied: false });
    this.#access = access;
    this.#expiresMs = typeof seconds === "number" && seconds > 0 ? clock.now() + seconds * 1000 : Infinity;
    await onToken?.({ accessToken: access, expiresMs: this.#expiresMs });
    return access;
  }

  #denied(answer: Response, body: unknown): StoreError {
    const { error } = (body ?? {}) as { error?: unknown };
    const cause = new ApiError(answer.status, answer.headers, typeof error === "string" ? error : "");
    if (error === "invalid_grant")
      this.#refused = new StoreError("unauthenticated", "the refresh token is not valid any more, or was revoked: sign in again", {
        cause,
        status: answer.status,
        applied: false,
      });
    else if (error === "invalid_client" || error === "unauthorized_client")
      this.#refused = new StoreError("unauthenticated", "the app key or its secret is wrong", { cause, status: answer.status, applied: false });
    return this.#refused ?? refusalOf(cause);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // No JSON is no answer of this service; whoever asked says so.
  }
}

function orGone<T>(wait: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return wait;
  return new Promise((done, fail) => {
    const left = (): void => fail(signal.reason as Error);
    if (signal.aborted) return left();
    signal.addEventListener("abort", left, { once: true });
    wait.then(done, fail).finally(() => signal.removeEventListener("abort", left));
  });
}
