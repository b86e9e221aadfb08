/** The run-time side of the store: hosts, checks, repairs, what waits to be removed. */
import { StoreError, abortError, control } from "../../store/index.ts";
import type { CallOptions, Control } from "../../store/index.ts";
import { lostPaths, repair, verify } from "./care.ts";
import type { RepairReport, VerifyReport } from "./care.ts";
import type { HostRecord } from "./hosts.ts";
import type { StoreSettings } from "./options.ts";
import type { Plowshare } from "./provider.ts";
import type { Session } from "./session.ts";

export interface HostStatus extends HostRecord {
  /** New copies may go there. */
  readonly listed: boolean;
  /** Links of files; of them dead. */
  readonly links: number;
  readonly dead: number;
}
export interface PlowshareStatus {
  readonly files: number;
  /** Different bodies; copies of a file share one. Empty files have none. */
  readonly contents: number;
  readonly bytes: number;
  readonly links: number;
  readonly deadLinks: number;
  /** Contents with fewer living copies than wanted. */
  readonly short: number;
  /** Paths of which no living copy is known. */
  readonly lost: readonly string[];
  /** Links that wait to be removed at their hosts. */
  readonly pendingRemovals: number;
  /** Links that stay at their hosts: no deletion code, or a wrong one. */
  readonly orphans: readonly { readonly id: number; readonly host: string; readonly sinceMs: number; readonly why: string }[];
  /**
   * Uploads that ended without a link when nobody could know whether the host has the bytes: cut off, or failed in another way than by a refusal of the host (a host that cannot be
   * reached has them most often not). Look at the host for these names.
   */
  readonly possibleOrphans: readonly {
    readonly id: number;
    readonly host: string;
    readonly name: string;
    readonly bytes: number;
    readonly startedMs: number;
  }[];
}

export interface PlowshareControl extends Control {
  /** From the index alone. */
  status(): Promise<PlowshareStatus>;
  /** What each host did so far; errors are kept over restarts. */
  hosts(): Promise<readonly HostStatus[]>;
  /** Asks about every link (plowprobe), one host at a time each; `deep` downloads and compares. Marks what is dead; changes nothing at hosts. */
  verify(options?: CallOptions & { readonly deep?: boolean | undefined }): Promise<VerifyReport>;
  /** Makes missing copies from living ones at other hosts, and removes dead links that were replaced. Goes on after a file that cannot be repaired. */
  repair(options?: CallOptions): Promise<RepairReport>;
  /** Tries each pending removal once, now; with `orphans` also those given up. */
  flush(options?: CallOptions & { readonly orphans?: boolean | undefined }): Promise<void>;
  /** A host that closed for good: all its links are forgotten, none is removed there. Gives how many. A host that new copies go to is `config`. */
  forgetHost(host: string): Promise<number>;
  /** After somebody looked: takes one of `orphans` or `possibleOrphans` off the list. */
  forgetOrphan(kind: "orphan" | "possible", id: number): Promise<void>;
}

/** `open` opens the store, so that its closing closes what was opened for a control. */
export function controlOf(
  provider: Plowshare,
  { hosts: listed, copies }: Pick<StoreSettings, "hosts" | "copies">,
  open: () => Promise<unknown>,
): PlowshareControl {
  const session = async (): Promise<Session> => {
    await open();
    return provider.session();
  };
  /** It ends when the store closes. */
  const begun = async <T>(signal: AbortSignal | undefined, work: (session: Session, signal: AbortSignal) => Promise<T>): Promise<T> => {
    if (signal?.aborted === true) throw abortError(signal, { applied: false });
    const found = await session();
    return found.during(signal, (either) => work(found, either), true);
  };
  const base = control("plowshare", {}, {});
  return {
    kind: base.kind,
    get settings() {
      return base.settings;
    },
    configure: (patch) => base.configure(patch),
    /** Zeros until the store is open. */
    report() {
      const counts = provider.opened?.library.contents.counts(copies);
      return {
        files: counts?.files ?? 0,
        bytes: counts?.bytes ?? 0,
        links: counts?.links ?? 0,
        deadLinks: counts?.dead ?? 0,
        short: counts?.short ?? 0,
        lostContents: counts?.lost ?? 0,
        pendingRemovals: counts?.pending ?? 0,
        removals: provider.opened?.removals.failure === undefined ? "running" : "stopped",
        orphans: counts?.stuck ?? 0,
        possibleOrphans: counts?.unknown ?? 0,
      };
    },
    async status() {
      const found = await session();
      const { contents } = found.library;
      const { files, contents: bodies, bytes, links, dead, short, pending } = contents.counts(copies);
      return {
        files,
        contents: bodies,
        bytes,
        links,
        deadLinks: dead,
        short,
        lost: lostPaths(found),
        pendingRemovals: pending,
        orphans: contents.removals().flatMap(({ id, host, since, stuck }) => (stuck === null ? [] : [{ id, host, sinceMs: since, why: stuck }])),
        possibleOrphans: contents.flights().map(({ id, host, name, size, started }) => ({ id, host, name, bytes: size, startedMs: started })),
      };
    },
    async hosts() {
      const { library, settings } = await session();
      const counted = library.db.prepare("select host, count(*) as links, count(dead) as dead from link group by host").all() as readonly Counted[];
      // Those that did nothing so far are there too.
      library.hosts.order(settings.hosts, settings.clock.now(), () => 0);
      return library.hosts.all(settings.clock.now()).map((record) => {
        const { links = 0, dead = 0 } = counted.find(({ host }) => host === record.name) ?? {};
        return { ...record, listed: listed.includes(record.name), links, dead };
      });
    },
    verify: ({ deep = false, signal } = {}) => begun(signal, (found, either) => verify(found, deep, either)),
    repair: ({ signal } = {}) => begun(signal, repair),
    flush: ({ signal, orphans = false } = {}) => begun(signal, (found, either) => found.removals.drain(either, orphans)),
    async forgetHost(host) {
      if (listed.includes(host)) throw new StoreError("config", "new copies go to this host: open the store without it first", { applied: false });
      const { library } = await session();
      library.hosts.forget(host);
      return library.contents.forgetHost(host);
    },
    async forgetOrphan(kind, id) {
      const { contents, db } = (await session()).library;
      const gone = kind === "possible" ? contents.forgetFlight(id) : db.prepare("delete from removal where id = ? and stuck is not null").run(id).changes > 0;
      if (!gone) throw new StoreError("not-found", "there is no such orphan", { applied: false });
    },
  };
}

interface Counted {
  readonly host: string;
  readonly links: number;
  readonly dead: number;
}
