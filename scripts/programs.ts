/**
 * Random programs by the hundred thousand, in several processes: what the tests run a few thousand of.
 *
 *   npm run programs -- caching 500000
 *   npm run programs -- caching 500000 --seed 1234 --jobs 2 --batch 2000 --minutes 30
 *
 * Prints the seed, and for each failure the shrunk program: freeze it beside the model it broke. Exit code 1 where there was one, 2 for a wrong command.
 * Batches are numbered, and batch n has the seed `seed + n`; a process runs one batch, so that what a failed program leaves behind ends with it.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { families } from "./programs/family.ts";
import type { Found } from "./programs/family.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string" }, jobs: { type: "string" }, batch: { type: "string" }, minutes: { type: "string" }, property: { type: "string" } },
});
const [name = "", wanted = "10000"] = positionals;
if (families[name] === undefined || !/^\d+$/.test(wanted)) {
  console.error(
    `usage: npm run programs -- <${Object.keys(families).join(" | ")}> <number of programs> [--seed n] [--jobs n] [--batch n] [--minutes n] [--property n]`,
  );
  process.exit(2);
}
const seed = Number(values.seed ?? randomInt(1, 2 ** 30));
const jobs = Number(values.jobs ?? availableParallelism());
const batch = Number(values.batch ?? 2000);
const batches = Math.ceil(Number(wanted) / batch);
const untilMs = performance.now() + Number(values.minutes ?? Infinity) * 60_000;
const totals: Record<string, number> = {};
let ran = 0;
let failures = 0;
let next = 0;

console.log(`${name}: ${wanted} programs, seed ${seed}, ${jobs} processes, ${batch} programs each`);
const start = performance.now();
await Promise.all(Array.from({ length: jobs }, work));
const seconds = (performance.now() - start) / 1000;
console.log(`${name}: ${ran} programs in ${seconds.toFixed(0)} s (${(ran / seconds).toFixed(0)}/s), seed ${seed}: ${failures} failures; ${show(totals)}`);
process.exitCode = failures === 0 ? 0 : 1;

async function work(): Promise<void> {
  while (next < batches && performance.now() < untilMs) {
    const number = next++;
    const found = await runBatch(number);
    ran += found.runs;
    for (const [key, value] of Object.entries(found.figures)) totals[key] = (totals[key] ?? 0) + value;
    if (found.failure !== undefined) {
      failures += 1;
      console.log(`FAILED: batch ${number} (${found.property}), seed ${seed + number}\n${found.failure.message}\n${JSON.stringify(found.failure.program)}`);
    }
    if (number % 10 === 9) console.log(`${ran} programs, ${failures} failures, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  }
}

async function runBatch(number: number): Promise<Found & { readonly property: string }> {
  const worker = new URL("programs/worker.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [worker, name, values.property ?? String(number), String(seed + number), String(batch)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
  child.stderr.setEncoding("utf8").on("data", (more: string) => (errors += more));
  await new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", done);
  });
  try {
    return JSON.parse(text) as Found & { readonly property: string };
  } catch {
    return { property: "?", runs: 0, figures: {}, failure: { program: null, message: `the process failed: ${errors.slice(-2000)}` } };
  }
}

function show(figures: Readonly<Record<string, number>>): string {
  return Object.entries(figures)
    .map(([key, value]) => `${value} ${key}`)
    .join(", ");
}
