/**
 * `npm start [directory]`: the main job on real files. Writes a directory through the whole stack into an embedded default (local disk): safe in the cache at
 * once, then sent as a few tar archives. Then empties the cache, reads everything back out of the archives, compares hashes, shows what it took, and runs the
 * smoke tier of the conformance suite over the same stack. No account, nothing left behind.
 */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { matrixText } from "../src/cli/matrix-text.ts";
import { progressBar } from "../src/cli/progress.ts";
import { cutTo, paintFor } from "../src/cli/terminal.ts";
import { isGreen, runConformance } from "../src/conformance/index.ts";
import { copyBetween, stack } from "../src/index.ts";
import type { Layer, Store } from "../src/index.ts";
import { local } from "../src/providers/local/index.ts";
import { archive, caching, limit, metadataCache, stats } from "../src/wrappers/index.ts";
import type { StatsControl } from "../src/wrappers/index.ts";

const paint = paintFor(process.stdout);
const source = resolve(process.argv[2] ?? "node_modules/typescript");
if (!(await stat(source).catch(() => undefined))?.isDirectory()) {
  console.error(`${source} is no directory. Usage: npm start [directory]`);
  process.exit(2);
}
const disk = await mkdtemp(join(tmpdir(), "stratus-start-"));
try {
  process.exitCode = (await main()) ? 0 : 1;
} finally {
  await rm(disk, { recursive: true, force: true });
}

/** Where the layers keep what is theirs: `at`. */
function theStack(at: string) {
  return stack(
    stack(local({ directory: join(disk, "service"), createRoot: true }), stats().as("service"), limit({ concurrency: 16 })),
    archive({ directory: join(at, "archive"), maxDelayMs: 100 }),
    caching({ directory: join(at, "cache") }),
    metadataCache(),
    stats(),
  );
}

/** The same for the suite, which asks two connections after every call: nothing waits, nothing is kept (docs/stacking.md). */
function forced(at: string): readonly Layer[] {
  return [
    archive({ directory: join(at, "archive"), maxDelayMs: 0, refreshMs: 0 }),
    caching({ directory: join(at, "cache"), mode: "write-through", unknownPaths: "ask", uploadDelayMs: 0, freshMs: 0, cacheBytes: 0, durability: "process" }),
    metadataCache(),
    stats(),
  ];
}

async function main(): Promise<boolean> {
  await using from = local({ directory: source });
  await using to = theStack(disk);
  const { caching: cache, stats: felt, service, archive: archives } = to.layers;
  console.log(`\n${paint("bold", "A stack")}  ${to}\n${paint("bold", "Files")}    ${source}\n`);

  const sent = await timed(
    "write",
    (show) => copyBetween(from, "/", to, "/files", { onProgress: ({ files, bytes, path }) => show(files, bytes, path) }),
    () => `safe on this disk, ${pending()} not sent yet`,
  );
  await timed(
    "send",
    async (show) => {
      const watch = setInterval(
        () => show(sent.files - Number(cache.report()["dirtyFiles"]), sent.bytes - Number(cache.report()["dirtyBytes"]), `${pending()} to go`),
        100,
      );
      await cache.flush().finally(() => clearInterval(watch));
      return sent;
    },
    () => `in ${archives.report()["archives"]} archives, by ${service.snapshot().operations.write?.calls ?? 0} writes`,
  );
  await cache.evict();
  const wrong = await compare(from, to, sent.files);
  console.log(
    `\n  ${paint("bold", "what callers felt")}\n${paint("dim", table(felt))}\n  ${paint("bold", "what the service was asked")}\n${paint("dim", table(service))}`,
  );
  const names = (await readdir(join(disk, "service", ".stratus-archive"))).filter((name) => name.endsWith(".tar"));
  console.log(`  ${paint("bold", "what lies there")}\n${paint("dim", `  ${names.length} plain tar archives, such as ${names[0]}`)}`);
  if (wrong.length > 0) {
    for (const path of wrong) console.error(paint("red", `  differs: ${path}`));
    return false;
  }
  console.log(paint("green", `\n  ✓ ${sent.files} files, ${megabytes(sent.bytes)} written, sent, read back out of the archives, every hash equal\n`));

  console.log(paint("bold", "The contract, smoke tier, over the same stack"));
  const bar = progressBar(process.stdout);
  const report = await runConformance(
    {
      name: "local",
      tier: "smoke",
      open: (place) => local({ directory: place.directory, flush: false }),
      stacks: { "archive, caching, metadataCache, stats": (place) => forced(place.scratch) },
    },
    { stacks: ["archive, caching, metadataCache, stats"], onProgress: (event) => bar.show(event) },
  );
  bar.end();
  console.log(`\n${matrixText(report, paint)}\n`);
  console.log(`Next: ${paint("bold", "npx stratus conformance --help")}, docs/stacking.md, docs/write-a-provider.md`);
  return isGreen(report);

  function pending(): string {
    return `${String(cache.report()["dirtyFiles"])} files`;
  }
}

type Show = (files: number, bytes: number, path: string) => void;

/** One line that is written over while the work goes on. */
async function timed<T extends { readonly files: number; readonly bytes: number }>(
  verb: string,
  work: (show: Show) => Promise<T>,
  told: () => string,
): Promise<T> {
  const live = process.stdout.isTTY;
  const begun = performance.now();
  let shown = 0;
  const line = (files: number, bytes: number, rest: string): string => {
    const seconds = (performance.now() - begun) / 1000;
    return `  ${verb.padEnd(6)} ${String(files).padStart(6)} files ${megabytes(bytes).padStart(10)}  ${megabytes(bytes / Math.max(seconds, 0.001)).padStart(10)}/s  ${rest}`;
  };
  const done = await work((files, bytes, path) => {
    if (!live || performance.now() - shown < 50) return;
    shown = performance.now();
    process.stdout.write(`\r\u001b[2K${cutTo(line(files, bytes, path), process.stdout.columns - 1)}`);
  });
  if (live) process.stdout.write("\r\u001b[2K");
  console.log(line(done.files, done.bytes, told()));
  return done;
}

/** Reads everything back and compares it with the source; gives the paths that differ. */
async function compare(from: Store, to: Store, files: number): Promise<string[]> {
  const wrong: string[] = [];
  await timed(
    "read",
    async (show) => {
      let seen = 0;
      let bytes = 0;
      for await (const entry of to.list("/files", { recursive: true })) {
        if (entry.kind === "directory") continue;
        const path = entry.path.slice("/files".length);
        const [there, here] = await Promise.all([hashOf(to, entry.path), hashOf(from, path)]);
        if (there !== here) wrong.push(path);
        seen++;
        bytes += entry.size ?? 0;
        show(seen, bytes, path);
      }
      if (seen !== files) wrong.push(`${seen} files were listed, ${files} written`);
      return { files: seen, bytes };
    },
    () => "with the cache emptied before",
  );
  return wrong;
}

async function hashOf(store: Store, path: string): Promise<string> {
  const hash = createHash("sha256");
  await using body = await store.read(path);
  for await (const chunk of body) hash.update(chunk);
  return hash.digest("hex");
}

/** One line per operation. */
function table(counted: StatsControl): string {
  const { operations, up, down } = counted.snapshot();
  const ms = (value: number | null): string => `${(value ?? 0).toFixed(2)} ms`.padStart(10);
  const lines = Object.entries(operations).map(
    ([name, { calls, failed, latency }]) =>
      `  ${name.padEnd(7)}${String(calls).padStart(6)} calls ${String(failed).padStart(3)} failed   p50 ${ms(latency.p50Ms)}   p99 ${ms(latency.p99Ms)}`,
  );
  const flows = [up, down].map(({ bytes, bytesPerSecond }, i) => `${i === 0 ? "up" : "down"} ${megabytes(bytes)} at ${megabytes(bytesPerSecond)}/s`);
  return [...lines, `  ${flows.join(", ")}`].join("\n");
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
