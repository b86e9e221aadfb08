/** What a repository is made of, checked once. */
import { hostname } from "node:os";
import type { Catalogue } from "../catalogue/index.ts";
import { StoreError, systemClock } from "../store/index.ts";
import type { Clock, Injected, Store } from "../store/index.ts";

/** Something that was found to be wrong and was put right, or left for `verify` and `repair`. */
export interface RepositoryProblem {
  readonly kind: "bad-copy" | "bad-download" | "object-missing" | "object-wrong";
  readonly file: number;
  readonly path: string;
}

export interface RepositoryOptions extends Pick<Injected, "clock" | "random"> {
  /** From `sqliteCatalogue` (one process) or `postgresCatalogue` (any number of hosts). The repository closes it. */
  readonly catalogue: Catalogue;
  /** The bucket "main". Everything in it is the repository's: give it a store with `prefix` where that is not so. The repository closes it, unless it is given with `borrow`. */
  readonly store: Store;
  /** Further buckets by name: letters, digits, "-" and "_", at most 63. The same name is the same place on every host. */
  readonly buckets?: Readonly<Record<string, Store>> | undefined;
  /** Where backups of the catalogue go: preferably not where the objects are. */
  readonly backupStore?: Store | undefined;
  /** Local files of this host: a directory of this repository alone, one process at a time. Made where there is none, mode 0700. */
  readonly directory: string;
  /** Name of this machine in the catalogue, 1 to 200 characters. Default: its host name. */
  readonly host?: string | undefined;
  /** Bytes of local copies after maintenance and after each download; what no store has yet is never let go. 0 or more. Default: no limit. */
  readonly cacheLimitBytes?: number | undefined;
  /** Unpublished files of this host that are older are purged by `maintainHost`, in milliseconds. Default 604,800,000, a week. */
  readonly unpublishedStaleMs?: number | undefined;
  /** Local copies that were not used for longer are let go by `maintainHost`, in milliseconds. Default 2,592,000,000, thirty days. */
  readonly publishedStaleMs?: number | undefined;
  /** How long a file stays after a collection found that nothing wants it, in milliseconds. Default 86,400,000, a day. */
  readonly graceMs?: number | undefined;
  /** Objects stay until the catalogue was backed up so often after their file expired. Kept in the catalogue, for all hosts. 0 to 1,000. Default of `create`: 2 with a `backupStore`, else 0; of `open`: as it is. */
  readonly backupsBeforeDelete?: number | undefined;
  /** No store is asked: downloads are refused with `offline`, uploads and deletions wait. Default false. */
  readonly offline?: boolean | undefined;
  /** Told of each bad copy. It must not throw. */
  readonly onProblem?: ((problem: RepositoryProblem) => void) | undefined;
}

export interface Settings {
  readonly catalogue: Catalogue;
  readonly buckets: ReadonlyMap<string, Store>;
  readonly backupStore: Store | undefined;
  readonly directory: string;
  readonly host: string;
  readonly cacheLimitBytes: number | null;
  readonly unpublishedStaleMs: number;
  readonly publishedStaleMs: number;
  readonly graceMs: number;
  readonly backupsBeforeDelete: number | undefined;
  readonly offline: boolean;
  readonly onProblem: (problem: RepositoryProblem) => void;
  readonly clock: Clock;
  readonly random: () => number;
}

export const MAIN = "main";
const DAY_MS = 86_400_000;
const KEYS: ReadonlySet<string> = new Set<keyof RepositoryOptions>([
  "catalogue",
  "store",
  "buckets",
  "backupStore",
  "directory",
  "host",
  "cacheLimitBytes",
  "unpublishedStaleMs",
  "publishedStaleMs",
  "graceMs",
  "backupsBeforeDelete",
  "offline",
  "onProblem",
  "clock",
  "random",
]);

/** @throws StoreError `config` */
export function checkOptions(options: RepositoryOptions): Settings {
  for (const key of Object.keys(options)) if (!KEYS.has(key)) throw config(`a repository has no option ${key}`);
  const { catalogue, store, directory, backupStore, host = hostname(), clock = systemClock, random = Math.random, offline = false } = options;
  const { unpublishedStaleMs = 7 * DAY_MS, publishedStaleMs = 30 * DAY_MS, graceMs = DAY_MS, cacheLimitBytes = null, backupsBeforeDelete } = options;
  if (typeof catalogue !== "object" || typeof store !== "object") throw config("a repository needs a catalogue and a store");
  const buckets = new Map([[MAIN, store], ...Object.entries(options.buckets ?? {})]);
  if (buckets.size !== Object.keys(options.buckets ?? {}).length + 1) throw config('the bucket "main" is the option store');
  for (const name of buckets.keys())
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(name)) throw config("the name of a bucket has 1 to 63 letters, digits, - and _, and begins with no sign");
  if (typeof directory !== "string" || directory === "") throw config("a repository needs a directory for its local files");
  if (typeof host !== "string" || !/^[^\0-\x1f\x7f]{1,200}$/.test(host) || !host.isWellFormed())
    throw config("the name of a host is a text of 1 to 200 characters, none of them a control character");
  if (cacheLimitBytes !== null) whole("cacheLimitBytes", cacheLimitBytes, Number.MAX_SAFE_INTEGER);
  if (backupsBeforeDelete !== undefined) whole("backupsBeforeDelete", backupsBeforeDelete, 1000);
  whole("unpublishedStaleMs", unpublishedStaleMs, Number.MAX_SAFE_INTEGER);
  whole("publishedStaleMs", publishedStaleMs, Number.MAX_SAFE_INTEGER);
  whole("graceMs", graceMs, Number.MAX_SAFE_INTEGER);
  if (typeof offline !== "boolean") throw config("offline is true or false");
  const onProblem = options.onProblem ?? ((): void => {});
  const times = { unpublishedStaleMs, publishedStaleMs, graceMs };
  return { catalogue, buckets, backupStore, directory, host, cacheLimitBytes, ...times, backupsBeforeDelete, offline, onProblem, clock, random };
}

function whole(key: string, value: unknown, most: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > most) throw config(`${key} is a whole number from 0 to ${most}`);
}

function config(reason: string): StoreError {
  return new StoreError("config", reason, { applied: false });
}
