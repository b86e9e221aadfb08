/** What a user may say about a WebDAV server, checked once. */
import { StoreError, systemClock } from "../../store/index.ts";
import type { Clock, Injected } from "../../store/index.ts";
import { profiles } from "./profiles.ts";
import type { WebdavProfile, WebdavServer } from "./profiles.ts";

export interface WebdavOptions extends Pick<Injected, "clock" | "random"> {
  /** The collection that becomes the root of the store: "https://dav.example.org:8443/remote/files". Scheme http or https, no query, no user. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** A bearer token, instead of user and password. */
  readonly token?: string | undefined;
  /**
   * What tells this account from others to layers that keep things on disk. Not sent and not checked. Default: the user, or a digest of the token: a new
   * token is then another account to them.
   */
  readonly account?: string | undefined;
  /**
   * "auto" (default): asks without credentials once and takes the strongest scheme that the server offers, so that a password is never sent in the
   * clear to a server that knows digest. "basic": sends the password at once. "digest": never sends it.
   */
  readonly auth?: "auto" | "basic" | "digest" | undefined;
  /** Which server it is, by name or as a profile of your own; it decides the capabilities. `detectWebdav` finds out. Default "generic", the cautious one. */
  readonly server?: WebdavServer | WebdavProfile | undefined;
  /** Makes the collection of `url`, parents too, when it is missing. Default false: a missing one is `config` on every verb. */
  readonly createRoot?: boolean | undefined;
  /** How many calls at once serve this server best; told to layers, not enforced. 1 to 1,000. Default by profile: 8 or 4. */
  readonly concurrency?: number | undefined;
  /** A server that shows changes late: how late, in milliseconds. What was just written is waited for that long. 0 to 600,000. Default by profile: 0. */
  readonly settleMs?: number | undefined;
  /** Nothing moved for so long, in milliseconds: `timeout`. 100 to 3,600,000. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** For COPY, MOVE and DELETE, which say nothing until they are done. Same bounds. Default 600,000. */
  readonly treeTimeoutMs?: number | undefined;
  /** How long the answer to `Expect: 100-continue` is waited for before the body is sent all the same, in milliseconds. 1 to 60,000. Default 1,000. */
  readonly continueMs?: number | undefined;
  /** Certificates to trust instead of the system's, as PEM. */
  readonly ca?: string | undefined;
  /** Sent with every request, for proxies and gateways. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Tells two stores of this kind apart. Default "webdav". */
  readonly name?: string | undefined;
}

/** The options, complete and checked. */
export interface Settings {
  /** "https://dav.example.org:8443" */
  readonly origin: string;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** Raw path of the base with a "/" at its end. */
  readonly base: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  readonly account: string | undefined;
  readonly auth: "auto" | "basic" | "digest";
  readonly profile: WebdavProfile;
  readonly createRoot: boolean;
  readonly concurrency: number;
  readonly settleMs: number;
  readonly timeoutMs: number;
  readonly treeTimeoutMs: number;
  readonly continueMs: number;
  readonly ca: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: () => number;
}

const KEYS: ReadonlySet<string> = new Set([
  "url",
  "username",
  "password",
  "token",
  "account",
  "auth",
  "server",
  "createRoot",
  "concurrency",
  "settleMs",
  "timeoutMs",
  "treeTimeoutMs",
  "continueMs",
  "ca",
  "headers",
  "name",
  "clock",
  "random",
]);

/** @throws StoreError `config` for everything that cannot be meant. */
export function settingsOf(options: WebdavOptions): Settings {
  if (typeof options !== "object" || options === null) throw wrong("options are an object with a url");
  for (const key of Object.keys(options)) if (!KEYS.has(key)) throw wrong(`there is no option "${key}"`);
  const url = urlOf(options.url);
  const { username, password, token, account, auth = "auto", headers = {} } = options;
  for (const [key, value] of Object.entries({ username, password, token, account, ca: options.ca }))
    if (value !== undefined && typeof value !== "string") throw wrong(`${key} is a text`);
  if (account === "") throw wrong("account is a text");
  if (!["auto", "basic", "digest"].includes(auth)) throw wrong('auth is "auto", "basic" or "digest"');
  if (token !== undefined && (username !== undefined || password !== undefined)) throw wrong("give a token, or username and password, not both");
  if ((username === undefined) !== (password === undefined)) throw wrong("username and password belong together");
  // eslint-disable-next-line no-control-regex
  if (username !== undefined && /[:\0-\x1f\x7f]/.test(username)) throw wrong("a username holds no colon and no control character");
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) throw wrong("a token is printable ASCII without spaces");
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || typeof value !== "string" || !/^[\t\x20-\x7e]*$/.test(value)) throw wrong(`the header "${name}" cannot be sent`);
    if (/^(authorization|host|content-length|transfer-encoding|expect|connection|range|if.*|depth|destination|overwrite)$/i.test(name))
      throw wrong(`the header "${name}" is the provider's own`);
  }
  const profile = typeof options.server === "object" ? options.server : profiles[options.server ?? "generic"];
  if (profile === undefined) throw wrong(`server is one of ${Object.keys(profiles).join(", ")}, or a profile`);
  return {
    origin: url.origin,
    secure: url.protocol === "https:",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
    base: url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`,
    username,
    password,
    token,
    account,
    auth,
    profile,
    headers,
    createRoot: options.createRoot === true,
    concurrency: whole("concurrency", options.concurrency, profile.concurrency, 1, 1000),
    settleMs: whole("settleMs", options.settleMs, profile.settleMs, 0, 600_000),
    timeoutMs: whole("timeoutMs", options.timeoutMs, 60_000, 100, 3_600_000),
    treeTimeoutMs: whole("treeTimeoutMs", options.treeTimeoutMs, 600_000, 100, 3_600_000),
    continueMs: whole("continueMs", options.continueMs, 1000, 1, 60_000),
    ca: options.ca,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
}

function urlOf(text: unknown): URL {
  let url: URL;
  try {
    url = new URL(text as string);
  } catch (cause) {
    throw wrong("url is no URL", cause);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw wrong("url starts with http:// or https://");
  if (url.username !== "" || url.password !== "") throw wrong("user and password are options of their own, no part of the url");
  if (url.search !== "" || url.hash !== "") throw wrong("url has no query and no fragment");
  // The path is compared with what the server answers, so it must read as names.
  try {
    decodeURIComponent(url.pathname);
  } catch (cause) {
    throw wrong("the path of the url is not encoded as UTF-8", cause);
  }
  return new URL(url.pathname.replace(/\/{2,}/g, "/"), url);
}

function whole(name: string, value: unknown, initial: number, min: number, max: number): number {
  if (value === undefined) return initial;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) throw wrong(`${name} is a whole number from ${min} to ${max}`);
  return value;
}

/** Wrong options: nothing was asked of anybody yet. The url is not quoted, it may hold what nobody should read. */
function wrong(reason: string, cause?: unknown): StoreError {
  return new StoreError("config", reason, { cause });
}
