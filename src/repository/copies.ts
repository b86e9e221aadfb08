/** Local files of this host: made by a row after they are whole, gone by a row before they go. */
import type { Transaction } from "../catalogue/index.ts";
import type { Core } from "./core.ts";
import type { Sum } from "./disk.ts";

/** In the transaction that makes it the local copy of a file; what was it before leaves. */
export async function addCopy(core: Core, tx: Transaction, file: number, name: string, { size }: Sum): Promise<void> {
  core.checkHold();
  await tx.run("update repo_copy set leaving = 1 where host = ? and file = ? and leaving = 0", core.host, file);
  await tx.run(
    "insert into repo_copy(host, name, file, size, downloaded_ms, used_ms, leaving) values(?, ?, ?, ?, ?, ?, 0)",
    core.host,
    name,
    file,
    size,
    core.now(),
    core.now(),
  );
}

/** In the transaction that decides it; `finishLeaving` after it. Gives whether there was one. */
export async function leave(core: Core, tx: Transaction, file: number): Promise<boolean> {
  core.checkHold();
  return (await tx.run("update repo_copy set leaving = 1 where host = ? and file = ? and leaving = 0", core.host, file)) > 0;
}

/** Deletes what is to leave this host, of one file or of all. A crash in between is ended by the next opening. */
export async function finishLeaving(core: Core, file?: number): Promise<void> {
  const rows = await core.db.query<{ readonly name: string; readonly size: number }>(
    `select name, size from repo_copy where host = ? and leaving = 1 ${file === undefined ? "" : "and file = ?"}`,
    core.host,
    ...(file === undefined ? [] : [file]),
  );
  for (const { name, size } of rows) {
    await core.disk.drop(name);
    await core.localBytes.change(async () => {
      const gone = await core.db.run("delete from repo_copy where host = ? and name = ? and leaving = 1", core.host, name);
      return [undefined, gone === 0 ? 0 : -size];
    });
  }
}

export async function touch(core: Core, file: number): Promise<void> {
  await core.db.run("update repo_copy set used_ms = ? where host = ? and file = ? and leaving = 0", core.now(), core.host, file);
}
