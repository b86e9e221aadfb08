/** Backups of a catalogue, as `stratus pool` and `stratus repo` tell of them. */
import type { BackupInfo, BackupReport } from "../pool/index.ts";
import { columns } from "./columns.ts";
import type { CommandResult } from "./commands.ts";
import { UsageError } from "./usage.ts";

/** @throws UsageError */
export function keepOf(text: string | undefined): number | undefined {
  if (text !== undefined && !/^[1-9]\d{0,8}$/.test(text)) throw new UsageError("--keep is a number of backups, 1 or more");
  return text === undefined ? undefined : Number(text);
}

export function toldBackup(report: BackupReport): CommandResult {
  const rows = Object.values(report.tables).reduce((sum, count) => sum + count, 0);
  const failures = report.failures.map(({ name, error }) => ({ name, code: error.code }));
  const lines = [
    `${report.name}  ${rows} rows, ${report.size} bytes`,
    ...report.removed.map((name) => `removed ${name}`),
    ...failures.map(({ name, code }) => `not removed: ${name} (${code})`),
  ];
  return { result: { ...report, failures }, text: lines.join("\n"), good: failures.length === 0 };
}

export function toldBackups(result: readonly BackupInfo[]): CommandResult {
  const rows = result.map(({ name, madeMs, size }) => [name, new Date(madeMs).toISOString(), size ?? "-"]);
  return { result, text: rows.length === 0 ? "" : columns([["name", "made", "bytes"], ...rows]).join("\n"), good: true };
}
