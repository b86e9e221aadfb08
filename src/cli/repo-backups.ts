/** What `stratus repo` does with backups of the catalogue, and with objects that no catalogue knows. */
import type { Repository } from "../repository/index.ts";
import { backupCommands } from "./backups.ts";
import { columns } from "./columns.ts";
import type { RepoCommand } from "./repo-commands.ts";

const time = (ms: number): string => new Date(ms).toISOString();

export const repoBackupCommands: Readonly<Record<string, RepoCommand>> = {
  ...backupCommands(async (repo: Repository) => ({
    result: await repo.status(),
    text: "restored: verify says what is missing, unknown what the backup does not know",
    good: true,
  })),
  unknown: {
    least: 0,
    most: 0,
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
