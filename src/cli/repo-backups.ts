/** What `stratus repo` does with backups of the catalogue, and with objects that no catalogue knows. */
import { keepOf, toldBackup, toldBackups } from "./backups.ts";
import { columns } from "./columns.ts";
import type { RepoCommand } from "./repo-commands.ts";

const none = { least: 0, most: 0, options: [] } as const;
const time = (ms: number): string => new Date(ms).toISOString();

export const repoBackupCommands: Readonly<Record<string, RepoCommand>> = {
  backup: {
    ...none,
    usage: "backup <module> [--keep <n>]",
    about: "the catalogue into the backup store; older ones than the newest n go",
    options: ["keep"],
    run: async (repo, _, { keep }, onProgress) => toldBackup(await repo.backup({ keep: keepOf(keep), onProgress })),
  },
  backups: {
    ...none,
    usage: "backups <module>",
    about: "what lies in the backup store, newest first",
    run: async (repo) => toldBackups(await repo.backups()),
  },
  restore: {
    ...none,
    usage: "restore <module> [--name <name>]",
    about: "the catalogue back from the newest backup, or from this one, into an empty one",
    options: ["name"],
    // It was done by the opening.
    run: async (repo) => ({ result: await repo.status(), text: "restored: verify says what is missing, unknown what the backup does not know", good: true }),
  },
  unknown: {
    ...none,
    usage: "unknown <module> [--remove]",
    about: "objects that no row names; with --remove they go for good",
    options: ["remove"],
    run: async (repo, _, { remove = false }) => {
      const objects = await repo.unknownObjects();
      const rows = objects.map(({ bucket, path, size, modifiedMs }) => [bucket, size ?? "-", modifiedMs === null ? "-" : time(modifiedMs), path]);
      const table = rows.length === 0 ? [] : columns([["bucket", "bytes", "modified", "path"], ...rows]);
      if (!remove) return { result: { objects }, text: table.join("\n"), good: objects.length === 0 };
      const { removed, known, failures } = await repo.removeUnknownObjects(objects);
      const plain = failures.map(({ bucket, path, error }) => ({ bucket, path, code: error.code }));
      const lines = [...table, `${removed} removed`, ...plain.map(({ bucket, path, code }) => `not removed: ${bucket} ${path} (${code})`)];
      return { result: { objects, removed, known, failures: plain }, text: lines.join("\n"), good: plain.length === 0 };
    },
  },
};
