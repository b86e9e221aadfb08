/** Room in the cache: bytes are reserved before they are written, and clean files leave for them. */
import { Turns } from "../store/index.ts";
import type { Transaction, Value } from "../catalogue/index.ts";
import type { Core } from "./core.ts";
import { PoolError } from "./errors.ts";
import { TRUSTED, isPath, locked } from "./rows.ts";
import type { CopyRow } from "./rows.ts";
import { STORED } from "./schema.ts";

/** Of the capacity. */
const FILLED = 0.9;

export interface Reservation extends Disposable {
  /** More of it. @throws PoolError `too-large`, `no-room` */
  grow(bytes: number): Promise<void>;
  /** The bytes are cached now: from here on they count as used. */
  settle(): void;
}
interface Candidate {
  readonly id: number;
  readonly size: number;
  readonly used: number;
}

/** Candidates that are asked for at once. */
const PAGE = 100;

export class Room {
  readonly #core: Core;
  readonly #turns = new Turns();
  #used = 0;
  #reserved = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  get capacity(): number {
    return this.#core.settings.capacityBytes;
  }
  /** The most that may be used. */
  get limit(): number {
    return Math.floor(this.capacity * FILLED);
  }
  /** Cached bytes, what is on its way in not counted. */
  get used(): number {
    return this.#used;
  }
  /** At the opening, and where files came or went by themselves. */
  add(bytes: number): void {
    this.#used += bytes;
  }

  /** @throws PoolError `too-large`, and `no-room` with nothing evicted where not enough could be */
  async reserve(bytes: number, hash?: string): Promise<Reservation> {
    let held = 0;
    let live = true;
    const grow = (more: number): Promise<void> =>
      this.#turns.take("room", undefined, async () => {
        if (held + more > this.limit) throw new PoolError("too-large", "the file is larger than 90 % of the cache", { hash });
        const needed = this.#used + this.#reserved + more - this.limit;
        if (needed > 0) await this.#evict(needed, hash);
        held += more;
        this.#reserved += more;
      });
    const end = (): void => {
      if (live) this.#reserved -= held;
      live = false;
    };
    await grow(bytes);
    return {
      grow,
      settle: () => {
        if (live) this.#used += held;
        end();
      },
      [Symbol.dispose]: end,
    };
  }

  async #evict(needed: number, hash: string | undefined): Promise<void> {
    let left = needed;
    while (left > 0) {
      const chosen = await this.#choose(left);
      if (chosen === undefined) throw new PoolError("no-room", "there is no room in the cache: what is in it waits for its upload or is in use", { hash });
      // One that may not leave any more is none of those that are looked at next.
      for (const each of chosen) left -= await this.#leave(each);
    }
  }

  /** Enough of them, or undefined: nothing leaves then. Looks at no more files than are to leave, whatever the cache holds. */
  async #choose(needed: number): Promise<Candidate[] | undefined> {
    const chosen: Candidate[] = [];
    const lru = this.#core.settings.eviction === "lru";
    let left = needed;
    for await (const next of lru ? this.#line("k.used_ms, k.file", ">", ["used", "id"]) : this.#line("k.size desc, k.file desc", "<", ["size", "id"])) {
      // The largest of the rest is enough: then the smallest that is. It is none of the chosen ones, for they come before this one in their order.
      const last = !lru && next.size >= left ? await this.#smallest(left) : next;
      chosen.push(last ?? next);
      left -= (last ?? next).size;
      if (left <= 0) return chosen;
    }
    return undefined;
  }

  async #smallest(least: number): Promise<Candidate | undefined> {
    return (await this.#candidates("and k.size >= ? order by k.size, k.file limit 1", least))[0];
  }

  /** All candidates in this order, in pages: each begins behind the last one of the page before. */
  async *#line(order: string, behind: string, keys: readonly [keyof Candidate, keyof Candidate]): AsyncGenerator<Candidate> {
    const columns = order.replaceAll(" desc", "");
    for (let after: Candidate | undefined; ;) {
      const page = await this.#candidates(
        `and k.size > 0 ${after === undefined ? "" : `and (${columns}) ${behind} (?, ?)`} order by ${order} limit ${PAGE}`,
        ...(after === undefined ? [] : keys.map((key) => (after as Candidate)[key])),
      );
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1);
    }
  }

  /** Clean files that nobody uses and that can be had again: never one that waits for its upload. */
  #candidates(end: string, ...values: readonly Value[]): Promise<Candidate[]> {
    const { db, node, busy, settings } = this.#core;
    const { hosts, openLink } = settings;
    const list = (many: Iterable<unknown>): string => Array.from(many, () => "?").join(", ");
    const links = openLink === undefined ? "" : "or c.url not like '/%'";
    return db.query<Candidate>(
      `select k.file as id, k.size, k.used_ms as used from cached k join file f on f.id = k.file where k.node = ? and f.queued = 0
       ${busy.length === 0 ? "" : `and k.file not in (${list(busy)})`}
       and exists (select 1 from copy c where c.file = k.file and c.state = ? and ${TRUSTED} and ((c.url like '/%' and c.host in (${list(hosts.keys())})) ${links})) ${end}`,
      node,
      ...busy,
      STORED,
      ...hosts.keys(),
      ...values,
    );
  }

  /** The row first, then the file; a crash in between is ended by the next opening. Gives the bytes that became free. */
  async #leave({ id }: Candidate): Promise<number> {
    const core = this.#core;
    const gone = await core.whileLeaving(id, async () => {
      const left = await core.db.transaction(async (tx) => {
        const file = await locked(tx, id);
        // Meanwhile it may have been queued, or have lost its copies. It is among the busy ones itself by now, so the question leaves those out.
        return file === undefined || !(await this.#mayLeave(tx, id)) ? undefined : await leave(core, tx, id, file.size);
      });
      if (left !== undefined) await finishLeaving(core, left);
      return left;
    });
    return gone?.size ?? 0;
  }

  async #mayLeave(tx: Transaction, id: number): Promise<boolean> {
    const { hosts, openLink } = this.#core.settings;
    const copies = await tx.query<CopyRow>(
      `select c.* from copy c join file f on f.id = c.file where f.id = ? and f.queued = 0 and c.state = ? and ${TRUSTED}`,
      id,
      STORED,
    );
    return copies.some(({ host, url }) => (isPath(url) ? hosts.has(host) : openLink !== undefined));
  }
}

export interface Leaving {
  readonly name: string;
  readonly size: number;
}

/** In the transaction that makes the row go. Undefined: it was not cached here. */
export async function leave(core: Core, tx: Transaction, file: number, size: number): Promise<Leaving | undefined> {
  core.checkHold();
  const [row] = await tx.query<{ readonly name: string }>("delete from cached where node = ? and file = ? returning name", core.node, file);
  if (row === undefined) return undefined;
  await tx.run("insert into leaving(node, name, size) values(?, ?, ?) on conflict(node, name) do nothing", core.node, row.name, size);
  return { name: row.name, size };
}

/** After that transaction, unless the name was taken again meanwhile. */
export async function finishLeaving(core: Core, { name }: Pick<Leaving, "name">): Promise<void> {
  await core.turns.take("names", undefined, async () => {
    const [row] = await core.db.query<{ readonly size: number }>("select size from leaving where node = ? and name = ?", core.node, name);
    if (row === undefined) return;
    await core.disk.drop(name);
    await core.db.run("delete from leaving where node = ? and name = ?", core.node, name);
    core.room.add(-row.size);
  });
}
