/**
 * Outcomes from a runner: with STRATUS_REPORT set to a directory, each process appends what it finds there, one line of JSON each, and
 * `stratus conformance report <directory>` makes one report of all of them. Without it, nothing is written.
 */
import { appendFile, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectories } from "../../store/index.ts";
import type { Capabilities } from "../../store/index.ts";
import type { Outcome } from "../outcome.ts";
import type { Plan } from "../plan.ts";
import type { Subject } from "../subject.ts";
import { fromJson, toJson } from "./json.ts";
import type { StackReport, SubjectReport } from "./report.ts";

interface Begin {
  readonly type: "begin";
  readonly subject: string;
  readonly tier: SubjectReport["tier"];
  readonly seed: number;
  readonly notOffered: SubjectReport["notOffered"];
  readonly planned: readonly { readonly check: string; readonly stack: string | null }[];
}
type Line =
  | Begin
  | { readonly type: "stack"; readonly subject: string; readonly stack: StackReport }
  | { readonly type: "outcome"; readonly subject: string; readonly outcome: Outcome };

export interface Collector {
  opened(stack: string | null, store: string, declared: Capabilities): Promise<void>;
  add(outcome: Outcome): Promise<void>;
}

/** Lines go to one file per run, so that processes never share one. Undefined where no report is wanted. */
export function collector(
  subject: Subject,
  plan: Plan,
  seed: number,
  run: string,
  directory: string | undefined = process.env["STRATUS_REPORT"],
): Collector | undefined {
  if (directory === undefined || directory === "") return undefined;
  const file = join(directory, `${subject.name.replace(/[^A-Za-z0-9]+/g, "-")}-${run}.ndjson`);
  const known = new Set<string | null>();
  let begun: Promise<void> | undefined;
  const write = async (line: Line): Promise<void> => await appendFile(file, `${toJson(line, 0)}\n`);
  const begin = (): Promise<void> =>
    (begun ??= makeDirectories(directory, 0o777).then(() =>
      write({
        type: "begin",
        subject: subject.name,
        tier: plan.tier,
        seed,
        notOffered: plan.notOffered,
        planned: plan.items.map(({ check, stack }) => ({ check: check.id, stack })),
      }),
    ));
  return {
    async opened(stack, store, declared) {
      if (known.has(stack)) return;
      known.add(stack);
      await begin();
      await write({ type: "stack", subject: subject.name, stack: { name: stack, store, declared } });
    },
    async add(outcome) {
      await begin();
      await write({ type: "outcome", subject: subject.name, outcome });
    },
  };
}

/** All runs of a directory, subjects sorted by name. The last outcome of a check counts: a runner may retry. */
export async function collected(directory: string): Promise<SubjectReport[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".ndjson")).sort();
  const begins = new Map<string, Begin>();
  const planned = new Map<string, Map<string, Begin["planned"][number]>>();
  const stacks = new Map<string, Map<string | null, StackReport>>();
  const outcomes = new Map<string, Map<string, Outcome>>();
  for (const file of files) {
    for (const text of (await readFile(join(directory, file), "utf8")).split("\n")) {
      if (text === "") continue;
      const line = fromJson(text) as Line;
      if (line.type === "begin") {
        begins.set(line.subject, line);
        const items = planned.get(line.subject) ?? new Map<string, Begin["planned"][number]>();
        for (const item of line.planned) items.set(keyOf(item.check, item.stack), item);
        planned.set(line.subject, items);
      } else if (line.type === "stack")
        stacks.set(line.subject, (stacks.get(line.subject) ?? new Map<string | null, StackReport>()).set(line.stack.name, line.stack));
      else
        outcomes.set(line.subject, (outcomes.get(line.subject) ?? new Map<string, Outcome>()).set(keyOf(line.outcome.check, line.outcome.stack), line.outcome));
    }
  }
  return [...begins.values()]
    .sort((left, right) => (left.subject < right.subject ? -1 : 1))
    .map((begin) => {
      const found = outcomes.get(begin.subject) ?? new Map<string, Outcome>();
      const items = planned.get(begin.subject) ?? new Map<string, Begin["planned"][number]>();
      const names = [...new Set([...items.values()].map((item) => item.stack))];
      return {
        name: begin.subject,
        tier: begin.tier,
        seed: begin.seed,
        only: [],
        stacks: names.map((name) => stacks.get(begin.subject)?.get(name) ?? { name, store: null, declared: null }),
        notOffered: begin.notOffered,
        notRun: [...items].filter(([key]) => !found.has(key)).map(([, item]) => item),
        outcomes: [...items.keys()].flatMap((key) => found.get(key) ?? []),
      };
    });
}

function keyOf(check: string, stack: string | null): string {
  return `${stack ?? ""}/${check}`;
}
