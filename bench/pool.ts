/**
 * Catalogues of pool and repository: lookups, changes and maintenance at 1,000, 100,000 and 1,000,000 files (--quick: the first two) on both databases, backup, restore into both, and small files
 * through the pool beside rclone. What is done with one file costs the same whatever the catalogue holds: growth is the time of one at this size by that at the size before. Each catalogue is filled and asked in a process of its own, whose peak memory is told. PostgreSQL where the machine has it; what is left out is said.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../test/servers/postgres.ts";
import { notProvedBy } from "../test/servers/shared.ts";
import type { Figure, FigureSet } from "./figure.ts";
import type { Told } from "./pool-child.ts";
import { smallFiles } from "./pool-files.ts";
import { scaled } from "./scale.ts";

const GROWTH = 1.5;
const AFTER_OPENING = "after the opening";
const SIZES = [1000, 100_000, 1_000_000] as const;

export const figures: FigureSet = {
  name: "pool",
  async run(report) {
    const base = await mkdtemp(join(tmpdir(), "stratus-bench-pool-"));
    const why = notProvedBy("postgres", "the figures of PostgreSQL");
    await using server = why === undefined ? await startPostgres() : undefined;
    try {
      const kinds = [["SQLite", ""] as const, ...(server === undefined ? [] : [["PostgreSQL", server.url] as const])];
      for (const [kind, url] of kinds) await catalogueFigures(report, kind, [url, server?.url ?? ""], base);
      await smallFiles(report, base);
    } finally {
      await rm(base, { recursive: true, force: true });
    }
  },
};

async function catalogueFigures(report: (figure: Figure) => void, kind: string, urls: readonly string[], base: string): Promise<void> {
  let before: Told | undefined;
  for (const files of SIZES.slice(0, scaled(SIZES.length, 2))) {
    const directory = join(base, `${kind}-${files}`);
    const told = await inChild([...urls, directory, String(files)]);
    await rm(directory, { recursive: true });
    const size = files.toLocaleString("en-US");
    for (const [operation, perSecond] of Object.entries(told.perSecond)) {
      const last = before?.perSecond[operation];
      const growth = last === undefined ? NaN : last / perSecond;
      // Right after the opening pages are read from the file, which no growth of the catalogue explains.
      const judged = !Number.isNaN(growth) && !operation.endsWith(AFTER_OPENING);
      report({
        name: `${operation}, ${size} files, ${kind}`,
        value: perSecond,
        unit: "calls/s",
        against: last === undefined ? "" : "time of one at the size before",
        ratio: growth,
        goal: judged ? `growth below ${GROWTH}` : null,
        met: judged ? growth < GROWTH : null,
      });
    }
    const plain = (name: string, value: number, unit: string, against: string): void =>
      report({ name, value, unit, against, ratio: NaN, goal: null, met: null });
    const rows = told.rows.toLocaleString("en-US");
    plain(
      `backup of ${rows} rows, ${kind}`,
      told.backupSeconds,
      "s",
      `${(told.backupBytes / 2 ** 20).toFixed(1)} MiB, peak of the process ${told.peakMiB} MiB`,
    );
    for (const [target, took] of Object.entries(told.restoreSeconds)) plain(`restore of ${rows} rows, ${kind} to ${target}`, took, "s", "checked twice");
    before = told;
  }
}

function inChild(args: readonly string[]): Promise<Told> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "pool-child.ts"), ...args], { stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.on("error", fail);
    child.on("close", (code) => (code === 0 ? done(JSON.parse(out) as Told) : fail(new Error(`the catalogue of ${args[3]} files ended with ${code}`))));
  });
}
