/** `stratus conformance list` and `stratus conformance explain <check>`: what the suite demands, from its data. */
import { checkOf, checks, docOf, groupOf, groups, guarantees } from "../conformance/index.ts";
import { paintFor } from "./terminal.ts";
import { UsageError } from "./usage.ts";

export function list(args: readonly string[]): number {
  const [only, ...more] = args;
  if (more.length > 0) throw new UsageError("stratus conformance list [group]");
  const chosen = only === undefined ? groups : groups.filter((group) => group.name === only);
  if (chosen.length === 0) throw new UsageError(`there is no group "${only}": ${groups.map((group) => group.name).join(", ")}`);
  const paint = paintFor(process.stdout);
  const width = Math.max(...chosen.flatMap((group) => group.checks.map((check) => check.id.length)));
  for (const group of chosen) {
    process.stdout.write(`${paint("bold", group.title)}\n`);
    for (const check of group.checks) process.stdout.write(`  ${check.id.padEnd(width)}  ${paint("dim", check.tier.padEnd(7))}  ${check.title}\n`);
  }
  process.stdout.write(`${chosen.reduce((sum, group) => sum + group.checks.length, 0)} checks\n`);
  return 0;
}

export function explain(args: readonly string[]): number {
  const [id, ...more] = args;
  if (id === undefined || more.length > 0) throw new UsageError("stratus conformance explain <check>");
  const check = checkOf(id);
  if (check === undefined) {
    const near = checks
      .filter((one) => one.id.includes(id))
      .slice(0, 8)
      .map((one) => one.id);
    throw new UsageError(`there is no check "${id}"${near.length === 0 ? ": see stratus conformance list" : `; perhaps ${near.join(", ")}`}`);
  }
  const paint = paintFor(process.stdout);
  const lines = [paint("bold", check.id), `  ${check.title}`, "", `  Why: ${check.why}`, ""];
  const fact = (name: string, text: string): void => void (text !== "" && lines.push(`  ${paint("dim", name.padEnd(12))}${text}`));
  fact("group", groupOf(check.id));
  fact("tier", check.tier);
  fact("needs", (check.needs ?? []).join(", "));
  fact("offers", (check.offers ?? []).join(", "));
  for (const guarantee of check.guarantees) fact("guarantee", `${guarantee}: ${guarantees.find((one) => one.id === guarantee)?.text ?? ""}`);
  fact("behaviours", check.behaviours.join(", "));
  fact("kills", check.kills.join(", "));
  fact("page", docOf(check.id));
  process.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}
