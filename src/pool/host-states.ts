/** Hosts out of service and back: drained first, so that their files get copies elsewhere, then retired. */
import type { Core } from "./core.ts";
import { PoolError } from "./errors.ts";
import type { HostState } from "./hosts.ts";
import { addRemoval } from "./rows.ts";
import { DEAD, STORED } from "./schema.ts";

export async function setState(core: Core, host: string, state: HostState): Promise<void> {
  const changed = await core.db.run("update host set state = ? where name = ?", state, host);
  if (changed === 0) throw new PoolError("unknown-host", "the pool knows no such host");
}

/**
 * Gives how many copies went. Files that lie there wait in the queue again where a cache has them (`drain` said so), and `repair` has made copies of the others, or nothing is changed.
 * `abandon`: the host is gone for good, so nothing is deleted there.
 */
export async function retire(core: Core, host: string, abandon: boolean): Promise<number> {
  return await core.db.transaction(async (tx) => {
    const [row] = await tx.query<{ readonly state: HostState }>("select state from host where name = ? {for update}", host);
    if (row === undefined) throw new PoolError("unknown-host", "the pool knows no such host");
    // All copies elsewhere that are wanted, or as many as there are other hosts; of a file that a cache holds for its upload nothing is asked.
    const [others] = await tx.query<{ readonly n: number }>("select count(*) as n from host where state = 'active' and name <> ?", host);
    const wanted = Math.max(1, Math.min(core.settings.copies, others?.n ?? 0));
    const [needed] = await tx.query<{ readonly n: number }>(
      `select count(*) as n from file f where f.marked_ms is null and f.queued = 0
       and exists (select 1 from copy c where c.file = f.id and c.host = ? and c.state = ? and c.url like '/%')
       and (select count(distinct c.host) from copy c join host h on h.name = c.host where c.file = f.id and c.state = ? and c.host <> ? and c.url like '/%' and h.state = 'active'
            and (c.owned = 1 or c.checked_ms is not null)) < ?`,
      host,
      STORED,
      STORED,
      host,
      wanted,
    );
    if ((needed?.n ?? 0) > 0) throw new PoolError("host-in-use", `${needed?.n} files have too few copies without this host: drain it and repair first`);
    await tx.run("update host set state = 'retired' where name = ?", host);
    const gone = await tx.query<{ readonly url: string; readonly owned: number }>(
      "delete from copy where host = ? and state in (?, ?) and url like '/%' returning url, owned",
      host,
      STORED,
      DEAD,
    );
    if (abandon) await tx.run("delete from removal where host = ?", host);
    else for (const { url, owned } of gone) if (owned === 1) await addRemoval(tx, host, url, core.now(), core.now());
    return gone.length;
  });
}
