/**
 * `stratus conformance <module>`: the suite without a runner. Exit codes: 0 everything holds as declared, 1 something does not hold or has
 * vanished, 2 it could not be run (wrong arguments, a module that does not load, a service that was never reached, a budget that is used up).
 */
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import {
  HarnessError,
  compare,
  defaultMaxRequests,
  count,
  countText,
  createReport,
  collected,
  failureText,
  isGood,
  isGreen,
  parseReport,
  runConformance,
  toHtml,
  toJson,
  toMarkdown,
} from "../conformance/index.ts";
import type { Report, Tier } from "../conformance/index.ts";
import { makeDirectories } from "../store/index.ts";
import { clean } from "./conformance-clean.ts";
import { explain, list } from "./conformance-list.ts";
import { probe } from "./conformance-probe.ts";
import { loadSubject } from "./load-subject.ts";
import { progressBar } from "./progress.ts";
import { matrixText } from "./matrix-text.ts";
import { paintFor } from "./terminal.ts";
import { UsageError } from "./usage.ts";

const help = `stratus conformance <module> [options]      run the suite against a store
stratus conformance probe <module>          compare what the store declares with what it does
stratus conformance list [group]            all checks
stratus conformance explain <check>         what a check demands, why, and what stands behind it
stratus conformance clean <module>          what a killed run left in a store: shows it, removes it with --yes (--hours 6: only older ones)
stratus conformance report <directory>      one report from the outcomes that runners left there (STRATUS_REPORT)

<module> is a path (./my-store.ts, TypeScript as it is) or the name of a package. It exports, as \`default\` or \`subject\`, a Subject
({ name, open(place) }) or a function that returns a Store.

  --tier <tier>             smoke, full (default) or torture
  --check <id>              only this check, group ("writes") or beginning of an id; may be given several times
  --stack <name>            only this stack of the subject; "" is the subject as it is
  --seed <number>           the same random choices again
  --json <file>             write the report: conformance.json
  --markdown <file>         ... as a matrix in Markdown
  --html <file>             ... as one page that opens everywhere
  --baseline <file>         compare with an earlier conformance.json; a check that vanished since then fails
  --live                    somebody else's service: proves that places are separate, keeps a budget and a rate, empties its places afterwards
  --max-requests <number>   with --live: stop there (default 20000)
  --rate <number>           with --live: requests a second (default 10)
  --quiet                   no progress

exit code: 0 all holds as declared, 1 something does not, 2 it could not be run
`;

export async function conformance(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  switch (first) {
    case undefined:
      throw new UsageError(`no module given\n\n${help}`);
    case "--help":
    case "-h":
    case "help":
      process.stdout.write(help);
      return 0;
    case "list":
      return list(rest);
    case "explain":
      return explain(rest);
    case "probe":
      return await probe(rest);
    case "clean":
      return await clean(rest);
    case "report":
      return await merge(rest);
    default:
      return await run(args);
  }
}

const outputs = {
  json: { type: "string" },
  markdown: { type: "string" },
  html: { type: "string" },
  baseline: { type: "string" },
} as const;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: {
        ...outputs,
        tier: { type: "string" },
        check: { type: "string", multiple: true },
        stack: { type: "string", multiple: true },
        seed: { type: "string" },
        live: { type: "boolean", default: false },
        "max-requests": { type: "string" },
        rate: { type: "string" },
        quiet: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }),
  );
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const [module, ...more] = positionals;
  if (module === undefined) throw new UsageError("no module given");
  if (more.length > 0) throw new UsageError(`one module at a time, not also ${more.join(", ")}`);
  if (!values.live && (values["max-requests"] !== undefined || values.rate !== undefined)) throw new UsageError("--max-requests and --rate belong to --live");
  const maxRequests = numberOf("--max-requests", values["max-requests"], 1);
  const baseline = values.baseline === undefined ? undefined : await readReport(values.baseline);

  const { subject, inFolders } = await loadSubject(module);
  const stop = new AbortController();
  const onInterrupt = (): void => {
    process.stderr.write("\nstopping after this check; once more ends at once\n");
    stop.abort();
    process.off("SIGINT", onInterrupt);
  };
  process.on("SIGINT", onInterrupt);
  const bar = values.quiet ? undefined : progressBar(process.stderr, { limit: values.live ? (maxRequests ?? defaultMaxRequests) : undefined });
  let report: Report;
  try {
    report = await runConformance(subject, {
      tier: values.tier as Tier | undefined,
      only: values.check,
      stacks: values.stack?.map((name) => (name === "" ? null : name)),
      seed: numberOf("--seed", values.seed, 0),
      live: values.live,
      cleanUp: values.live || inFolders,
      maxRequests,
      requestsPerSecond: numberOf("--rate", values.rate, 0.01),
      onProgress: (event) => bar?.show(event),
      signal: stop.signal,
    });
  } catch (error) {
    if (error instanceof TypeError || error instanceof HarnessError) throw new UsageError(error.message, { cause: error });
    throw error;
  } finally {
    bar?.end();
    process.off("SIGINT", onInterrupt);
  }
  return await finish(report, baseline, values, module);
}

/** Outcomes that vitest or node:test left in a directory. */
async function merge(args: readonly string[]): Promise<number> {
  const { values, positionals } = parsed(() => parseArgs({ args: [...args], allowPositionals: true, strict: true, options: outputs }));
  const [directory, ...more] = positionals;
  if (directory === undefined || more.length > 0) throw new UsageError("stratus conformance report <directory>: exactly one directory");
  const baseline = values.baseline === undefined ? undefined : await readReport(values.baseline);
  let subjects;
  try {
    subjects = await collected(directory);
  } catch (error) {
    throw new UsageError(`${directory} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (subjects.length === 0) throw new UsageError(`${directory} holds no outcomes: run your runner with STRATUS_REPORT=${directory}`);
  return await finish(createReport(subjects, Date.now()), baseline, values, undefined);
}

interface Outputs {
  readonly json?: string | undefined;
  readonly markdown?: string | undefined;
  readonly html?: string | undefined;
}

async function finish(made: Report, baseline: Report | undefined, values: Outputs, module: string | undefined): Promise<number> {
  const named: Report = { ...made, module: module ?? null };
  const report: Report = baseline === undefined ? named : { ...named, diff: compare(made, baseline, { subjects: module === undefined ? "all" : "present" }) };
  for (const [path, text] of [
    [values.json, () => toJson(report)],
    [values.markdown, () => toMarkdown(report)],
    [values.html, () => toHtml(report)],
  ] as const) {
    if (path === undefined) continue;
    await makeDirectories(dirname(path), 0o777);
    await writeFile(path, text());
  }
  const paint = paintFor(process.stdout);
  const outcomes = report.subjects.flatMap((subject) => subject.outcomes);
  for (const outcome of outcomes) if (!isGood(outcome.status)) process.stdout.write(`\n${paint("red", failureText(outcome, module))}\n`);
  process.stdout.write(`\n${matrixText(report, paint)}\n`);
  const notRun = report.subjects.reduce((sum, subject) => sum + subject.notRun.length, 0);
  const tried = outcomes.filter((outcome) => outcome.status !== "infra-error").length;
  process.stdout.write(
    `${countText(count(outcomes))}${notRun === 0 ? "" : `, ${notRun} not run`}; seed ${report.subjects.map((subject) => subject.seed).join(", ")}\n`,
  );
  for (const subject of report.subjects) {
    const missing = Object.entries(subject.notOffered).map(([offer, checks]) => `${offer} (${checks.length} checks)`);
    if (missing.length > 0) process.stdout.write(paint("dim", `${subject.name} does not offer, so not tried: ${missing.join(", ")}\n`));
  }
  for (const change of report.diff?.vanished ?? [])
    process.stdout.write(
      paint("red", `vanished since ${report.diff?.baseline}: ${change.check}${change.stack === null ? "" : ` under ${change.stack}`} of ${change.subject}\n`),
    );
  for (const [name, path] of Object.entries({ json: values.json, markdown: values.markdown, html: values.html }))
    if (path !== undefined) process.stdout.write(`${name}: ${path}\n`);
  const broken = outcomes.some((outcome) => !isGood(outcome.status) && outcome.status !== "infra-error") || (report.diff?.vanished.length ?? 0) > 0;
  if (broken) return 1;
  return isGreen(report) && notRun === 0 && tried > 0 ? 0 : 2;
}

async function readReport(path: string): Promise<Report> {
  try {
    return parseReport(await readFile(path, "utf8"), path);
  } catch (error) {
    throw new UsageError(`the baseline cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** parseArgs throws TypeErrors that are written for the caller. */
function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function numberOf(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number < least)
    throw new UsageError(`${option} must be a number of at least ${least}, not ${JSON.stringify(text)}`);
  return number;
}
