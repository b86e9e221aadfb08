/** What a backup of the catalogue takes of a repository, and what a restore makes of it: the world went on since, and nothing that somebody may still want is deleted. */
import type { BackupComponent } from "../catalogue/index.ts";
import { COMPONENT, SENDING, STORED, TABLES, migrations } from "./schema.ts";

export const repositoryTables: BackupComponent = {
  name: COMPONENT,
  migrations,
  tables: TABLES.map((name) => ({ name })),
  settle: async (tx) => {
    // Of a transaction that was not committed then, and perhaps was afterwards: its objects are nobody's, and found as such. They are not deleted by a guess.
    const pending = "select id from repo_file where pending is not null";
    for (const table of ["repo_object", "repo_copy", "repo_file_tag"]) await tx.run(`delete from ${table} where file in (${pending})`);
    await tx.run("delete from repo_file where pending is not null");
    // What was being sent may have arrived, and be the only copy by now: it counts until somebody looks.
    const arrived = `update repo_object as o set state = ${STORED}, host = null, bad = 'missing'
     where o.state = ${SENDING} and exists (select 1 from repo_file f where f.id = o.file and f.content = o.content and f.purged_ms is null)
     and not exists (select 1 from repo_object p where p.file = o.file and (p.state = ${STORED} or (p.state = ${SENDING} and p.id > o.id)))`;
    await tx.run(arrived);
    await tx.run(`delete from repo_object where state = ${SENDING}`);
    await tx.run(
      `update repo_file as f set uploaded_ms = f.changed_ms where f.uploaded_ms is null and exists (select 1 from repo_object o where o.file = f.id and o.state = ${STORED})`,
    );
    // Somebody may have taken it back since: grace and backups count anew.
    await tx.run("update repo_file set marked_ms = null where marked_ms is not null");
    await tx.run("update repo_file set expired_after = (select coalesce(max(id), 0) from repo_backup) where expired_ms is not null");
    // The newest is the one that was put back just now, so it was finished.
    await tx.run("update repo_backup set finished_ms = started_ms where finished_ms is null and id = (select max(id) from repo_backup)");
  },
};
