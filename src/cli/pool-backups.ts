/** What `stratus pool` does with backups of the catalogue. */
import type { Pool } from "../pool/index.ts";
import { backupCommands } from "./backups.ts";
import type { PoolCommand } from "./pool-commands.ts";

export const poolBackupCommands: Readonly<Record<string, PoolCommand>> = backupCommands(async (pool: Pool) => {
  const { adopted, missing } = pool.opened;
  const lines = [
    `restored: ${adopted.length} cached files that the backup does not know were taken in; verify and repair look after the hosts`,
    ...missing.map((hash) => `missing in the cache: ${hash}`),
  ];
  return { result: pool.opened, text: lines.join("\n"), good: true };
});
