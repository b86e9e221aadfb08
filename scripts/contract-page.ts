/** The list of guarantees in docs/contract.md, made from the suite itself: every guarantee has an id, and every id the checks that prove it. */
import { readFile, writeFile } from "node:fs/promises";
import { checks, groupOf, guarantees } from "../src/conformance/index.ts";
import type { Guarantee } from "../src/conformance/index.ts";

const page = new URL("../docs/contract.md", import.meta.url);
const START = "<!-- guarantees, made by node scripts/run.js scripts/docs -->";
const END = "<!-- end of guarantees -->";

/** Ids that no check proves: none is allowed. */
export function unproved(): readonly string[] {
  return guarantees.filter(({ id }) => !checks.some((check) => check.guarantees.includes(id))).map(({ id }) => id);
}

export async function contractPage(): Promise<{ readonly now: string; readonly wanted: string }> {
  const now = await readFile(page, "utf8");
  const [before = "", rest = ""] = now.split(START);
  const [, after = ""] = rest.split(END);
  return { now, wanted: `${before}${START}\n\n${tables()}\n${END}${after}` };
}

export async function writeContractPage(): Promise<void> {
  const { now, wanted } = await contractPage();
  if (now !== wanted) await writeFile(page, wanted);
}

function tables(): string {
  const verbs = [...new Set(guarantees.map(({ verb }) => verb))];
  return verbs
    .map(
      (verb) =>
        `### ${verb}\n\n| id | guarantee | proved by |\n| --- | --- | --- |\n${guarantees
          .filter((one) => one.verb === verb)
          .map(row)
          .join("\n")}\n`,
    )
    .join("\n");
}

function row({ id, text }: Guarantee): string {
  const proofs = checks.filter((check) => check.guarantees.includes(id));
  const shown = proofs.slice(0, 4).map((check) => `[${check.id}](checks/${groupOf(check.id)}.md#${check.id})`);
  const more = proofs.length > shown.length ? ` and ${proofs.length - shown.length} more` : "";
  return `| \`${id}\` | ${text.replaceAll("|", "\\|")} | ${shown.join(", ")}${more} |`;
}
