/**
 * Makes the places where checks run: a unique id, directories of this machine, seeded randomness, the clock and the way through the proxy.
 *
 *   const site = await openSite({ run, seed: 7, label: "write.bytes", wire: false });
 *   const store = await subject.open(site.place(0));
 *   ...
 *   await site.remove();
 */
import { lstat, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../store/index.ts";
import type { Clock } from "../store/index.ts";
import { freshName, seeded } from "./random.ts";
import type { Place } from "./subject.ts";
import { openWire } from "./wire/proxy.ts";
import type { WireProxy } from "./wire/proxy.ts";

export interface SiteOptions {
  /** The first part of every id: `runName()`. */
  readonly run: string;
  readonly seed: number;
  /** The check and the stack: different labels see different random numbers under one seed. */
  readonly label: string;
  /** Start a proxy. Without one, `route` and `fetch` are refused. */
  readonly wire: boolean;
  readonly clock?: Clock | undefined;
}

/** One place at the service with all its connections. */
export interface Site {
  readonly id: string;
  readonly directory: string;
  /** Where `directory` and the scratch directories lie. */
  readonly base: string;
  readonly proxy: WireProxy | undefined;
  readonly random: () => number;
  /** The subject asked for a way through the proxy although it does not say `wire: true`. */
  readonly routedUndeclared: boolean;
  place(connection: number): Promise<Place>;
  /** Ends the proxy and what still goes through it. */
  cut(): Promise<void>;
  /** Removes the directories. */
  remove(): Promise<void>;
}

let serial = 0;
const prefix = "stratus-ct-";
const dayMs = 86_400_000;
let swept: Promise<void> | undefined;

/** Once per process: removes what killed runs of this user left in the temporary directory, when it is older than a day. */
async function sweep(): Promise<void> {
  const before = systemClock.now() - dayMs;
  for (const name of (await readdir(tmpdir())).filter((one) => one.startsWith(prefix))) {
    const path = join(tmpdir(), name);
    const found = await lstat(path).catch((error: unknown) => {
      // Another process was quicker.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    });
    if (found?.isDirectory() === true && found.mtimeMs < before && found.uid === process.getuid?.()) await rm(path, { recursive: true, force: true });
  }
}

/** "ct-2611210915-k3j9x0az": the minute and eight random characters, so that two runs on one account do not meet and old leftovers can be told by their name. */
export function runName(now: number = systemClock.now()): string {
  const minute = new Date(now).toISOString().replace(/\D/g, "").slice(2, 12);
  return `ct-${minute}-${freshName(8)}`;
}

/** True for ids that `runName` and `openSite` make. What does not look like this is never touched by any clean-up. */
export function isPlaceId(name: string): boolean {
  return /^ct-\d{10}-[a-z0-9]{8}(-[a-z0-9]+)?$/.test(name);
}

/** When a place was made, by its name; undefined for other names. */
export function madeAt(id: string): number | undefined {
  const parts = /^ct-(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)-/.exec(id);
  if (!isPlaceId(id) || parts === null) return undefined;
  const [, year, month, day, hour, minute] = parts.map(Number) as [number, number, number, number, number, number];
  return Date.UTC(2000 + year, month - 1, day, hour, minute);
}

export async function openSite(options: SiteOptions): Promise<Site> {
  await (swept ??= sweep());
  const base = await mkdtemp(join(tmpdir(), prefix));
  const directory = join(base, "service");
  await mkdir(directory);
  serial += 1;
  const id = `${options.run}-${serial.toString(36)}`;
  const proxy = options.wire ? await openWire() : undefined;
  const clock = options.clock ?? systemClock;
  const random = seeded(`${options.seed} ${options.label}`);
  const state = { routedUndeclared: false };
  const refuse = (): never => {
    state.routedUndeclared = true;
    throw new TypeError("place.route and place.fetch are for subjects that say `wire: true`");
  };
  return {
    id,
    directory,
    base,
    proxy,
    random,
    get routedUndeclared() {
      return state.routedUndeclared;
    },
    async place(connection: number): Promise<Place> {
      const scratch = join(base, `scratch-${connection}`);
      await mkdir(scratch, { recursive: true });
      return {
        id,
        directory,
        scratch,
        connection,
        route: proxy === undefined ? refuse : (url) => proxy.route(url),
        fetch: proxy === undefined ? refuse : proxy.fetch,
        clock,
        // Each connection draws from a stream of its own: how often a second one draws must not change what the first one sees.
        random: seeded(`${options.seed} ${options.label} connection ${connection}`),
      };
    },
    async cut(): Promise<void> {
      await proxy?.[Symbol.asyncDispose]();
    },
    async remove(): Promise<void> {
      await rm(base, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
    },
  };
}
