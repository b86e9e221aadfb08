/**
 * The options of an S3 store, and what is made of them once: checked, completed by the vendor's profile, frozen.
 *
 *   readOptions({ bucket: "photos", endpoint: "http://127.0.0.1:8000", vendor: "ceph", credentials: { id: "...", secret: "..." } })
 */
import { StoreError, systemClock, type Clock, type Injected } from "../../store/index.ts";
import { readCredentials, type CredentialSource, type S3Credentials } from "./credentials.ts";
import { MIN_PART_BYTES, VENDORS, type Vendor, type VendorName } from "./vendors.ts";

export interface S3Options extends Pick<Injected, "clock" | "random"> {
  /** The bucket. It has to be there, unless `createBucket`; a missing one is `config` on every verb. */
  readonly bucket: string;
  /** Keys of this store start with it: "backup/laptop". Leading and trailing slashes do not matter. Default: the whole bucket. */
  readonly prefix?: string | undefined;
  /** Whose service it is, which decides the capabilities. Default "aws" without an endpoint, else "generic", which promises the least. `detectS3` helps to find out. */
  readonly vendor?: VendorName | undefined;
  /** "https://host:port", also with a base path. Default: the vendor's own. Over http requests are signed, and nothing is secret. */
  readonly endpoint?: string | undefined;
  /** Default: the vendor's, for AWS that of the SDK's chain (AWS_REGION, profile). A service that names another one is followed. */
  readonly region?: string | undefined;
  /**
   * Key and secret under any usual pair of names (`accessKeyId`, `aws_access_key_id`, `gs_access_key_id`, `id` ...; `secretAccessKey`, `secret` ...),
   * with `sessionToken` and `expiresMs` where there are such; or a function, called when they are needed and again shortly before they expire.
   * Default: the SDK's chain (environment, profiles, web identity, containers, instances).
   */
  readonly credentials?: Readonly<Record<string, unknown>> | (() => Promise<S3Credentials>) | undefined;
  /** The bucket in the path instead of the host name. Default: by vendor. */
  readonly pathStyle?: boolean | undefined;
  /** The first operation creates the bucket if it is missing. Default false: a typing error would otherwise read as an empty store. */
  readonly createBucket?: boolean | undefined;
  /** Bodies above this, and those of unknown size that turn out to be larger, go up in parts of this size (larger ones where the count of parts would not suffice). Default 8 MiB, 5 MiB to 5 GiB. */
  readonly partBytes?: number | undefined;
  /** Parts of one upload on their way at once; so many times `partBytes` are in memory, twice. Default 4, 1 to 64. */
  readonly partsInFlight?: number | undefined;
  /** What `capabilities.concurrency` says. Default: by vendor. */
  readonly concurrency?: number | undefined;
  /** For a connection. Default 10,000 ms. */
  readonly connectTimeoutMs?: number | undefined;
  /** Until the answer starts, after the request is sent. Default 60,000 ms. */
  readonly answerTimeoutMs?: number | undefined;
  /** Between two pieces of an answer. Default 60,000 ms. */
  readonly idleTimeoutMs?: number | undefined;
  /** "direct" (default): the small requests are signed and sent without the SDK's middleware, at a fifth of its cost. "sdk": everything goes through the AWS client. */
  readonly transport?: "direct" | "sdk" | undefined;
  /** `<name>_$folder$` of older Hadoop tools is a directory. Default true; costs a request more where nothing is found, so false where no such tool was ever used. */
  readonly folderMarkers?: boolean | undefined;
  /** An empty object of a directory's content type is a directory. Default false: costs a HEAD for each empty object of a listing. */
  readonly contentTypeMarkers?: boolean | undefined;
  /** Single facts of the vendor's profile that are otherwise here: `{ putIfMatch: true }` for a MinIO of today. Claims that do not hold lose data. */
  readonly quirks?: Readonly<Partial<Vendor>> | undefined;
  /** Tells two stores apart in errors and logs. Default "s3". */
  readonly name?: string | undefined;
}

export interface Settings {
  readonly bucket: string;
  readonly prefix: string;
  readonly vendorName: VendorName;
  readonly vendor: Vendor;
  readonly endpoint: URL | undefined;
  readonly region: string | undefined;
  readonly credentials: CredentialSource | undefined;
  readonly createBucket: boolean;
  readonly partBytes: number;
  readonly partsInFlight: number;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly transport: "direct" | "sdk";
  readonly folderMarkers: boolean;
  readonly contentTypeMarkers: boolean;
  readonly clock: Clock;
  readonly random: () => number;
}

const KNOWN: ReadonlySet<string> = new Set([
  "bucket",
  "prefix",
  "vendor",
  "endpoint",
  "region",
  "credentials",
  "pathStyle",
  "createBucket",
  "partBytes",
  "partsInFlight",
  "concurrency",
  "connectTimeoutMs",
  "answerTimeoutMs",
  "idleTimeoutMs",
  "transport",
  "folderMarkers",
  "contentTypeMarkers",
  "quirks",
  "name",
  "clock",
  "random",
]);
const MAX_TIMER_MS = 2 ** 31 - 1;

const wrong = (reason: string): StoreError => new StoreError("config", reason);

/** @throws StoreError `config` */
export function readOptions(options: S3Options): Settings {
  if (typeof options !== "object" || options === null) throw wrong("s3 takes an object of options");
  const unknown = Object.keys(options).find((name) => !KNOWN.has(name));
  if (unknown !== undefined) throw wrong(`s3 has no option ${JSON.stringify(unknown.slice(0, 40))}`);
  const { transport = "direct", random = Math.random } = options;
  const vendorName = options.vendor ?? (options.endpoint === undefined ? "aws" : "generic");
  if (!Object.hasOwn(VENDORS, vendorName)) throw wrong(`vendor is one of ${Object.keys(VENDORS).join(", ")}`);
  if (transport !== "direct" && transport !== "sdk") throw wrong('transport is "direct" or "sdk"');
  const profile = VENDORS[vendorName];
  const quirks = options.quirks ?? {};
  const noQuirk = Object.keys(quirks).find((name) => !Object.hasOwn(profile, name));
  if (noQuirk !== undefined) throw wrong(`quirks has no member ${JSON.stringify(noQuirk.slice(0, 40))}`);
  const given = Object.fromEntries(Object.entries(quirks).filter(([, value]) => value !== undefined));
  const vendor: Vendor = Object.freeze({
    ...profile,
    ...given,
    pathStyle: flag("pathStyle", options.pathStyle, quirks.pathStyle ?? profile.pathStyle),
    concurrency: whole("concurrency", options.concurrency, quirks.concurrency ?? profile.concurrency, 1, 10_000),
  });
  const region = text("region", options.region) ?? vendor.region ?? undefined;
  if (region !== undefined && !/^[A-Za-z0-9-]{1,64}$/.test(region)) throw wrong("region is a word of letters, digits and dashes");
  return Object.freeze({
    bucket: bucket(options.bucket),
    prefix: prefix(options.prefix),
    vendorName,
    vendor,
    endpoint: endpoint(text("endpoint", options.endpoint), vendor, region),
    region,
    credentials: credentials(options.credentials),
    createBucket: flag("createBucket", options.createBucket, false),
    partBytes: whole("partBytes", options.partBytes, 8 * 1024 ** 2, MIN_PART_BYTES, vendor.maxPutBytes),
    partsInFlight: whole("partsInFlight", options.partsInFlight, 4, 1, 64),
    connectTimeoutMs: whole("connectTimeoutMs", options.connectTimeoutMs, 10_000, 1, MAX_TIMER_MS),
    answerTimeoutMs: whole("answerTimeoutMs", options.answerTimeoutMs, 60_000, 1, MAX_TIMER_MS),
    idleTimeoutMs: whole("idleTimeoutMs", options.idleTimeoutMs, 60_000, 1, MAX_TIMER_MS),
    transport,
    folderMarkers: flag("folderMarkers", options.folderMarkers, true),
    contentTypeMarkers: flag("contentTypeMarkers", options.contentTypeMarkers, false),
    clock: options.clock ?? systemClock,
    random,
  });
}

function text(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "") throw wrong(`${name} is text`);
  return value;
}
function flag(name: string, value: unknown, initial: boolean): boolean {
  if (value === undefined) return initial;
  if (typeof value !== "boolean") throw wrong(`${name} is true or false`);
  return value;
}
function whole(name: string, value: unknown, initial: number, min: number, max: number): number {
  if (value === undefined) return initial;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) throw wrong(`${name} is a whole number from ${min} to ${max}`);
  return value;
}

/** Looser than AWS, because others are; strict enough that it cannot change the request around it. */
function bucket(value: unknown): string {
  if (typeof value !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(value) || value.includes("..")) {
    throw wrong("bucket is the name of a bucket: letters, digits, dots, dashes");
  }
  return value;
}

function prefix(value: unknown): string {
  const given = text("prefix", value === "" ? undefined : value);
  const segments = (given ?? "").split("/").filter((segment) => segment !== "");
  if (segments.length === 0) return "";
  if (segments.some((segment) => segment === "." || segment === ".." || segment.includes("\0") || !segment.isWellFormed()))
    throw wrong('prefix is a path without "." and ".." segments');
  const made = `${segments.join("/")}/`;
  if (Buffer.byteLength(made) > 900) throw wrong("prefix has at most 900 bytes: a key has 1,024 in all");
  return made;
}

function endpoint(given: string | undefined, vendor: Vendor, region: string | undefined): URL | undefined {
  if (given === undefined && vendor.endpoint === "sdk") return undefined;
  if (given === undefined && vendor.endpoint === null) throw wrong(`${vendor.label} has no endpoint of its own: give one`);
  if (given === undefined && vendor.endpoint?.includes("{region}") === true && region === undefined)
    throw wrong(`${vendor.label} needs a region or an endpoint`);
  const address = given ?? (vendor.endpoint as string).replace("{region}", region ?? "");
  // A bare host is what people copy from a console.
  const url = URL.parse(address.includes("://") ? address : `https://${address}`);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) throw wrong("endpoint is an http or https address");
  if (url.username !== "" || url.password !== "") throw wrong("endpoint holds a user or password: these go into credentials");
  if (url.search !== "" || url.hash !== "") throw wrong("endpoint has no query and no fragment");
  return url;
}

function credentials(given: S3Options["credentials"]): CredentialSource | undefined {
  if (given === undefined) return undefined;
  if (typeof given === "function") return async () => readCredentials((await given()) as unknown as Record<string, unknown>);
  if (typeof given !== "object" || given === null) throw wrong("credentials is an object of keys, or a function that obtains them");
  const read = readCredentials(given);
  return () => Promise.resolve(read);
}
