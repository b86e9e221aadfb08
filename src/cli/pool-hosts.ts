/** What `stratus pool` does with files that are to go and with hosts: each command as data. */
import type { PoolCommand } from "./pool-commands.ts";
import { UsageError } from "./usage.ts";

const one = { least: 1, most: 1, options: [] } as const;
const time = (ms: number | null): string => (ms === null ? "-" : new Date(ms).toISOString());

export const poolHostCommands: Readonly<Record<string, PoolCommand>> = {
  remove: {
    usage: "remove <module> <hash>...",
    about: "unknown at once; collect takes them for good after the grace",
    least: 1,
    most: Infinity,
    options: [],
    run: async (pool, hashes) => {
      for (const hash of hashes) await pool.remove(hash);
      return { result: { removed: hashes }, text: hashes.map((hash) => `removed ${hash}`).join("\n"), good: true };
    },
  },
  collect: {
    usage: "collect <module> [--grace <milliseconds>]",
    about: "delete what was removed longer ago than the grace (a day)",
    least: 0,
    most: 0,
    options: ["grace"],
    run: async (pool, _, { grace }, onProgress) => {
      if (grace !== undefined && !/^\d{1,15}$/.test(grace)) throw new UsageError("--grace is a number of milliseconds");
      const report = await pool.collect({ graceMs: grace === undefined ? undefined : Number(grace), onProgress });
      const failures = report.failures.map(({ host, error }) => ({ host, code: error.code, reason: error.reason }));
      const lines = [
        `${report.collected.length} files collected, ${report.busy} busy, ${report.deleted} objects deleted`,
        ...failures.map(({ host, code, reason }) => `not deleted at ${host}: ${code}, ${reason}`),
      ];
      return { result: { ...report, failures }, text: lines.join("\n"), good: failures.length === 0 };
    },
  },
  drain: {
    ...one,
    usage: "drain <module> <host>",
    about: "it gets no copies any more, and its copies do not count; then repair",
    run: async (pool, [host = ""]) => {
      await pool.drain(host);
      return { result: { host, state: "draining" }, text: `${host} is draining: repair makes the copies that its files need elsewhere`, good: true };
    },
  },
  retire: {
    ...one,
    usage: "retire <module> <host> [--abandon]",
    about: "out of service, its copies deleted; with --abandon it is gone for good and nothing is",
    options: ["abandon"],
    run: async (pool, [host = ""], { abandon }) => {
      const copies = await pool.retire(host, { abandon });
      return { result: { host, state: "retired", copies }, text: `${host} is retired, ${copies} copies went`, good: true };
    },
  },
  activate: {
    ...one,
    usage: "activate <module> <host>",
    about: "back into service",
    run: async (pool, [host = ""]) => {
      await pool.activate(host);
      return { result: { host, state: "active" }, text: `${host} is active`, good: true };
    },
  },
  hosts: {
    usage: "hosts <module>",
    about: "each host: state, copies, transfers, failures",
    least: 0,
    most: 0,
    options: [],
    run: async (pool) => {
      const result = await pool.hosts();
      const wide = Math.max(4, ...result.map(({ name }) => name.length));
      const lines = [
        `${"host".padEnd(wide)}  state     copies  uploads  downloads  errors  last error`,
        ...result.map(({ name, state, copies, uploads, downloads, errors, lastError, lastErrorMs }) => {
          const numbers = `${String(copies).padStart(6)}  ${String(uploads).padStart(7)}  ${String(downloads).padStart(9)}  ${String(errors).padStart(6)}`;
          return `${name.padEnd(wide)}  ${state.padEnd(8)}  ${numbers}  ${lastError === null ? "-" : `${lastError} ${time(lastErrorMs)}`}`;
        }),
      ];
      return { result, text: lines.join("\n"), good: true };
    },
  },
};
