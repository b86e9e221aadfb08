/** What a person reads when a check fails: what must hold, what was found, why it matters, how to see it again, where to read more. */
import type { Outcome } from "./outcome.ts";

/** Several lines, the first of which says it all. */
export function failureText(outcome: Outcome, module?: string | undefined): string {
  const [first, ...others] = outcome.failures;
  const lines = [headline(outcome)];
  if (outcome.status === "xpass" && outcome.expected !== null) {
    lines.push(`  expected to fail until ${outcome.expected.until}: ${outcome.expected.reason}`, "  it passes now: take it off the list `expectFail`");
  }
  // What could not be tried is said in the headline.
  if (first !== undefined && outcome.status !== "infra-error") {
    lines.push(`  must hold:  ${first.what}`);
    if (first.expected !== "") lines.push(`  expected:   ${first.expected}`);
    if (first.found !== "") lines.push(`  found:      ${first.found}`);
  }
  for (const other of others) lines.push(`  and also:   ${other.what}${other.found === "" ? "" : `: ${other.found}`}`);
  if (outcome.status !== "infra-error") lines.push(`  why:        ${outcome.why}`);
  for (const note of outcome.notes) lines.push(`  note:       ${note}`);
  lines.push(`  replay:     ${replayLine(outcome, module)}`, `  read:       ${outcome.doc}`);
  if (outcome.transcript.length > 0)
    lines.push(`  transcript (the last of ${outcome.transcript.length} lines):`, ...outcome.transcript.slice(-12).map((line) => `    ${line}`));
  return lines.join("\n");
}

/** One command for the shell; the same seed and check with a runner: STRATUS_SEED=… and the runner's filter by name. */
export function replayLine(outcome: Outcome, module: string = "<module>"): string {
  const where = outcome.stack === null ? "" : ` --stack ${outcome.stack}`;
  return `npx stratus conformance ${module} --check ${outcome.check}${where} --seed ${outcome.seed}   (or STRATUS_SEED=${outcome.seed} <your runner> -t "${outcome.check}")`;
}

function headline(outcome: Outcome): string {
  const where = outcome.stack === null ? "" : ` under ${outcome.stack}`;
  switch (outcome.status) {
    case "infra-error":
      return `${outcome.check}${where} could not be tried: ${outcome.failures[0]?.what ?? ""}`;
    case "xpass":
      return `${outcome.check}${where} passes unexpectedly: ${outcome.title}`;
    default:
      return `${outcome.check}${where} does not hold: ${outcome.title}`;
  }
}
