/** What is known of the whole repository. No store is asked. */
import type { Value } from "../catalogue/index.ts";
import { backupsWanted } from "./backups.ts";
import type { Core } from "./core.ts";
import { hosts } from "./hosts.ts";
import type { HostInfo } from "./hosts.ts";
import type { FileState } from "./rows.ts";
import { REMOVING, SENDING, STORED } from "./schema.ts";

export interface RepositoryStatus {
  readonly host: string;
  readonly offline: boolean;
  /** Files by state; their bytes as they are stored. */
  readonly files: Readonly<Record<FileState, { readonly files: number; readonly bytes: number }>>;
  readonly objects: { readonly stored: number; readonly sending: number; readonly removing: number; readonly bad: number };
  /** Published files that no store has yet. */
  readonly unsent: number;
  readonly backups: number;
  readonly backupsBeforeDelete: number;
  readonly hosts: readonly HostInfo[];
}

export async function status(core: Core): Promise<RepositoryStatus> {
  const rows = await core.db.query<{ readonly state: FileState; readonly files: number; readonly bytes: number }>(
    `select case when purged_ms is not null then 'purged' when published = 1 then 'published' when expired_ms is not null then 'expired' else 'unpublished' end as state,
     count(*) as files, cast(coalesce(sum(size), 0) as {int}) as bytes from repo_file where pending is null group by 1`,
  );
  const none = { files: 0, bytes: 0 };
  const files = { unpublished: none, published: none, expired: none, purged: none, ...Object.fromEntries(rows.map(({ state, ...rest }) => [state, rest])) };
  const count = async (sql: string, ...values: readonly Value[]): Promise<number> => (await core.db.query<{ readonly n: number }>(sql, ...values))[0]?.n ?? 0;
  const inState = (state: number): Promise<number> => count("select count(*) as n from repo_object where state = ?", state);
  return {
    host: core.settings.host,
    offline: core.settings.offline,
    files,
    objects: {
      stored: await inState(STORED),
      sending: await inState(SENDING),
      removing: await inState(REMOVING),
      bad: await count("select count(*) as n from repo_object where state = ? and bad is not null", STORED),
    },
    unsent: await count("select count(*) as n from repo_file where published = 1 and uploaded_ms is null and pending is null"),
    backups: await count("select count(*) as n from repo_backup where finished_ms is not null"),
    backupsBeforeDelete: await backupsWanted(core.db),
    hosts: await hosts(core),
  };
}
