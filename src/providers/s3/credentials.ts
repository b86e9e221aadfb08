/**
 * Who asks: keys under any of the names that tools use for them, or a function, or the SDK's own chain; obtained once and kept until shortly
 * before they expire.
 *
 *   readCredentials({ gs_access_key_id: "GOOG1...", gs_secret_access_key: "..." })  ->  { accessKeyId, secretAccessKey }
 */
import { StoreError, type Clock } from "../../store/index.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** Milliseconds since 1970. They are asked for again five minutes before. */
  readonly expiresMs?: number | undefined;
}
export type CredentialSource = () => Promise<S3Credentials>;

/** The first one that is present is taken, so the most specific names come first. */
export const ID_NAMES: readonly string[] = ["accessKeyId", "access_key_id", "aws_access_key_id", "gs_access_key_id", "consumer_key", "client_id", "id"];
export const SECRET_NAMES: readonly string[] = [
  "secretAccessKey",
  "private_access_key",
  "aws_secret_access_key",
  "gs_secret_access_key",
  "secret_access_key",
  "consumer_secret",
  "client_secret",
  "secret",
];
export const TOKEN_NAMES: readonly string[] = ["sessionToken", "session_token", "aws_session_token"];

const EARLY_MS = 5 * 60_000;

/** @throws StoreError `config`, which names the members that are missing and never a value */
export function readCredentials(given: Readonly<Record<string, unknown>>): S3Credentials {
  const first = (names: readonly string[]): string | undefined => {
    const name = names.find((each) => given[each] !== undefined && given[each] !== null && given[each] !== "");
    if (name === undefined) return undefined;
    const value = given[name];
    if (typeof value !== "string") throw new StoreError("config", `credentials: ${name} is text`);
    return value.trim();
  };
  const unknown = Object.keys(given).find((name) => ![...ID_NAMES, ...SECRET_NAMES, ...TOKEN_NAMES, "expiresMs"].includes(name));
  if (unknown !== undefined)
    throw new StoreError(
      "config",
      `credentials: nothing is called ${JSON.stringify(unknown.slice(0, 40))}; the key is one of ${ID_NAMES.join(", ")}, the secret one of ${SECRET_NAMES.join(", ")}`,
    );
  const accessKeyId = first(ID_NAMES);
  const secretAccessKey = first(SECRET_NAMES);
  if (accessKeyId === undefined) throw new StoreError("config", `credentials: no access key; it is given as one of ${ID_NAMES.join(", ")}`);
  if (secretAccessKey === undefined) throw new StoreError("config", `credentials: no secret; it is given as one of ${SECRET_NAMES.join(", ")}`);
  // eslint-disable-next-line no-control-regex -- a header cannot hold them, and the error of the HTTP client would quote the key
  if (/[\u0000-\u0020\u007f-\uffff]/.test(accessKeyId)) throw new StoreError("config", "credentials: the access key holds a character that no access key has");
  const sessionToken = first(TOKEN_NAMES);
  const expiresMs = given["expiresMs"];
  if (expiresMs !== undefined && !(typeof expiresMs === "number" && Number.isFinite(expiresMs)))
    throw new StoreError("config", "credentials: expiresMs is a number of milliseconds");
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }), ...(expiresMs === undefined ? {} : { expiresMs }) };
}

/** One obtaining at a time, kept until it is about to expire. */
export class CredentialCache {
  readonly #source: CredentialSource;
  readonly #clock: Clock;
  #kept: S3Credentials | undefined;
  #running: Promise<S3Credentials> | undefined;
  #turn = 0;

  constructor(source: CredentialSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Without a promise where they are at hand, which is nearly always. */
  get(): S3Credentials | Promise<S3Credentials> {
    const kept = this.#kept;
    if (kept !== undefined && (kept.expiresMs === undefined || kept.expiresMs - EARLY_MS > this.#clock.now())) return kept;
    this.#running ??= this.#obtain(++this.#turn);
    return this.#running;
  }

  /** What is under way still answers those who wait for it, and is not kept. */
  drop(): void {
    this.#turn++;
    this.#kept = undefined;
    this.#running = undefined;
  }

  async #obtain(turn: number): Promise<S3Credentials> {
    try {
      const obtained = await this.#source();
      if (turn === this.#turn) this.#kept = obtained;
      return obtained;
    } catch (error) {
      throw StoreError.is(error) ? error : new StoreError("unauthenticated", "no credentials could be obtained", { cause: error, applied: false });
    } finally {
      if (turn === this.#turn) this.#running = undefined;
    }
  }
}
