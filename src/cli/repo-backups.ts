/** What `stratus repo` does with backups of the catalogue, and with objects that no catalogue knows. */
import { columns } from "./columns.ts";
import type { RepoCommand } from "./repo-commands.ts";
import { UsageError } from "./usage.ts";

const none = { least: 0, most: 0, options: [] } as const;
const time = (ms: number): string => new Date(ms).toISOString();

export const repoBackupCommands: Readonly<Record<string, RepoCommand>> = {
  backup: {
    ...none,
    usage: "backup <module> [--keep <n>]",
    about: "the catalogue into the backup store; older ones than the newest n go",
    options: ["keep"],
    run: async (repo, _, { keep }) => {
      if (keep !== undefined && !/^[1-9]\d{0,8}$/.test(keep)) throw new UsageError("--keep is a number of backups, 1 or more");
      const report = await repo.backup({ keep: keep === undefined ? undefined : Number(keep) });
      const rows = Object.values(report.tables).reduce((sum, count) => sum + count, 0);
      const failures = report.failures.map(({ name, error }) => ({ name, code: error.code }));
      const lines = [
        `${report.name}  ${rows} rows, ${report.size} bytes`,
        ...report.removed.map((name) => `removed ${name}`),
        ...failures.map(({ name, code }) => `not removed: ${name} (${code})`),
      ];
      return { result: { ...report, failures }, text: lines.join("\n"), good: failures.length === 0 };
    },
  },
  backups: {
    ...none,
    usage: "backups <module>",
    about: "what lies in the backup store, newest first",
    run: async (repo) => {
      const result = await repo.backups();
      const rows = result.map(({ name, madeMs, size }) => [name, time(madeMs), size ?? "-"]);
      return { result, text: rows.length === 0 ? "" : columns([["name", "made", "bytes"], ...rows]).join("\n"), good: true };
    },
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
