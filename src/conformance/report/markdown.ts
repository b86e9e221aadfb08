/** matrix.md: the matrix and the failures, for reading in a terminal, a pull request or a summary of CI. */
import { failureText } from "../failure-text.ts";
import { isGood } from "../outcome.ts";
import { columnsOf, rowsOf } from "./columns.ts";
import type { Cell } from "./columns.ts";
import type { Change, Diff } from "./diff.ts";
import { count, countText } from "./report.ts";
import type { Report } from "./report.ts";

export function toMarkdown(report: Report): string {
  const columns = columnsOf(report);
  const rows = rowsOf(columns);
  const lines = [
    "# Conformance",
    "",
    `Suite ${report.suite.version} (${report.suite.checks} checks, ${report.suite.behaviours} behaviours), ${report.createdAt}, Node ${report.env.node} on ${report.env.platform}.`,
    "A cell counts the checks that hold, then those refused as declared (r), failing as expected (x), failing (✗).",
    "",
    row(["", ...columns.map((column) => plain(column.title))]),
    row(["---", ...columns.map(() => "---:")]),
    ...rows.map((one) => row([plain(one.title), ...one.cells.map(cellText)])),
    row(["**all**", ...columns.map((column) => `**${cellText({ column, outcomes: column.outcomes, counts: count(column.outcomes), worst: "pass" })}**`)]),
    "",
  ];
  if (report.diff !== null) lines.push(...diffText(report.diff));
  const bad = report.subjects.flatMap((subject) => subject.outcomes.filter((outcome) => !isGood(outcome.status)).map((outcome) => ({ subject, outcome })));
  if (bad.length > 0) {
    lines.push("## What does not hold", "");
    for (const { subject, outcome } of bad)
      lines.push(`### ${plain(subject.name)}: ${plain(outcome.check)}`, "", fenced(failureText(outcome, report.module ?? undefined)), "");
  }
  lines.push("## Subjects", "");
  for (const subject of report.subjects) {
    lines.push(`- **${plain(subject.name)}** (tier ${subject.tier}, seed ${subject.seed}): ${countText(count(subject.outcomes))}`);
    for (const stack of subject.stacks)
      if (stack.store !== null) lines.push(`  - ${plain(stack.name ?? "as it is")}: \`${stack.store.replace(/[`\s]+/g, " ")}\``);
    for (const [offer, checks] of Object.entries(subject.notOffered)) lines.push(`  - does not offer "${offer}": ${checks.length} checks cannot be run`);
    if (subject.notRun.length > 0) lines.push(`  - ${subject.notRun.length} checks were planned and not run`);
    for (const outcome of subject.outcomes)
      if (outcome.status === "xfail")
        lines.push(
          `  - fails as expected until ${outcome.expected?.until}: ${plain(outcome.check)}${outcome.stack === null ? "" : ` under ${plain(outcome.stack)}`} (${plain(outcome.expected?.reason ?? "")})`,
        );
  }
  return `${lines.join("\n")}\n`;
}

export function diffText(diff: Diff): string[] {
  const lines = [`## Changes since ${diff.baseline}`, ""];
  const sections: readonly (readonly [string, readonly Change[]])[] = [
    ["Newly failing", diff.newlyFailing],
    ["Vanished (a check that vanished fails)", diff.vanished],
    ["Fixed", diff.fixed],
    ["Given up: held, now refused", diff.weakened],
    ["Gained: refused, now holds", diff.gained],
  ];
  for (const [title, changes] of sections) {
    if (changes.length === 0) continue;
    lines.push(
      `${title}:`,
      ...changes.map(
        (change) =>
          `- ${plain(change.subject)}${change.stack === null ? "" : ` + ${plain(change.stack)}`}: ${plain(change.check)} (${change.before} → ${change.after})`,
      ),
      "",
    );
  }
  if (lines.length === 2) lines.push("None.", "");
  return lines;
}

function cellText({ counts }: Cell): string {
  if (counts.total === 0) return "–";
  const parts = [String(counts.pass)];
  if (counts.refused > 0) parts.push(`${counts.refused} r`);
  if (counts.xfail > 0) parts.push(`${counts.xfail} x`);
  const bad = counts.fail + counts.xpass + counts.infra;
  if (bad > 0) parts.push(`${bad} ✗`);
  return parts.join(", ");
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Names of others in a line of ours: one line, and nothing that Markdown or HTML would take for markup. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_<>#[\]|]/g, "\\$&");
}

/** A fence longer than any in the text, so that names with backticks cannot end it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
