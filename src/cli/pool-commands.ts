/** What `stratus pool` can do: each command as data, with its result for programs and its text for people. */
import { readFile } from "node:fs/promises";
import type { DumpVersion, Pool, SourceFailure } from "../pool/index.ts";
import type { Command } from "./commands.ts";
import { poolBackupCommands } from "./pool-backups.ts";
import { poolHostCommands } from "./pool-hosts.ts";
import { UsageError } from "./usage.ts";

export interface PoolArguments {
  readonly help?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly deep?: boolean | undefined;
  readonly limit?: string | undefined;
  readonly format?: string | undefined;
  readonly confirmation?: string | undefined;
  readonly storage?: string | undefined;
  readonly name?: string | undefined;
  readonly grace?: string | undefined;
  readonly abandon?: boolean | undefined;
  readonly keep?: string | undefined;
}
export type PoolCommand = Command<Pool, PoolArguments>;

const none = { least: 0, most: 0, options: [] } as const;

export const poolCommands: Readonly<Record<string, PoolCommand>> = {
  upload: {
    usage: "upload <module> <file>... [--name <name>]",
    about: "put files in; they wait in the cache for sync",
    least: 1,
    most: Infinity,
    options: ["name"],
    run: async (pool, files, { name }) => {
      if (name !== undefined && files.length > 1) throw new UsageError("--name is for one file");
      const result: { readonly file: string; readonly hash: string }[] = [];
      for (const file of files) result.push({ file, hash: await pool.uploadFile(file, { name }) });
      return { result, text: result.map(({ file, hash }) => `${hash}  ${file}`).join("\n"), good: true };
    },
  },
  download: {
    usage: "download <module> <hash> <target>",
    about: "a copy of a file, its hash checked",
    least: 2,
    most: 2,
    options: [],
    run: async (pool, [hash = "", target = ""]) => {
      await pool.download(hash, target);
      return { result: { hash, target }, text: target, good: true };
    },
  },
  sync: {
    ...none,
    usage: "sync <module>",
    about: "send what waits to the hosts",
    run: async (pool, _, __, onProgress) => {
      const report = await pool.sync({ onProgress });
      const short = report.short.map(({ hash, copies, failures }) => ({ hash, copies, failures: plain(failures) }));
      const lines = [
        `${report.complete} files complete, ${report.copies} copies made`,
        ...short.map(({ hash, copies, failures }) => `short ${hash}: ${copies} copies; ${failures.map(({ host, code }) => `${host} ${code}`).join(", ")}`),
        ...report.damaged.map((hash) => `damaged in the cache ${hash}: put it in again`),
      ];
      return { result: { ...report, short }, text: lines.join("\n"), good: short.length + report.damaged.length === 0 };
    },
  },
  verify: {
    ...none,
    usage: "verify <module> [--deep]",
    about: "ask for every copy, with --deep for all its bytes",
    options: ["deep"],
    run: async (pool, _, { deep }, onProgress) => {
      const report = await pool.verify({ deep, onProgress });
      const counts = `${report.copies} copies: ${report.alive} alive, ${report.dead} dead, ${report.damaged} damaged, ${report.unknown} unknown`;
      const lines = [counts, ...report.short.map((hash) => `${report.lost.includes(hash) ? "lost " : "short"} ${hash}`)];
      return { result: report, text: lines.join("\n"), good: report.short.length === 0 };
    },
  },
  repair: {
    ...none,
    usage: "repair <module>",
    about: "bring every file back to its number of copies",
    run: async (pool, _, __, onProgress) => {
      const report = await pool.repair({ onProgress });
      const failed = report.failed.map(({ hash, error, failures }) => ({ hash, code: error.code, message: error.message, failures: plain(failures) }));
      const lines = [
        `${report.short} files short, ${report.repaired} repaired, ${report.copies} copies made`,
        ...failed.map(({ code, message }) => `failed: ${message} (${code})`),
      ];
      return { result: { ...report, failed }, text: lines.join("\n"), good: failed.length === 0 };
    },
  },
  ...poolHostCommands,
  ...poolBackupCommands,
  status: {
    ...none,
    usage: "status <module>",
    about: "cache, queues, meters and hosts",
    run: async (pool) => {
      const [queues, meters, hosts] = [await pool.queues(), await pool.meters(), await pool.hosts()];
      const result = { capacity: pool.capacity, used: pool.usedSpace, ratio: pool.usageRatio, queues, meters, hosts, opened: pool.opened };
      const columns = Math.max(4, ...hosts.map(({ name }) => name.length));
      const lines = [
        `cache    ${pool.usedSpace} of ${pool.capacity} bytes (${(pool.usageRatio * 100).toFixed(1)} %)`,
        `uploads  ${queues.upload.files} files, ${queues.upload.bytes} bytes wait`,
        `export   ${queues.export.files} files, ${queues.export.bytes} bytes are not confirmed`,
        `sent     ${meters.total.uploaded} bytes, ${meters.month.uploaded} this month`,
        `fetched  ${meters.total.downloaded} bytes, ${meters.month.downloaded} this month`,
        `${"host".padEnd(columns)}  state     copies  errors`,
        ...hosts.map(
          ({ name, state, copies, errors }) => `${name.padEnd(columns)}  ${state.padEnd(8)}  ${String(copies).padStart(6)}  ${String(errors).padStart(6)}`,
        ),
        ...pool.opened.missing.map((hash) => `missing in the cache: ${hash}`),
      ];
      return { result, text: lines.join("\n"), good: pool.opened.missing.length === 0 };
    },
  },
  dump: {
    ...none,
    usage: "dump <module> [--limit <bytes>] [--format 0.2|0.3]",
    about: "files for another node, as JSON; nothing where there are none",
    options: ["limit", "format"],
    run: async (pool, _, { limit, format = "0.2" }) => {
      if (limit !== undefined && !/^\d{1,15}$/.test(limit)) throw new UsageError("--limit is a number of bytes");
      if (format !== "0.2" && format !== "0.3") throw new UsageError("--format is 0.2 or 0.3");
      const json = await pool.dump({ limitBytes: limit === undefined ? undefined : Number(limit), version: format satisfies DumpVersion });
      return { result: json === null ? null : (JSON.parse(json) as unknown), text: json ?? "", good: true };
    },
  },
  load: {
    usage: "load <module> <file> [--confirmation <mark>]",
    about: "take in a dump",
    least: 1,
    most: 1,
    options: ["confirmation"],
    run: async (pool, [file = ""], { confirmation }) => {
      const report = await pool.load(await text(file), { confirmation });
      return { result: report, text: `${report.added} files added, ${report.known} known, ${report.copies} places of copies added`, good: true };
    },
  },
  "import-cloudmanager": {
    usage: "import-cloudmanager <module> <database> [--storage <directory>]",
    about: "take in the SQLite database of an original cloud-manager",
    least: 1,
    most: 1,
    options: ["storage"],
    run: async (pool, [database = ""], { storage }) => {
      const report = await pool.importCloudManager(database, { storage });
      const lines = [
        `${report.added} files added, ${report.known} known, ${report.uploaded.length} taken out of the storage directory`,
        ...report.notFound.map((hash) => `not uploaded, and not found: ${hash}`),
      ];
      return { result: report, text: lines.join("\n"), good: report.notFound.length === 0 };
    },
  },
};

/** Of errors what may be shown: no causes, which are other programs' words. */
function plain(failures: readonly SourceFailure[]): { readonly host: string; readonly code: string; readonly reason: string }[] {
  return failures.map(({ host, error }) => ({ host, code: error.code, reason: error.reason }));
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UsageError(`${file} cannot be read`, { cause: error });
  }
}
