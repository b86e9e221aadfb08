/** The matrix as lines for a terminal: groups down, subjects and stacks across. */
import { columnsOf, count, rowsOf } from "../conformance/index.ts";
import type { Cell, Report } from "../conformance/index.ts";
import type { Paint } from "./terminal.ts";

export function matrixText(report: Report, paint: Paint): string {
  const columns = columnsOf(report);
  const rows = rowsOf(columns);
  const titles = columns.map((column) => column.title);
  const all: Cell[] = columns.map((column) => ({ column, outcomes: column.outcomes, counts: count(column.outcomes), worst: "pass" }));
  const left = Math.max(...rows.map((row) => row.title.length), 3);
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => text(row.cells[index] as Cell).length), text(all[index] as Cell).length),
  );
  const line = (title: string, cells: readonly string[]): string => `  ${title.padEnd(left)}  ${cells.join("  ")}`;
  const cell = (one: Cell, index: number): string => {
    const padded = text(one).padStart(widths[index] as number);
    const bad = one.counts.fail + one.counts.xpass + one.counts.infra > 0;
    if (bad) return paint(["red", "bold"], padded);
    if (one.counts.total === 0 || one.counts.pass === 0) return paint("dim", padded);
    return paint(one.counts.xfail > 0 ? "yellow" : "green", padded);
  };
  return [
    line(
      "",
      titles.map((title, index) => paint("bold", title.padStart(widths[index] as number))),
    ),
    ...rows.map((row) => line(row.title, row.cells.map(cell))),
    line("all", all.map(cell)),
    paint("dim", "  ✓ hold  ○ refused as declared  △ fail as expected  ✗ fail"),
  ].join("\n");
}

function text({ counts }: Cell): string {
  const parts: string[] = [];
  if (counts.pass > 0) parts.push(`${counts.pass}✓`);
  if (counts.refused > 0) parts.push(`${counts.refused}○`);
  if (counts.xfail > 0) parts.push(`${counts.xfail}△`);
  const bad = counts.fail + counts.xpass + counts.infra;
  if (bad > 0) parts.push(`${bad}✗`);
  return parts.length === 0 ? "·" : parts.join(" ");
}
