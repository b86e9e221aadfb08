/** What `stratus pool` does with backups of the catalogue: each command as data. */
import { keepOf, toldBackup, toldBackups } from "./backups.ts";
import type { PoolCommand } from "./pool-commands.ts";

const none = { least: 0, most: 0, options: [] } as const;

export const poolBackupCommands: Readonly<Record<string, PoolCommand>> = {
  backup: {
    ...none,
    usage: "backup <module> [--keep <n>]",
    about: "the catalogue into the backup store; older ones than the newest n go",
    options: ["keep"],
    run: async (pool, _, { keep }, onProgress) => toldBackup(await pool.backup({ keep: keepOf(keep), onProgress })),
  },
  backups: {
    ...none,
    usage: "backups <module>",
    about: "what lies in the backup store, newest first",
    run: async (pool) => toldBackups(await pool.backups()),
  },
  restore: {
    ...none,
    usage: "restore <module> [--name <name>]",
    about: "the catalogue back from the newest backup, or from this one, into an empty one",
    options: ["name"],
    // It was done by the opening.
    run: async (pool) => {
      const { adopted, missing } = pool.opened;
      const lines = [
        `restored: ${adopted.length} cached files that the backup does not know were taken in; verify and repair look after the hosts`,
        ...missing.map((hash) => `missing in the cache: ${hash}`),
      ];
      return { result: pool.opened, text: lines.join("\n"), good: true };
    },
  },
};
