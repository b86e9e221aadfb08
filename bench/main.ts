/**
 * Measures Stratus beside what a user would take instead.
 *
 *   npm run bench                     all sets: store, caching, local, s3, webdav, providers, pool
 *   npm run bench -- store local      these
 *   npm run bench -- store --json     one JSON object per figure and line
 *   npm run bench -- caching --quick  a hundredth of the large figures
 */
import type { Figure, FigureSet } from "./figure.ts";

const SETS = ["store", "caching", "local", "s3", "webdav", "providers", "pool"] as const;

async function main(given: readonly string[]): Promise<number> {
  const json = given.includes("--json");
  if (given.includes("--quick")) process.env["STRATUS_BENCH_SCALE"] = "0.01";
  const names = given.filter((word) => word !== "--json" && word !== "--quick");
  const unknown = names.filter((name) => !(SETS as readonly string[]).includes(name));
  if (unknown.length > 0) {
    console.error(`bench: there is no set ${unknown.join(", ")}; there are ${SETS.join(", ")}, and the options --json and --quick`);
    return 2;
  }
  let failed = 0;
  for (const name of names.length > 0 ? names : SETS) {
    const shown: Figure[] = [];
    if (!json) process.stderr.write(`measuring ${name} ...\n`);
    try {
      const { figures } = (await import(`./${name}.ts`)) as { readonly figures: FigureSet };
      await figures.run((figure) => {
        if (json) console.log(JSON.stringify({ set: name, ...figure }));
        else shown.push(figure);
      });
    } catch (error) {
      failed++;
      console.error(`bench: ${name} could not be measured:`, error);
    }
    if (!json && shown.length > 0) console.log(table(name, shown));
  }
  return failed === 0 ? 0 : 1;
}

function table(name: string, figures: readonly Figure[]): string {
  const rows = figures.map(({ name: what, value, unit, against, ratio, goal, met }) => [
    what,
    `${number(value)} ${unit}`,
    against,
    Number.isNaN(ratio) ? "" : `${ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1)} x`,
    goal ?? "",
    met === null ? "" : met ? "met" : "NOT MET",
  ]);
  const head = [name, "Stratus", "against", "ratio", "goal", ""];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] as string).length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 1 || i === 3 ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line), ""].join("\n");
}

function number(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3);
}

process.exitCode = await main(process.argv.slice(2));
