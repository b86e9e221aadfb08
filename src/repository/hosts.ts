/** The machines of a repository. */
import type { Core } from "./core.ts";
import { HOSTS, hostKey } from "./core.ts";
import { RepositoryError } from "./errors.ts";
import { sweepHost } from "./sweep.ts";

export interface HostInfo {
  readonly name: string;
  /** False: decommissioned. */
  readonly active: boolean;
  /** It is the one that asks. */
  readonly here: boolean;
  /** Null: no limit. */
  readonly cacheLimitBytes: number | null;
  /** Local copies, and their bytes. */
  readonly copies: number;
  readonly bytes: number;
  readonly madeMs: number;
  /** When it was last opened. */
  readonly seenMs: number;
}

export async function hosts(core: Core): Promise<HostInfo[]> {
  const rows = await core.db.query<Omit<HostInfo, "active" | "here"> & { readonly id: number; readonly active: number }>(
    `select h.id, h.name, h.active, h.limit_bytes as "cacheLimitBytes", h.made_ms as "madeMs", h.seen_ms as "seenMs", count(c.name) as copies, cast(coalesce(sum(c.size), 0) as {int}) as bytes
     from repo_host h left join repo_copy c on c.host = h.id and c.leaving = 0 group by h.id, h.name, h.active, h.limit_bytes, h.made_ms, h.seen_ms order by h.name`,
  );
  return rows.map(({ id, active, ...rest }) => ({ ...rest, active: active === 1, here: id === core.host }));
}

/** Frees its copies and its name. @throws RepositoryError `unknown-host`, `in-use` where it is at work, `host-in-use` unless `abandon` */
export async function decommission(core: Core, name: string, abandon: boolean): Promise<void> {
  const [host] = await core.db.query<{ readonly id: number }>("select id from repo_host where name = ?", name);
  if (host === undefined) throw new RepositoryError("unknown-host", "the repository knows no such host");
  const { id } = host;
  const hold = await core.db.hold(hostKey(id));
  if (hold === null) throw new RepositoryError("in-use", "this host is at work: close its repository first");
  try {
    await core.db.transaction(async (tx) => {
      await tx.lock(HOSTS);
      await sweepHost(core, tx, id);
      const [only] = await tx.query<{ readonly n: number }>(
        `select count(*) as n from repo_copy c join repo_file f on f.id = c.file where c.host = ? and c.leaving = 0 and f.purged_ms is null
         and not exists (select 1 from repo_object o where o.file = f.id and o.state = 1 and o.bad is null)
         and not exists (select 1 from repo_copy d join repo_host e on e.id = d.host where d.file = f.id and d.host <> c.host and d.leaving = 0 and e.active = 1)`,
        id,
      );
      if (!abandon && (only?.n ?? 0) > 0)
        throw new RepositoryError("host-in-use", `${only?.n} files have their only bytes there: publish or purge them, or abandon them`);
      await tx.run("delete from repo_copy where host = ?", id);
      await tx.run("update repo_host set active = 0 where id = ?", id);
    });
  } finally {
    await hold[Symbol.asyncDispose]();
  }
}
