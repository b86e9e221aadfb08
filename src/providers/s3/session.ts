/**
 * What both transports share while a store is open: where the bucket lives, in which region, and who asks.
 *
 *   session.learn(failure)  ->  true: the service refused because of what is now corrected, so the same request may go out once more
 */
import type { Clock } from "../../store/index.ts";
import { CredentialCache, type CredentialSource } from "./credentials.ts";
import type { S3Failure } from "./failure.ts";
import type { Settings } from "./options.ts";
import type { Vendor } from "./vendors.ts";

/** What only the SDK knows: its chain of credentials and regions, and the endpoints of every region. */
export interface SdkKnowledge {
  readonly credentials: CredentialSource;
  region(): Promise<string>;
  /** The base address of a bucket, bucket included. */
  bucketUrl(bucket: string, region: string): Promise<URL>;
  forget(): void;
}

/** Refusals that name the right region. */
const REGION_CODES: ReadonlySet<string> = new Set([
  "",
  "AuthorizationHeaderMalformed",
  "PermanentRedirect",
  "TemporaryRedirect",
  "IllegalLocationConstraintException",
  "BadRequest",
  "Redirect",
  "AuthorizationQueryParametersError",
]);
const EXPIRED_CODES: ReadonlySet<string> = new Set(["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"]);

export class Session {
  readonly settings: Settings;
  readonly vendor: Vendor;
  readonly clock: Clock;
  readonly credentials: CredentialCache;
  readonly #sdk: SdkKnowledge;
  #region: string | undefined;
  #base: URL | undefined;
  /** Rises with everything that is learned: what was built from older facts is built again. */
  generation = 0;

  constructor(settings: Settings, sdk: SdkKnowledge) {
    this.settings = settings;
    this.vendor = settings.vendor;
    this.clock = settings.clock;
    this.#sdk = sdk;
    this.#region = settings.region;
    this.credentials = new CredentialCache(settings.credentials ?? sdk.credentials, settings.clock);
  }

  async region(): Promise<string> {
    return (this.#region ??= await this.#sdk.region());
  }

  /** Scheme, host and path of the bucket, without a slash behind. */
  async base(): Promise<URL> {
    if (this.#base !== undefined) return this.#base;
    const { bucket, endpoint } = this.settings;
    return (this.#base = endpoint === undefined ? await this.#sdk.bucketUrl(bucket, await this.region()) : bucketUrl(endpoint, bucket, this.vendor.pathStyle));
  }

  learn(failure: S3Failure): boolean {
    if (EXPIRED_CODES.has(failure.code)) {
      this.#sdk.forget();
      this.credentials.drop();
      this.generation++;
      return true;
    }
    const { region } = failure;
    if (region === undefined || region === this.#region || !REGION_CODES.has(failure.code) || !/^[a-z0-9-]{1,64}$/i.test(region)) return false;
    if (failure.status !== 301 && failure.status !== 307 && failure.status !== 400 && failure.status !== 403) return false;
    this.#region = region;
    if (this.settings.endpoint === undefined) this.#base = undefined;
    this.generation++;
    return true;
  }

  forget(): void {
    this.#sdk.forget();
    this.credentials.drop();
    this.generation++;
  }
}

export function bucketUrl(endpoint: URL, bucket: string, pathStyle: boolean): URL {
  const url = new URL(endpoint);
  const path = url.pathname.replace(/\/+$/, "");
  if (pathStyle) url.pathname = `${path}/${bucket}`;
  else {
    url.hostname = `${bucket}.${url.hostname}`;
    url.pathname = path;
  }
  return url;
}
