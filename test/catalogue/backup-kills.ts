/** Processes that are killed while they back a catalogue up or put it back: what is seen afterwards is whole, or is not there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { BackupError, backupCatalogue, listBackups, postgresCatalogue, restoreCatalogue, sqliteCatalogue } from "../../src/catalogue/index.ts";
import type { Catalogue } from "../../src/catalogue/index.ts";
import { local } from "../../src/providers/local/index.ts";
import type { Store } from "../../src/store/index.ts";
import { seededRandom } from "../../src/wrappers/seeded-random.ts";
import { scratch } from "../scratch.ts";
import type { ChildTask } from "./backup-child.ts";
import { component, everything, filled } from "./backup-things.ts";

export interface Kills {
  /** Of PostgreSQL; empty: SQLite. */
  readonly url: string;
  /** Of the steps, evenly spread; all of them where there are fewer. */
  readonly steps: number;
  /** At random moments. */
  readonly moments: number;
  readonly seed: number;
  readonly rows: number;
}
export interface Killed {
  readonly runs: number;
  /** Of these: where the work was done all the same. */
  readonly done: number;
}

interface Ended {
  readonly killed: boolean;
  readonly steps: number;
  readonly tookMs: number;
}

class Site {
  readonly base = mkdtempSync(join(scratch(), "backup-kills-"));
  readonly url: string;
  #count = 0;

  constructor(url: string) {
    this.url = url;
    for (const name of ["store", "tmp"]) mkdirSync(join(this.base, name));
  }

  newName(): string {
    return `kill_${(this.#count += 1)}_${Math.random().toString(36).slice(2, 8)}`;
  }
  open(name: string): Catalogue {
    return this.url === ""
      ? sqliteCatalogue({ file: join(this.base, `${name}.db`), flush: false })
      : postgresCatalogue({ connectionString: this.url, schema: name, maxConnections: 2 });
  }
  store(): Store {
    return local({ directory: join(this.base, "store"), name: "store" });
  }

  async run(task: Pick<ChildTask, "what" | "at" | "name">, afterMs?: number): Promise<Ended> {
    const args = ["--no-warnings", new URL("backup-child.ts", import.meta.url).pathname, JSON.stringify({ ...task, url: this.url, base: this.base })];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(child, "exit") as Promise<[number | null, string | null]>;
    let [steps, began, ended] = [0, 0, 0];
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === "begin") {
        began = performance.now();
        if (afterMs !== undefined) setTimeout(() => child.kill("SIGKILL"), afterMs);
      } else {
        steps = Number(line.split(" ")[1]);
        ended = performance.now();
      }
    }
    const [code, signal] = await exited;
    expect([code, signal]).toEqual(signal === null ? [0, null] : [null, "SIGKILL"]);
    return { killed: signal !== null, steps, tookMs: ended - began };
  }

  /** Nothing that a dead process kept beside the way takes room. */
  leftovers(): number {
    return readdirSync(join(this.base, "tmp"), { recursive: true, encoding: "utf8" })
      .map((name) => statSync(join(this.base, "tmp", name)))
      .reduce((sum, found) => sum + (found.isFile() ? found.size : 0), 0);
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** What the database still holds for a process that is dead it lets go of after a while. */
async function untilHeld(db: Catalogue, key: string): Promise<AsyncDisposable> {
  for (let attempt = 1; attempt <= 200; attempt++) {
    const hold = await db.hold(key);
    if (hold !== null) return hold;
    await delay(50);
  }
  throw new Error(`a dead process still holds ${key}`);
}

/** Every step or moment of one child after the other; `look` is called after each. */
async function kill(
  site: Site,
  { steps, moments, seed }: Kills,
  name: () => Promise<string>,
  what: ChildTask["what"],
  look: (name: string, killed: boolean) => Promise<boolean>,
): Promise<Killed> {
  const first = await name();
  const whole = await site.run({ what, at: 0, name: first });
  expect(whole.killed).toBe(false);
  expect(await look(first, false)).toBe(true);
  const counts = { runs: 0, done: 0 };
  const after = async (label: string, task: { readonly at: number }, afterMs?: number): Promise<void> => {
    const at = await name();
    const { killed } = await site.run({ what, ...task, name: at }, afterMs);
    try {
      if (await look(at, killed)) counts.done += 1;
      expect(site.leftovers()).toBe(0);
    } catch (error) {
      throw new Error(`${what} killed ${label}: ${String(error)}`, { cause: error });
    }
    counts.runs += 1;
  };
  const every = Math.max(1, whole.steps / steps);
  for (let at = 1; at <= whole.steps; at += every) await after(`at step ${Math.floor(at)} of ${whole.steps}`, { at: Math.floor(at) });
  const random = seededRandom(seed);
  for (let n = 0; n < moments; n++) {
    const ms = random() * whole.tookMs * 1.1;
    await after(`after ${ms.toFixed(1)} ms`, { at: 0 }, ms);
  }
  return counts;
}

/** One catalogue, backed up again and again with rotation: there is always a whole backup, and none that is not. */
export async function killedBackups(kills: Kills): Promise<Killed> {
  using site = new Site(kills.url);
  const name = site.newName();
  let expected: unknown;
  {
    await using db = await filled(site.open(name), kills.rows);
    expected = { ...((await everything(db)) as object), passing: [] };
    await using store = site.store();
    await backupCatalogue({ catalogue: db, components: [component], store, keep: 2 });
  }
  let seen = new Set<string>();
  return await kill(
    site,
    kills,
    async () => name,
    "backup",
    async () => {
      await using store = site.store();
      const all = await listBackups({ store });
      expect(all.length).toBeGreaterThan(0);
      const files = await store.list("/catalogue-backups").toArray();
      expect(files.map(({ path }) => path).toSorted()).toEqual(all.map(({ path }) => path).toSorted());
      const fresh = all.filter((backup) => !seen.has(backup.name));
      seen = new Set(all.map((backup) => backup.name));
      for (const backup of fresh) {
        await using again = site.open(site.newName());
        await restoreCatalogue({ catalogue: again, components: [component], store, name: backup.name });
        expect(await everything(again)).toEqual(expected);
      }
      // Nobody is kept out of the next one.
      await using db = site.open(name);
      await using _hold = await untilHeld(db, "backup");
      return fresh.length > 0;
    },
  );
}

/** A catalogue that is put back is whole or as empty as before, and can be put back again. */
export async function killedRestores(kills: Kills): Promise<Killed> {
  using site = new Site(kills.url);
  await using store = site.store();
  let expected: unknown;
  {
    await using db = await filled(site.open(site.newName()), kills.rows);
    expected = { ...((await everything(db)) as object), passing: [] };
    await backupCatalogue({ catalogue: db, components: [component], store });
  }
  return await kill(
    site,
    kills,
    async () => site.newName(),
    "restore",
    async (name) => {
      await using db = site.open(name);
      const done = await restoreCatalogue({ catalogue: db, components: [component], store }).then(
        () => false,
        (error: unknown) => {
          if (!BackupError.is(error) || error.code !== "not-empty") throw error;
          return true;
        },
      );
      expect(await everything(db)).toEqual(expected);
      return done;
    },
  );
}
