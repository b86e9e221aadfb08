/**
 * Writes docs/checks: a page for each group of checks, made from the data of the suite.
 *
 *   node scripts/check-pages.ts            # writes what differs, removes pages of groups that are gone
 *   node scripts/check-pages.ts --check    # writes nothing; exit code 1 where a page is not current
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checks, groups, guarantees } from "../src/conformance/index.ts";
import type { Check, Group } from "../src/conformance/index.ts";

const folder = join(import.meta.dirname, "../docs/checks");

/** File name to text. */
export function checkPages(): ReadonlyMap<string, string> {
  return new Map([["README.md", overview()], ...groups.map((group) => [`${group.name}.md`, page(group)] as const)]);
}

/** Names of files that are missing, differ or should not be there. */
export function stalePages(): readonly string[] {
  const wanted = checkPages();
  const present = list();
  return [
    ...[...wanted].filter(([name, text]) => !present.includes(name) || readFileSync(join(folder, name), "utf8") !== text).map(([name]) => name),
    ...present.filter((name) => !wanted.has(name)),
  ];
}

function list(): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function overview(): string {
  const behaviours = new Set(checks.flatMap((check) => check.behaviours)).size;
  const rows = groups.map((group) => {
    const of = (tier: Check["tier"]): number => group.checks.filter((check) => check.tier === tier).length;
    return `| [${group.title}](${group.name}.md) | ${of("smoke")} | ${of("full")} | ${of("torture")} |`;
  });
  return `# The checks

Made by \`node scripts/check-pages.ts\` from the suite itself; [how to run it](../conformance.md). ${checks.length} checks prove ${behaviours} behaviours.

| group | smoke | full | torture |
| --- | ---: | ---: | ---: |
${rows.join("\n")}
`;
}

function page(group: Group): string {
  return `# ${group.title}

Made by \`node scripts/check-pages.ts\` from the suite itself. All groups: [README](README.md). Only this one: \`npx stratus conformance ./my-store.ts --check ${group.name}\`.

${group.checks.map((check) => section(check)).join("\n")}`;
}

function section(check: Check): string {
  const facts: string[] = [`tier ${check.tier}`];
  const fact = (name: string, values: readonly (string | number)[] | undefined): void => {
    if (values !== undefined && values.length > 0) facts.push(`${name} ${values.join(", ")}`);
  };
  fact("behaviours", check.behaviours);
  fact("rows", check.rows);
  fact("kills", check.kills);
  const lines = [`<a id="${check.id}"></a>`, `## ${check.id}`, "", `**${sentence(check.title)}** ${sentence(check.why)}`, "", facts.join(" · "), ""];
  if (check.needs !== undefined && check.needs.length > 0)
    lines.push(
      `Where ${check.needs.map((key) => `\`${key}\``).join(", ")} ${check.needs.length === 1 ? "is" : "are"} not declared, the proof that the call is refused runs instead.`,
      "",
    );
  if (check.offers !== undefined && check.offers.length > 0)
    lines.push(`For subjects that offer ${check.offers.map((offer) => `\`${offer}\``).join(", ")}.`, "");
  if (check.stackOnly === true) lines.push("For stacks only: it compares them with what they wrap.", "");
  for (const id of check.guarantees) {
    const text = guarantees.find((guarantee) => guarantee.id === id)?.text;
    lines.push(`> ${text === undefined ? "" : `${escaped(text)} `}(\`${id}\`)`, "");
  }
  return lines.join("\n");
}

function sentence(text: string): string {
  const safe = escaped(text.slice(0, 1).toUpperCase() + text.slice(1));
  return /[.!?:"”]$/.test(safe) ? safe : `${safe}.`;
}

/** Outside of backticks, what Markdown would take for markup. */
function escaped(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(/[\\*_<>[\]|#]/g, "\\$&")))
    .join("");
}

function write(): void {
  mkdirSync(folder, { recursive: true });
  const wanted = checkPages();
  for (const name of stalePages()) {
    const text = wanted.get(name);
    if (text === undefined) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), text);
    process.stdout.write(`${text === undefined ? "removed" : "wrote"} docs/checks/${name}\n`);
  }
}

if (import.meta.main) {
  if (process.argv.includes("--check")) {
    const stale = stalePages();
    for (const name of stale) process.stderr.write(`docs/checks/${name} is not current: node scripts/check-pages.ts\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else write();
}
