/** What a user may say about a Google Drive, checked once. */
import { StoreError, parsePath, root, systemClock } from "../../store/index.ts";
import type { Clock, Injected } from "../../store/index.ts";

/** Of an app that a person has signed in to: tokens are renewed without that person. */
export interface RefreshAuth {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
}
/** The key file of a service account, as Google gives it. */
export interface ServiceAccountAuth {
  readonly serviceAccount: { readonly client_email: string; readonly private_key: string; readonly private_key_id?: string | undefined };
  /** The user of the domain to act for, where the domain allows that. */
  readonly subject?: string | undefined;
  /** Default `https://www.googleapis.com/auth/drive`. */
  readonly scope?: string | undefined;
}
/** A token that somebody else looks after. As a function: asked for one when the last was refused. */
export interface TokenAuth {
  readonly token: string | (() => string | Promise<string>);
}
export type DriveAuth = RefreshAuth | ServiceAccountAuth | TokenAuth;

export interface DriveOptions extends Injected {
  readonly auth: DriveAuth;
  /** The folder that becomes the root of the store, as a path below the drive's own root: "/backups/laptop". Default: that root itself. */
  readonly folder?: string | undefined;
  /** The id of the folder that `folder` is counted from, for one that others share. Not together with `driveId`. Default: My Drive, or the shared drive. */
  readonly rootId?: string | undefined;
  /** The id of a shared drive. Default: My Drive of the account. */
  readonly driveId?: string | undefined;
  /** Makes the folder of `folder` when it is missing. Default false: a missing one is `config` on every verb. */
  readonly createRoot?: boolean | undefined;
  /** What becomes of deleted and replaced files. "trash" (default): Drive keeps them for 30 days. "permanent": gone at once; in a shared drive only an organizer may. */
  readonly deletes?: "trash" | "permanent" | undefined;
  /** Several files of one name in one folder. "newest" (default): the newest is the file; all are told to `onDuplicates`. "error": `conflict`. */
  readonly duplicates?: "newest" | "error" | undefined;
  /** Told of each name that several files bear, where one is looked at: the path is "/a/b", `ids` are all of them, the one that counts first. */
  readonly onDuplicates?: ((found: { readonly path: string; readonly ids: readonly string[] }) => void) | undefined;
  /** Google's own documents are read in these forms: `{ "application/vnd.google-apps.document": "text/plain" }`. Default: none, `unsupported`. */
  readonly exports?: Readonly<Record<string, string>> | undefined;
  /** How late Drive's search may show a change, in milliseconds; own changes are seen at once all the same. 0 to 600,000. Default 30,000. */
  readonly settleMs?: number | undefined;
  /** How long the id of a folder is believed without asking, in milliseconds. 0 to 600,000. Default 15,000. */
  readonly indexTtlMs?: number | undefined;
  /** A piece of a large upload, in bytes, held in memory: a multiple of 262,144. Default 8,388,608; at most 268,435,456. */
  readonly chunkBytes?: number | undefined;
  /** Up to so many bytes a file goes up in one request. 0 to 5,000,000. Default 5,000,000. */
  readonly multipartBytes?: number | undefined;
  /** Nothing moved for so long, in milliseconds: `timeout`. A request with a body has a millisecond more for each 8 bytes. 100 to 3,600,000. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** How many calls at once serve Drive best; told to layers, not enforced. 1 to 1,000. Default 4. */
  readonly concurrency?: number | undefined;
  /** Where the API lives, for tests and gateways. Default `https://www.googleapis.com/`. */
  readonly rootUrl?: string | undefined;
  /** Where tokens come from. Default `https://oauth2.googleapis.com/token`. */
  readonly tokenUrl?: string | undefined;
  /**
   * What tells this account from others to layers that keep things on disk, such as a mail address. Not asked for and not checked. Default: a digest of
   * the refresh token or the token, and the mail addresses of a service account: a new sign-in is then another account to them. A function that gives
   * tokens tells nothing: `config` from those layers, unless `rootId` or `driveId` is given: ids are nobody else's.
   */
  readonly account?: string | undefined;
  /** Tells two stores of this kind apart. Default "drive". */
  readonly name?: string | undefined;
}

export interface Settings {
  readonly auth: DriveAuth;
  /** Names as paths have them. */
  readonly folder: readonly string[];
  readonly rootId: string;
  readonly driveId: string | undefined;
  readonly createRoot: boolean;
  readonly deletes: "trash" | "permanent";
  readonly duplicates: "newest" | "error";
  readonly onDuplicates: DriveOptions["onDuplicates"];
  readonly exports: Readonly<Record<string, string>>;
  readonly settleMs: number;
  readonly indexTtlMs: number;
  readonly chunkBytes: number;
  readonly multipartBytes: number;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly rootUrl: string;
  readonly tokenUrl: string;
  readonly account: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetch: typeof globalThis.fetch;
}

export const GRAIN: number = 256 << 10;
const KEYS: ReadonlySet<string> = new Set(
  (
    "auth folder rootId driveId createRoot deletes duplicates onDuplicates exports settleMs indexTtlMs chunkBytes multipartBytes timeoutMs concurrency " +
    "rootUrl tokenUrl account name clock random fetch"
  ).split(" "),
);
const ID = /^[\w-]{1,200}$/;

/** @throws StoreError `config` for everything that cannot be meant. */
export function settingsOf(options: DriveOptions): Settings {
  if (typeof options !== "object" || options === null) throw wrong("options are an object with auth");
  for (const key of Object.keys(options)) if (!KEYS.has(key)) throw wrong(`there is no option "${key}"`);
  const { rootId, driveId, deletes = "trash", duplicates = "newest", exports = {} } = options;
  for (const [key, id] of Object.entries({ rootId, driveId }))
    if (id !== undefined && (typeof id !== "string" || !ID.test(id))) throw wrong(`${key} is an id of Drive`);
  if (rootId !== undefined && driveId !== undefined && rootId !== driveId) throw wrong("give rootId or driveId, not both");
  if (deletes !== "trash" && deletes !== "permanent") throw wrong('deletes is "trash" or "permanent"');
  if (duplicates !== "newest" && duplicates !== "error") throw wrong('duplicates is "newest" or "error"');
  for (const form of Object.values(exports))
    if (typeof form !== "string" || !form.includes("/")) throw wrong("exports names a media type for each type of Google's");
  const chunkBytes = whole("chunkBytes", options.chunkBytes, 8 << 20, GRAIN, 256 << 20);
  if (chunkBytes % GRAIN !== 0) throw wrong(`chunkBytes is a multiple of ${GRAIN}`);
  const { account } = options;
  if (account !== undefined && (typeof account !== "string" || account === "")) throw wrong("account is a text");
  return {
    auth: authOf(options.auth),
    folder: folderOf(options.folder),
    rootId: rootId ?? driveId ?? "root",
    driveId,
    createRoot: options.createRoot === true,
    deletes,
    duplicates,
    onDuplicates: options.onDuplicates,
    exports: { ...exports },
    settleMs: whole("settleMs", options.settleMs, 30_000, 0, 600_000),
    indexTtlMs: whole("indexTtlMs", options.indexTtlMs, 15_000, 0, 600_000),
    chunkBytes,
    multipartBytes: whole("multipartBytes", options.multipartBytes, 5_000_000, 0, 5_000_000),
    timeoutMs: whole("timeoutMs", options.timeoutMs, 60_000, 100, 3_600_000),
    concurrency: whole("concurrency", options.concurrency, 4, 1, 1000),
    rootUrl: urlOf("rootUrl", options.rootUrl ?? "https://www.googleapis.com/").replace(/\/?$/, "/"),
    tokenUrl: urlOf("tokenUrl", options.tokenUrl ?? "https://oauth2.googleapis.com/token"),
    account,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    fetch: options.fetch ?? globalThis.fetch,
  };
}

function authOf(auth: unknown): DriveAuth {
  if (typeof auth !== "object" || auth === null) throw wrong("auth is an object: a refresh token of a client, a service account, or a token");
  const given = auth as Partial<RefreshAuth & ServiceAccountAuth & TokenAuth>;
  const text = (value: unknown): boolean => typeof value === "string" && value !== "";
  if (given.token !== undefined) {
    if (!text(given.token) && typeof given.token !== "function") throw wrong("auth.token is a text or a function");
    return { token: given.token };
  }
  if (given.serviceAccount !== undefined) {
    const { client_email, private_key } = given.serviceAccount;
    if (!text(client_email) || !text(private_key)) throw wrong("auth.serviceAccount has client_email and private_key, as in the key file");
    return { serviceAccount: given.serviceAccount, subject: given.subject, scope: given.scope };
  }
  if (!text(given.clientId) || !text(given.clientSecret) || !text(given.refreshToken)) throw wrong("auth has clientId, clientSecret and refreshToken");
  return { clientId: given.clientId as string, clientSecret: given.clientSecret as string, refreshToken: given.refreshToken as string };
}

function folderOf(folder: unknown): readonly string[] {
  if (folder === undefined || folder === "" || folder === root) return [];
  if (typeof folder !== "string") throw wrong("folder is a path");
  try {
    return parsePath(folder).split("/").slice(1);
  } catch (cause) {
    throw wrong('folder is a path such as "/backups/laptop"', cause);
  }
}

function urlOf(name: string, value: unknown): string {
  let url: URL;
  try {
    url = new URL(value as string);
  } catch (cause) {
    throw wrong(`${name} is no URL`, cause);
  }
  if (!/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "" || url.hash !== "")
    throw wrong(`${name} is an http or https URL without user and query`);
  return url.href;
}

function whole(name: string, value: unknown, initial: number, min: number, max: number): number {
  if (value === undefined) return initial;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) throw wrong(`${name} is a whole number from ${min} to ${max}`);
  return value;
}

/** Wrong options: nothing was asked of anybody yet. Values are not quoted, some are secrets. */
function wrong(reason: string, cause?: unknown): StoreError {
  return new StoreError("config", reason, { cause });
}
