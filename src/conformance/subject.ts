/** What the suite is given: a runner, a subject, and for each check a place of its own. */
import type { Clock, Layer, Provider, Store } from "../store/index.ts";

/** The common part of vitest, node:test and the like. Give the module's own functions: `conformance({ describe, test }, ...)`. */
export interface Runner {
  describe(name: string, body: () => void): unknown;
  test(name: string, options: { readonly timeout: number }, body: () => Promise<void>): unknown;
}
/** Where one check runs. Everything that must differ between checks, processes and machines is in here. */
export interface Place {
  /** Unique, short, safe in every service: a bucket, a folder or a key prefix. */
  readonly id: string;
  /** A directory on this machine for the service itself, the same for all connections; empty at first, removed afterwards. */
  readonly directory: string;
  /** A directory of this connection alone (its cache, its index), found again when the connection reopens. */
  readonly scratch: string;
  /** 0 is the store under test; further connections to the same place have 1, 2 ... */
  readonly connection: number;
  /**
   * The same service through the loopback proxy that counts, records and breaks requests; path and Host header unchanged, so signatures hold.
   * Give what it returns to the provider as its endpoint: cost, wire faults and transcripts see nothing else.
   */
  route(url: string): string;
  /** For providers that take a fetch: goes through the same proxy. */
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly random: () => number;
}
/** Another way to the same bytes: a raw protocol client, the disk below. It knows paths as the user of the service sees them. */
export interface SecondChannel extends AsyncDisposable {
  put(path: string, bytes: Uint8Array): Promise<void>;
  get(path: string): Promise<Uint8Array | undefined>;
  list(dir: string): Promise<readonly string[]>;
}
export interface Subject {
  readonly name: string;
  /** Called for every check with a place of its own, so that checks run in parallel. What it returns is closed by the suite. */
  open(place: Place): Store | Promise<Store>;
  /** Opening a place again finds what was left there. Default true; false for a store that lives in the process. */
  readonly reopens?: boolean;
  /** The same checks again with these layers on top, and the laws that compare with and without. */
  readonly stacks?: Readonly<Record<string, (place: Place) => readonly Layer[]>>;
  /** A store of which nothing can be reached: must fail with `unavailable`, never with `not-found`. */
  unavailable?(place: Place): Store;
  raw?(place: Place): SecondChannel | Promise<SecondChannel>;
  /** After all checks: what is left over at the service (open uploads, temporary objects)? */
  leftovers?(place: Place): Promise<readonly string[]>;
  /** All traffic of `open` goes through `place.route` or `place.fetch`: the checks that count and break requests run. Default false; then both are refused. */
  readonly wire?: boolean;
  /** For `stratus conformance probe`: the bare provider of this place, so that abilities which it does not claim can be tried. */
  provider?(place: Place): Provider | Promise<Provider>;
  /** After a check against a live service, when the place has been emptied: removes the place itself (the bucket, the folder). */
  remove?(place: Place): Promise<void>;
  /** Requests per operation; exceeding one fails. */
  readonly cost?: Readonly<Partial<Record<"stat" | "read" | "write" | "list" | "delete" | "mkdir" | "copy" | "move", number>>>;
  readonly tier?: "smoke" | "full" | "torture";
  /** A failing check that is known. It must fail, and the date must not have passed. */
  readonly expectFail?: readonly { readonly check: string; readonly reason: string; readonly until: string }[];
}
