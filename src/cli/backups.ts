/** What `stratus pool` and `stratus repo` do with backups of their catalogue: each command as data. */
import type { BackupInfo, BackupReport, Pool } from "../pool/index.ts";
import { columns } from "./columns.ts";
import type { Command, CommandResult } from "./commands.ts";
import { UsageError } from "./usage.ts";

interface BackupArguments {
  readonly keep?: string | undefined;
  readonly name?: string | undefined;
}
type BackupCommand<T> = Command<T, BackupArguments>;

const none = { least: 0, most: 0, options: [] } as const;

/** `restored`: what is said of one that was restored, which the opening has done. */
export function backupCommands<T extends Pick<Pool, "backup" | "backups">>(
  restored: (subject: T) => Promise<CommandResult>,
): Readonly<Record<"backup" | "backups" | "restore", BackupCommand<T>>> {
  return {
    backup: {
      ...none,
      usage: "backup <module> [--keep <n>]",
      about: "the catalogue into the backup store; older ones than the newest n go",
      options: ["keep"],
      run: async (subject, _, { keep }, onProgress) => toldBackup(await subject.backup({ keep: keepOf(keep), onProgress })),
    },
    backups: {
      ...none,
      usage: "backups <module>",
      about: "what lies in the backup store, newest first",
      run: async (subject) => toldBackups(await subject.backups()),
    },
    restore: {
      ...none,
      usage: "restore <module> [--name <name>]",
      about: "the catalogue back from the newest backup, or from this one, into an empty one",
      options: ["name"],
      run: restored,
    },
  };
}

/** @throws UsageError */
function keepOf(text: string | undefined): number | undefined {
  if (text !== undefined && !/^[1-9]\d{0,8}$/.test(text)) throw new UsageError("--keep is a number of backups, 1 or more");
  return text === undefined ? undefined : Number(text);
}

function toldBackup(report: BackupReport): CommandResult {
  const rows = Object.values(report.tables).reduce((sum, count) => sum + count, 0);
  const failures = report.failures.map(({ name, error }) => ({ name, code: error.code }));
  const lines = [
    `${report.name}  ${rows} rows, ${report.size} bytes`,
    ...report.removed.map((name) => `removed ${name}`),
    ...failures.map(({ name, code }) => `not removed: ${name} (${code})`),
  ];
  return { result: { ...report, failures }, text: lines.join("\n"), good: failures.length === 0 };
}

function toldBackups(result: readonly BackupInfo[]): CommandResult {
  const rows = result.map(({ name, madeMs, size }) => [name, new Date(madeMs).toISOString(), size ?? "-"]);
  return { result, text: rows.length === 0 ? "" : columns([["name", "made", "bytes"], ...rows]).join("\n"), good: true };
}
