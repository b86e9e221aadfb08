/** What processes that died had under way: objects that were being sent, and transactions that were never committed. */
import type { Transaction } from "../catalogue/index.ts";
import { HOSTS, hostKey } from "./core.ts";
import type { Core } from "./core.ts";
import { letGoOfObject } from "./rows.ts";
import { REMOVING, SENDING } from "./schema.ts";

/** A request whose sender died may still land so long; plus what clocks differ. */
export const AFTERLIFE_MS = 120_000;

/** Of every other host that is dead; `own`: of this one too, which has not begun anything yet. */
export async function sweepDead(core: Core, own: boolean): Promise<void> {
  const hosts = await core.db.query<{ readonly host: number | null }>(
    `select host from repo_object where state = ${SENDING} union select origin as host from repo_file where pending is not null`,
  );
  for (const { host } of hosts) {
    if (host === null || (host === core.host && !own)) continue;
    await core.db.transaction(async (tx) => {
      // Whoever opens that host meanwhile waits here, and does not take us for the one that has it.
      await tx.lock(HOSTS);
      if (host === core.host || (await tx.free(hostKey(host)))) await sweepHost(core, tx, host);
    });
  }
}

export async function sweepHost(core: Core, tx: Transaction, host: number): Promise<void> {
  const due = core.now() + AFTERLIFE_MS;
  await tx.run(`update repo_object set state = ${REMOVING}, file = null, due_ms = ? where state = ${SENDING} and host = ?`, due, host);
  const rows = await tx.query<{ readonly id: number }>("select id from repo_file where pending is not null and origin = ? {for update}", host);
  for (const { id } of rows) await forget(core, tx, id, null);
}

/** The row of a file and all that hangs on it; its object, whose id is given, is deleted later, its local copies by their hosts. */
export async function forget(core: Core, tx: Transaction, id: number, after: number | null): Promise<number | undefined> {
  const object = await letGoOfObject(tx, id, core.now(), after);
  await tx.run("update repo_copy set leaving = 1 where file = ? and leaving = 0", id);
  await tx.run("delete from repo_file_tag where file = ?", id);
  await tx.run("delete from repo_file where id = ?", id);
  return object;
}
