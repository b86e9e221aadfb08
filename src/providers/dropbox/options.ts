/** What a user may say about a Dropbox account, checked once. */
import { StoreError, systemClock } from "../../store/index.ts";
import type { Clock, Injected } from "../../store/index.ts";

export interface DropboxOptions extends Injected {
  /** A token of OAuth 2. Alone it is used until it expires (four hours), then calls are `unauthenticated`. */
  readonly accessToken?: string | undefined;
  /** Milliseconds since 1970; known ones are renewed five minutes before. Without it a token is renewed when the service refuses it. */
  readonly accessTokenExpiresMs?: number | undefined;
  /** From a sign-in with `token_access_type=offline`; access tokens are then obtained and renewed by themselves. Needs `clientId`. */
  readonly refreshToken?: string | undefined;
  /** The app key. */
  readonly clientId?: string | undefined;
  /** The app secret; apps that signed in with PKCE have none. */
  readonly clientSecret?: string | undefined;
  /** Told after each renewal, for whoever keeps tokens between runs. What it throws ends the call that needed the token. */
  readonly onToken?: ((token: DropboxToken) => void | Promise<void>) | undefined;
  /** The folder that becomes the root of the store, such as "/Backup". Default "": all that the app may see, which always exists. */
  readonly root?: string | undefined;
  /** Makes the folder of `root` when it is missing. Default false: a missing one is `config` on every verb. */
  readonly createRoot?: boolean | undefined;
  /** A namespace id: of a team's root or a shared folder. Paths are relative to it. Default: the user's own home. */
  readonly namespace?: string | undefined;
  /**
   * What becomes of the bytes of a write whose condition is lost. "refuse" (default): nothing is stored. "copy": they are kept beside the file, under the
   * name that Dropbox gives conflicted copies; the call still rejects, and the `entry` of its error is that copy.
   */
  readonly conflicts?: "refuse" | "copy" | undefined;
  /** Larger bodies go up in pieces of so many bytes; one is held in memory for each write. A multiple of 4 MiB, up to 148 MiB. Default 8 MiB. */
  readonly pieceBytes?: number | undefined;
  /**
   * Bodies of known size that are larger than so many pieces go up with so many of them at once, each held in memory; it costs two requests more. 1 to 16,
   * 1: never. Default 4.
   */
  readonly parallelPieces?: number | undefined;
  /** How many calls at once serve the account best; told to layers, not enforced. 1 to 1,000. Default 8. */
  readonly concurrency?: number | undefined;
  /** Nothing moved for so long, in milliseconds: `timeout`. 100 to 3,600,000. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** For copies, moves and deletions, which say nothing until they are done. Same bounds. Default 600,000. */
  readonly treeTimeoutMs?: number | undefined;
  /** The service told the account to wait: calls wait up to so many milliseconds by themselves, longer is `rate-limited` at once. 0 to 3,600,000. Default 30,000. */
  readonly maxWaitMs?: number | undefined;
  /**
   * What tells this account from others to layers that keep things on disk, such as a mail address. Not asked for and not checked. Default: a digest of
   * the refresh token, or else of the access token: a new sign-in is then another account to them.
   */
  readonly account?: string | undefined;
  /** Tells two stores of this kind apart. Default "dropbox". */
  readonly name?: string | undefined;
}
export interface DropboxToken {
  readonly accessToken: string;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
}

/** The options, complete and checked. */
export interface Settings {
  readonly accessToken: string | undefined;
  readonly accessTokenExpiresMs: number | undefined;
  readonly refreshToken: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  readonly onToken: ((token: DropboxToken) => void | Promise<void>) | undefined;
  /** "" or "/Backup/here" */
  readonly root: string;
  readonly createRoot: boolean;
  readonly namespace: string | undefined;
  readonly conflicts: "refuse" | "copy";
  readonly pieceBytes: number;
  readonly parallelPieces: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly treeTimeoutMs: number;
  readonly maxWaitMs: number;
  readonly account: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetch: typeof globalThis.fetch;
}

const KEYS: ReadonlySet<string> = new Set([
  "accessToken",
  "accessTokenExpiresMs",
  "refreshToken",
  "clientId",
  "clientSecret",
  "onToken",
  "root",
  "createRoot",
  "namespace",
  "conflicts",
  "pieceBytes",
  "parallelPieces",
  "concurrency",
  "timeoutMs",
  "treeTimeoutMs",
  "maxWaitMs",
  "account",
  "name",
  "clock",
  "random",
  "fetch",
]);
/** The block of the content hash: pieces are whole blocks, so that the hash of the file is made of what was hashed for them. */
export const BLOCK_BYTES: number = 4 << 20;

/** @throws StoreError `config` for everything that cannot be meant. No secret is quoted. */
export function settingsOf(options: DropboxOptions): Settings {
  if (typeof options !== "object" || options === null) throw wrong("options are an object with a token");
  for (const key of Object.keys(options)) if (!KEYS.has(key)) throw wrong(`there is no option "${key}"`);
  const { accessToken, refreshToken, clientId, clientSecret, namespace, conflicts = "refuse", pieceBytes = 8 << 20 } = options;
  for (const [key, value] of Object.entries({ accessToken, refreshToken, clientId, clientSecret, namespace }))
    if (value !== undefined && (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value))) throw wrong(`${key} is printable ASCII without spaces`);
  if (accessToken === undefined && refreshToken === undefined) throw wrong("an accessToken or a refreshToken is needed");
  if (refreshToken !== undefined && clientId === undefined) throw wrong("a refreshToken is of use only with the clientId (app key) that it was given to");
  if (refreshToken === undefined && (clientId !== undefined || clientSecret !== undefined)) throw wrong("clientId and clientSecret belong to a refreshToken");
  if (namespace !== undefined && !/^\d+$/.test(namespace)) throw wrong("namespace is a number, as text");
  if (conflicts !== "refuse" && conflicts !== "copy") throw wrong('conflicts is "refuse" or "copy"');
  if (whole("pieceBytes", pieceBytes, 0, BLOCK_BYTES, 37 * BLOCK_BYTES) % BLOCK_BYTES !== 0) throw wrong("pieceBytes is a multiple of 4 MiB");
  if (options.onToken !== undefined && typeof options.onToken !== "function") throw wrong("onToken is a function");
  const { account } = options;
  if (account !== undefined && (typeof account !== "string" || account === "")) throw wrong("account is a text");
  return {
    accessToken,
    accessTokenExpiresMs:
      options.accessTokenExpiresMs === undefined ? undefined : whole("accessTokenExpiresMs", options.accessTokenExpiresMs, 0, 0, Number.MAX_SAFE_INTEGER),
    refreshToken,
    clientId,
    clientSecret,
    onToken: options.onToken,
    root: rootOf(options.root ?? ""),
    createRoot: options.createRoot === true,
    namespace,
    conflicts,
    pieceBytes,
    parallelPieces: whole("parallelPieces", options.parallelPieces, 4, 1, 16),
    concurrency: whole("concurrency", options.concurrency, 8, 1, 1000),
    timeoutMs: whole("timeoutMs", options.timeoutMs, 60_000, 100, 3_600_000),
    treeTimeoutMs: whole("treeTimeoutMs", options.treeTimeoutMs, 600_000, 100, 3_600_000),
    maxWaitMs: whole("maxWaitMs", options.maxWaitMs, 30_000, 0, 3_600_000),
    account,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    fetch: options.fetch ?? globalThis.fetch,
  };
}

function rootOf(root: unknown): string {
  if (typeof root !== "string" || !root.isWellFormed()) throw wrong("root is the path of a folder");
  const path = root.replace(/\/+$/, "");
  if (path === "") return "";
  // eslint-disable-next-line no-control-regex
  if (!/^(?:\/(?!\.{1,2}(?:\/|$))[^/\\\0\x7f]*[^/\\\0\x7f ])+$/.test(path))
    throw wrong('root is "", or a path that starts with a slash, in names that Dropbox can hold');
  return path;
}

function whole(name: string, value: unknown, initial: number, min: number, max: number): number {
  if (value === undefined) return initial;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) throw wrong(`${name} is a whole number from ${min} to ${max}`);
  return value;
}

function wrong(reason: string): StoreError {
  return new StoreError("config", reason);
}
