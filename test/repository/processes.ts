/** Four processes on one PostgreSQL catalogue, killed at random moments; then everything that was acknowledged must be there, and nothing else. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { local } from "../../src/providers/local/index.ts";
import { Repository, postgresCatalogue } from "../../src/repository/index.ts";
import { manualClock } from "../../src/store/index.ts";
import { seededRandom } from "../../src/wrappers/seeded-random.ts";
import { scratch } from "../scratch.ts";
import { sha } from "./lab.ts";

const HOSTS = ["one", "two", "three", "four"];

interface Line {
  readonly at: bigint;
  readonly what: "begin" | "done";
  readonly id: number;
  /** The verb, or the state. */
  readonly word: string;
  readonly rest: readonly string[];
}
/** What the lines of one file say of it. */
interface Known {
  /** State that was acknowledged last; undefined: none yet. */
  state: string | undefined;
  version: number;
  hash: string;
  /** Verbs that began after that and whose end nobody saw, with the bytes they were about. */
  readonly open: { readonly verb: string; readonly hash: string }[];
}

function parse(line: string): Line {
  const [at = "", what = "", id = "", word = "", ...rest] = line.split(" ");
  return { at: BigInt(at), what: what as Line["what"], id: Number(id), word, rest };
}

function take(known: Map<number, Known>, lines: readonly Line[]): void {
  for (const { what, id, word, rest } of lines.toSorted((a, b) => (a.at < b.at ? -1 : 1))) {
    const file = known.get(id) ?? { state: undefined, version: 0, hash: "", open: [] };
    known.set(id, file);
    if (what === "begin") file.open.push({ verb: word, hash: rest[0] ?? "" });
    else {
      file.open.length = 0;
      file.state = word;
      file.version = Number(rest[0]) || 0;
      file.hash = rest[1] ?? "";
    }
  }
}

const AFTER: Readonly<Record<string, string>> = { publish: "published", expire: "expired", purge: "purged", write: "unpublished" };

/** Why a file may be in this state, or undefined. Maintenance expires what is superseded, and collects what is expired or purged. */
function legal(file: Known, state: string, superseded: boolean): boolean {
  const may = new Set([file.state ?? "gone", ...file.open.map(({ verb }) => AFTER[verb] ?? "")]);
  // A file of a transaction, or one that was only just added.
  if (file.state === undefined) may.add("unpublished");
  if (may.has("published") && superseded) may.add("expired");
  if (may.has("expired") || may.has("purged")) may.add("gone");
  return may.has(state);
}

/** `rounds` times all four are killed after so many milliseconds on average. Gives how many lines and files there were. */
export async function fourProcesses(
  connectionString: string,
  seed: number,
  rounds: number,
  roundMs: number,
): Promise<{ readonly lines: number; readonly files: number }> {
  const base = mkdtempSync(join(scratch(), "repository-four-"));
  for (const name of ["store", "hosts"]) mkdirSync(join(base, name));
  const random = seededRandom(seed);
  const known = new Map<number, Known>();
  let count = 0;
  const opened = (host: string, clock?: ReturnType<typeof manualClock>, make: "open" | "create" = "open"): Promise<Repository> =>
    Repository[make]({
      catalogue: postgresCatalogue({ connectionString, maxConnections: 3 }),
      store: local({ directory: join(base, "store"), name: "store" }),
      directory: join(base, "hosts", host),
      host,
      clock,
    });
  try {
    await (await opened("one", undefined, "create")).close();
    for (let round = 0; round < rounds; round++) {
      const lines: Line[] = [];
      // All of them to their end, so that the one that failed is the one that tells why.
      const ended = await Promise.allSettled(
        HOSTS.map((host, n) => work(base, seed + round * 10 + n, connectionString, host, roundMs * (0.5 + random()), lines)),
      );
      for (const each of ended) if (each.status === "rejected") throw each.reason;
      count += lines.length;
      take(known, lines);
      const clock = manualClock(Date.now() + 3_600_000 * (round + 1));
      const repos = await Promise.all(HOSTS.map((host) => opened(host, clock)));
      await check(base, known, repos, clock);
      await Promise.all(repos.map((repo) => repo.close()));
    }
    return { lines: count, files: known.size };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

async function work(base: string, seed: number, database: string, host: string, forMs: number, lines: Line[]): Promise<void> {
  const script = new URL("child.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--no-warnings", script, base, String(seed), database, host], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let timer: NodeJS.Timeout | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    // From the first line on, for a start takes as long as it takes.
    timer ??= setTimeout(() => child.kill("SIGKILL"), forMs);
    lines.push(parse(line));
  }
  clearTimeout(timer);
  expect(await exited, `${host}, seed ${seed}`).toEqual([null, "SIGKILL"]);
}

async function check(base: string, known: Map<number, Known>, repos: readonly Repository[], clock: ReturnType<typeof manualClock>): Promise<void> {
  const [repo] = repos as readonly [Repository];
  for (const each of repos) expect(each.opened.missing).toEqual([]);
  const before = new Map((await repo.find({ limit: 100_000 })).map((file) => [file.id, file]));
  for (const [id, file] of known) {
    const found = before.get(id);
    const newest = found === undefined ? true : (await repo.versions(found.path)).some(({ version }) => (version ?? 0) > (found.version ?? 0));
    expect(legal(file, found?.state ?? "gone", newest), `file ${id}: ${JSON.stringify({ file, found, open: file.open })}`).toBe(true);
    if (found === undefined) known.delete(id);
    else {
      const hashes = [file.hash, ...file.open.map(({ hash }) => hash)];
      if (found.sha256 !== null) expect(hashes, `bytes of file ${id}`).toContain(found.sha256);
      // What is found now is what is known from here on.
      known.set(id, { state: found.state, version: found.version ?? 0, hash: found.sha256 ?? "", open: [] });
    }
  }
  // What was never spoken of is a file whose process died before it could.
  for (const { id, state, sha256 } of before.values()) if (!known.has(id)) expect([state, sha256], `file ${id}`).toEqual(["unpublished", null]);
  const hosts = new Map(repos.map((each, n) => [HOSTS[n], each]));
  for (const file of before.values()) {
    if (file.state === "purged" || file.sha256 === null) continue;
    const reader = file.uploadedMs === null ? (hosts.get(file.origin) as Repository) : (repos[file.id % repos.length] as Repository);
    expect(sha(await reader.text(file)), `bytes of file ${file.id}`).toBe(file.sha256);
  }
  // Whoever held a lock is dead.
  for (const { id } of before.values()) await (await repo.lock(id, { mode: "nowait" }))[Symbol.asyncDispose]();
  // Requests of the dead can land no more.
  await clock.advance(300_000);
  for (const each of repos) await each.maintainHost();
  for (const each of repos) await each.maintainDatabase({ graceMs: 0 });
  const report = await repo.verify({ deep: true });
  expect(report).toMatchObject({ missing: [], wrong: [], unknown: [], unsent: [] });
  const status = await repo.status();
  expect(status.objects).toEqual({ stored: report.objects, sending: 0, removing: 0, bad: 0 });
  await using store = local({ directory: join(base, "store"), name: "store" });
  expect((await store.list("/", { recursive: true }).toArray()).filter(({ kind }) => kind === "file")).toHaveLength(report.objects);
  const copies = (await repo.hosts()).reduce((sum, host) => sum + host.copies, 0);
  expect(HOSTS.reduce((sum, host) => sum + readdirSync(join(base, "hosts", host, "files")).length, 0)).toBe(copies);
  const after = new Map((await repo.find({ limit: 100_000 })).map((file) => [file.id, file]));
  for (const [id, file] of known) {
    const found = after.get(id);
    if (found === undefined) {
      expect(legal(file, "gone", true), `file ${id} was collected`).toBe(true);
      known.delete(id);
    } else known.set(id, { state: found.state, version: found.version ?? 0, hash: found.sha256 ?? "", open: [] });
  }
}
