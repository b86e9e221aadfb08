/** What a pool is made of, checked once. */
import type { Catalogue } from "../catalogue/index.ts";
import { StoreError, systemClock } from "../store/index.ts";
import type { Clock, Injected, Store } from "../store/index.ts";

/** Reads a link that no store of the pool has: of a dump or database that another program made. A link that is gone rejects with StoreError `not-found`. */
export type LinkReader = (
  host: string,
  url: string,
  options: { readonly signal: AbortSignal | undefined },
) => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>;

export interface PoolOptions extends Pick<Injected, "clock" | "random"> {
  /** From `sqliteCatalogue` (one process) or `postgresCatalogue` (any number of nodes). The pool closes it. */
  readonly catalogue: Catalogue;
  /** The cache: a local directory of this pool alone, one process at a time. Made where there is none, mode 0700. */
  readonly directory: string;
  /** Bytes. The cache never holds more than 90 % of it. 0 or more; what lies there already may be more, then it shrinks with the next upload. */
  readonly capacityBytes: number;
  /** Stores by name. A name stands for the place in the catalogue and in dumps: the same name is the same place on every node. The pool closes them, unless they are given with `borrow`. */
  readonly hosts: Readonly<Record<string, Store>>;
  /** Copies of each file, on so many distinct hosts. 1 to the number of hosts. Default: 3, or as many as there are hosts. */
  readonly copies?: number | undefined;
  /** What leaves the cache when room is needed: "size", the smallest file that makes enough room, else the largest ones; or "lru", the one not used for longest. Default "size". */
  readonly eviction?: "size" | "lru" | undefined;
  /** Files that are sent at once. 1 to 64. Default 4. Each may go to `copies` hosts at once. */
  readonly maxTransfers?: number | undefined;
  /** How long a removed file can still come back, in milliseconds, before `collect` takes it. 0 or more. Default 86,400,000, a day. */
  readonly graceMs?: number | undefined;
  readonly openLink?: LinkReader | undefined;
  /** Where `backup` puts the catalogue. Not among `hosts`, whose files it should outlive. The pool closes it, unless it is given with `borrow`. */
  readonly backupStore?: Store | undefined;
}

export interface Settings {
  readonly catalogue: Catalogue;
  readonly directory: string;
  readonly capacityBytes: number;
  readonly hosts: ReadonlyMap<string, Store>;
  readonly copies: number;
  readonly eviction: "size" | "lru";
  readonly maxTransfers: number;
  readonly graceMs: number;
  readonly openLink: LinkReader | undefined;
  readonly backupStore: Store | undefined;
  readonly clock: Clock;
  readonly random: () => number;
}

const KEYS: ReadonlySet<string> = new Set<keyof PoolOptions>([
  "catalogue",
  "directory",
  "capacityBytes",
  "hosts",
  "copies",
  "eviction",
  "maxTransfers",
  "graceMs",
  "openLink",
  "backupStore",
  "clock",
  "random",
]);

/** @throws StoreError `config` */
export function checkOptions(options: PoolOptions): Settings {
  for (const key of Object.keys(options)) if (!KEYS.has(key)) throw config(`a pool has no option ${key}`);
  const hosts = new Map(Object.entries(options.hosts));
  const { copies = Math.min(3, hosts.size), eviction = "size", maxTransfers = 4, graceMs = 86_400_000, clock = systemClock, random = Math.random } = options;
  if (hosts.size === 0) throw config("a pool needs at least one host");
  for (const name of hosts.keys())
    if (!/^[^\0-\x1f\x7f]{1,200}$/.test(name) || !name.isWellFormed())
      throw config("the name of a host is a text of 1 to 200 characters, none of them a control character");
  if (typeof options.directory !== "string" || options.directory === "") throw config("a pool needs a directory for its cache");
  whole("capacityBytes", options.capacityBytes, 0, Number.MAX_SAFE_INTEGER);
  whole("copies", copies, 1, hosts.size);
  whole("maxTransfers", maxTransfers, 1, 64);
  whole("graceMs", graceMs, 0, Number.MAX_SAFE_INTEGER);
  if (eviction !== "size" && eviction !== "lru") throw config('eviction is "size" or "lru"');
  const { catalogue, directory, capacityBytes, openLink, backupStore } = options;
  return { catalogue, directory, capacityBytes, hosts, copies, eviction, maxTransfers, graceMs, openLink, backupStore, clock, random };
}

function whole(key: string, value: unknown, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) throw config(`${key} is a whole number from ${least} to ${most}`);
}

function config(reason: string): StoreError {
  return new StoreError("config", reason, { applied: false });
}
