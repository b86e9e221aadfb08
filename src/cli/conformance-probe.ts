/** `stratus conformance probe <module>`: compares what a store declares with what it does. Exit code 1: a claim that is not kept. */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { HarnessError, probeSubject, toJson } from "../conformance/index.ts";
import type { Finding } from "../conformance/index.ts";
import { loadSubject } from "./load-subject.ts";
import { cutTo, paintFor } from "./terminal.ts";
import { UsageError } from "./usage.ts";

const signs: Readonly<Record<Finding["verdict"], string>> = { kept: "✓", broken: "✗", unclaimed: "+", refused: "○", untold: "?" };
const colours = { kept: "green", broken: "red", unclaimed: "cyan", refused: "dim", untold: "yellow" } as const;

export async function probe(args: readonly string[]): Promise<number> {
  let values;
  let positionals;
  try {
    ({ values, positionals } = parseArgs({ args: [...args], allowPositionals: true, strict: true, options: { json: { type: "string" } } }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const [module, ...more] = positionals;
  if (module === undefined || more.length > 0) throw new UsageError("stratus conformance probe <module> [--json file]");
  const { subject } = await loadSubject(module);
  const paint = paintFor(process.stdout);
  const width = process.stdout.columns ?? 200;
  process.stdout.write(`${paint("bold", `  ${"capability".padEnd(20)} ${"declared".padEnd(22)} found`)}\n`);
  let findings;
  try {
    findings = await probeSubject(subject, {
      onProgress: ({ key, declared, found, verdict }) =>
        process.stdout.write(
          `${paint(colours[verdict], `${signs[verdict]} ${key.padEnd(20)} ${cutTo(declared, 22).padEnd(22)} ${cutTo(found, Math.max(40, width - 48))}`)}\n`,
        ),
    });
  } catch (error) {
    if (error instanceof HarnessError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
  const count = (verdict: Finding["verdict"]): number => findings.filter((one) => one.verdict === verdict).length;
  process.stdout.write(
    `\n${count("kept")} kept, ${count("broken")} not kept, ${count("unclaimed")} more than declared, ${count("refused")} refused, ${count("untold")} could not be measured\n`,
  );
  if (values.json !== undefined) await writeFile(values.json, toJson({ subject: subject.name, findings }));
  return count("broken") > 0 ? 1 : count("untold") > 0 ? 2 : 0;
}
