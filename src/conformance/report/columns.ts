/** The report as a table: a column for each subject and stack, a row for each group, a cell for the outcomes of both. */
import type { Capabilities } from "../../store/index.ts";
import { groups } from "../checks/index.ts";
import type { Outcome, Status } from "../outcome.ts";
import { count } from "./report.ts";
import type { Counts, Report, SubjectReport } from "./report.ts";

export interface Column {
  readonly subject: SubjectReport;
  readonly stack: string | null;
  /** "s3" or "s3 + caching" */
  readonly title: string;
  readonly store: string | null;
  readonly declared: Capabilities | null;
  readonly outcomes: readonly Outcome[];
}
export interface Row {
  readonly group: string;
  readonly title: string;
  readonly cells: readonly Cell[];
}
export interface Cell {
  readonly column: Column;
  readonly outcomes: readonly Outcome[];
  readonly counts: Counts;
  /** The status that the cell has to show: the one that asks most of its reader. "none": nothing of this group was run. */
  readonly worst: Status | "none";
}

/** What asks most of a reader comes first. */
export const bySeverity: readonly Status[] = ["fail", "xpass", "infra-error", "xfail", "pass", "refused"];

export function columnsOf(report: Report): readonly Column[] {
  return report.subjects.flatMap((subject) =>
    subject.stacks.map((stack) => ({
      subject,
      stack: stack.name,
      title: stack.name === null ? subject.name : `${subject.name} + ${stack.name}`,
      store: stack.store,
      declared: stack.declared,
      outcomes: subject.outcomes.filter((outcome) => outcome.stack === stack.name),
    })),
  );
}

export function rowsOf(columns: readonly Column[]): readonly Row[] {
  const seen = new Set(columns.flatMap((column) => column.outcomes.map((outcome) => outcome.group)));
  const known = groups.filter((group) => seen.has(group.name)).map((group) => ({ name: group.name, title: group.title }));
  const others = [...seen].filter((name) => !known.some((group) => group.name === name)).map((name) => ({ name, title: name }));
  return [...known, ...others].map(({ name, title }) => ({
    group: name,
    title,
    cells: columns.map((column) => {
      const outcomes = column.outcomes.filter((outcome) => outcome.group === name);
      return { column, outcomes, counts: count(outcomes), worst: worstOf(outcomes) };
    }),
  }));
}

function worstOf(outcomes: readonly Outcome[]): Status | "none" {
  return bySeverity.find((status) => outcomes.some((outcome) => outcome.status === status)) ?? "none";
}

/** Capabilities as text: "native", "emulated", "no", numbers with their meaning kept. */
export function capabilityText(value: Capabilities[keyof Capabilities]): string {
  if (value === false) return "no";
  if (value === true) return "yes";
  if (value === null) return "none";
  if (typeof value === "number") return value === Infinity ? "unlimited" : value.toLocaleString("en-US");
  if (typeof value === "string") return value === "" ? "–" : value;
  if (Array.isArray(value)) return value.length === 0 ? "–" : value.join(", ");
  if ("settleMs" in value) return `read ${value.read}, list ${value.list}${value.settleMs === 0 ? "" : `, within ${value.settleMs} ms`}`;
  return String(value);
}
