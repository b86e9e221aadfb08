/** What a user may say about a SugarSync account, checked once. */
import { StoreError, systemClock } from "../../store/index.ts";
import type { Clock, Injected } from "../../store/index.ts";

export interface SugarSyncOptions extends Injected {
  /** The keys of your application, from https://www.sugarsync.com/developer. */
  readonly accessKeyId: string;
  readonly privateAccessKey: string;
  /** What `stratus auth sugarsync` stores, once per account and application: "https://api.sugarsync.com/app-authorization/…". */
  readonly refreshToken: string;
  /** The service, scheme and host alone. Default "https://api.sugarsync.com". */
  readonly url?: string | undefined;
  /** Deletes for good instead of moving to Deleted Files; trees are then walked. Default false. */
  readonly hardDelete?: boolean | undefined;
  /**
   * How long the id of a folder or file, once seen, is believed without asking again, in milliseconds: changes of other programs may show that much later,
   * and what is asked in between costs fewer requests. 0 to 60,000. Default 1,000.
   */
  readonly cacheMs?: number | undefined;
  /** How late the service may show a change, in milliseconds. Told to layers, not waited for. `cacheMs` to 600,000. Default 60,000. */
  readonly settleMs?: number | undefined;
  /** Nothing moved for so long, in milliseconds: `timeout`. 100 to 3,600,000. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * What tells this account from others to layers that keep things on disk, such as a mail address. Not asked for and not checked. Default: a digest of
   * `refreshToken`: a new sign-in is then another account to them.
   */
  readonly account?: string | undefined;
  /** Tells two stores of this kind apart. Default "sugarsync". */
  readonly name?: string | undefined;
}

/** The options, complete and checked. */
export interface Settings {
  readonly origin: string;
  readonly accessKeyId: string;
  readonly privateAccessKey: string;
  readonly refreshToken: string;
  readonly hardDelete: boolean;
  readonly cacheMs: number;
  readonly settleMs: number;
  readonly timeoutMs: number;
  readonly account: string | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly fetch: typeof globalThis.fetch;
}

const KEYS: ReadonlySet<string> = new Set([
  "accessKeyId",
  "privateAccessKey",
  "refreshToken",
  "url",
  "hardDelete",
  "cacheMs",
  "settleMs",
  "timeoutMs",
  "account",
  "name",
  "clock",
  "random",
  "fetch",
]);

/** @throws StoreError `config` for everything that cannot be meant. */
export function settingsOf(options: SugarSyncOptions): Settings {
  if (typeof options !== "object" || options === null) throw wrong("options are an object with accessKeyId, privateAccessKey and refreshToken");
  for (const key of Object.keys(options)) if (!KEYS.has(key)) throw wrong(`there is no option "${key}"`);
  const { accessKeyId, privateAccessKey, refreshToken } = options;
  for (const [key, value] of Object.entries({ accessKeyId, privateAccessKey, refreshToken }))
    if (typeof value !== "string" || value === "") throw wrong(`${key} is missing`);
  if (options.hardDelete !== undefined && typeof options.hardDelete !== "boolean") throw wrong("hardDelete is true or false");
  const { account } = options;
  if (account !== undefined && (typeof account !== "string" || account === "")) throw wrong("account is a text");
  const cacheMs = whole("cacheMs", options.cacheMs, 1000, 0, 60_000);
  return {
    origin: originOf(options.url ?? "https://api.sugarsync.com"),
    accessKeyId,
    privateAccessKey,
    refreshToken,
    hardDelete: options.hardDelete === true,
    cacheMs,
    settleMs: whole("settleMs", options.settleMs, Math.max(60_000, cacheMs), cacheMs, 600_000),
    timeoutMs: whole("timeoutMs", options.timeoutMs, 60_000, 100, 3_600_000),
    account,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    fetch: options.fetch ?? globalThis.fetch,
  };
}

function originOf(text: unknown): string {
  let url: URL;
  try {
    url = new URL(text as string);
  } catch (cause) {
    throw wrong("url is no URL", cause);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw wrong("url starts with http:// or https://");
  if (url.username !== "" || url.password !== "" || url.pathname !== "/" || url.search !== "" || url.hash !== "") throw wrong("url is scheme and host alone");
  return url.origin;
}

function whole(name: string, value: unknown, initial: number, min: number, max: number): number {
  if (value === undefined) return initial;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) throw wrong(`${name} is a whole number from ${min} to ${max}`);
  return value;
}

function wrong(reason: string, cause?: unknown): StoreError {
  return new StoreError("config", reason, { cause });
}
