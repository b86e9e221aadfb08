/**
 * Random programs over hosts that fail at random, against a model: a write that is answered is there, one that is refused is not, a read gives the bytes or a typed error, and when the
 * hosts are well again everything that one of them still has is whole, and they hold nothing that the index does not know.
 */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { StoreError, readText } from "../../../src/index.ts";
import { plowshareBy } from "../../../src/providers/plowshare/by.ts";
import type { Runner } from "../../../src/providers/plowshare/process.ts";
import { fileHosts } from "../../servers/plowshare/hosts.ts";
import { inProcess } from "../../servers/plowshare/in-process.ts";

const HOSTS = ["alpha", "beta", "gamma"];
const SEED = Number(process.env["STRATUS_SEED"] ?? 20_261_126);
const PROGRAMS = Number(process.env["STRATUS_PROGRAMS"] ?? 25);

/** Numbers from 0 to 1, the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Commands of which so many in a hundred go wrong, in one of these ways. */
function failing(root: string, random: () => number, state: { percent: number; landed: number }): Runner {
  const good = inProcess(root);
  return async (run) => {
    if (random() * 100 >= state.percent) return good(run);
    const name = basename(run.file);
    // A host that says of a deletion that there was nothing is believed: nobody can know better.
    const codes = [1, 3, 4, 5, 6, 7, 10, 11, 12, 14, 16, 17, 99, ...(name === "plowdel" ? [] : [13, 113])];
    const code = codes[Math.floor(random() * codes.length)] as number;
    const refused = { code, stopped: null, stdout: "", stderr: "no" } as const;
    const ended = random() < 0.4 ? refused : await good(run);
    if (ended === refused || ended.code !== 0) return ended;
    switch (name) {
      case "plowup": {
        const way = random();
        // It landed: and the answer was lost, is nonsense, comes with a failure, or comes twice.
        if (way < 0.12) {
          state.landed += 1;
          return { ...ended, code: null, stopped: "time", stdout: "" };
        }
        if (way < 0.25) {
          state.landed += 1;
          return { ...ended, code: [1, 3, 5, 6, 8, 99][Math.floor(random() * 6)] as number, stdout: "" };
        }
        if (way < 0.5) {
          state.landed += 1;
          return { ...ended, stdout: "\ufffd\ufffd http://nothing.invalid/\n" };
        }
        return way < 0.75 ? { ...ended, code: 3 } : { ...ended, stdout: ended.stdout + ended.stdout.replaceAll("/f/", "/f/x").replaceAll("/d/", "/d/x") };
      }
      case "plowdown": {
        const [file = ""] = (await readdir(run.cwd)).filter((one) => one !== ".tmp");
        if (random() < 0.5) await writeFile(join(run.cwd, file), "something else");
        else await rm(join(run.cwd, file));
        return ended;
      }
      default:
        // Done, and said otherwise; or the answer was lost.
        return random() < 0.5 ? { ...ended, code: 3 } : { ...ended, code: null, stopped: "time" };
    }
  };
}

async function program(seed: number): Promise<void> {
  const random = numbers(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const base = await mkdtemp(join(tmpdir(), "stratus-plowshare-faults-"));
  const hosts = await fileHosts(join(base, "hosts"), Object.fromEntries(HOSTS.map((name) => [name, {}])), { recorded: false });
  const state = { percent: 35, landed: 0 };
  const runner = failing(hosts.root, random, state);
  const open = (): ReturnType<typeof plowshareBy> =>
    plowshareBy(runner, {
      directory: join(base, "index"),
      createRoot: true,
      hosts: HOSTS,
      copies: 2,
      minCopies: random() < 0.5 ? 1 : 2,
      modules: hosts.modules,
      random,
      flush: false,
    });
  let store = open();
  const model = new Map<string, string>();
  const paths = ["/a", "/b", "/d/c", "/d/e"];
  try {
    for (let step = 0; step < 40; step++) {
      const [path, other] = [pick(paths), pick(paths)];
      try {
        const what = random();
        if (what < 0.45) {
          const text = `text ${seed} ${step}`;
          await store.write(path, text);
          model.set(path, text);
        } else if (what < 0.6) {
          const text = await readText(store, path);
          expect(text, `${path} at step ${step}`).toBe(model.get(path));
        } else if (what < 0.7) {
          await store.delete(path);
          model.delete(path);
        } else if (what < 0.8) {
          await store.copy(path, other);
          model.set(other, model.get(path) as string);
        } else if (what < 0.87) {
          await store.move(path, other);
          const text = model.get(path) as string;
          if (path !== other) model.delete(path);
          model.set(other, text);
        } else if (what < 0.91) await store.layers.plowshare.verify({ deep: random() < 0.5 });
        else if (what < 0.94) await store.layers.plowshare.repair();
        else if (what < 0.97) await store.layers.plowshare.flush({ orphans: true });
        else {
          await store.close();
          store = open();
        }
      } catch (error) {
        if (!StoreError.is(error)) throw error;
        expect([error.code === "unknown" && error.cause === undefined ? error.reason : "", error.applied], `${error.message} at step ${step}`).toEqual([
          expect.stringMatching(/^$|the command/),
          false,
        ]);
      }
    }
    // The hosts are well again.
    state.percent = 0;
    const { plowshare } = store.layers;
    await plowshare.verify();
    const repaired = await plowshare.repair();
    for (const [path, text] of model) expect(await readText(store, path), path).toBe(text);
    expect(repaired.failed).toEqual([]);
    expect((await store.list("/", { recursive: true }).toArray()).filter(({ kind }) => kind === "file").map(({ path }) => path as string)).toEqual(
      [...model.keys()].sort(),
    );
    await plowshare.flush({ orphans: true });
    const { contents, links, pendingRemovals, possibleOrphans, lost } = await plowshare.status();
    expect([links, pendingRemovals, lost]).toEqual([contents * 2, 0, []]);
    const held = HOSTS.reduce((sum, host) => sum + hosts.files(host).length, 0);
    expect(held - links, "files at hosts that nobody knows").toBe(state.landed);
    expect(possibleOrphans.length).toBeGreaterThanOrEqual(state.landed);
  } finally {
    await store.close();
    await rm(base, { recursive: true, force: true });
  }
}

test(`${PROGRAMS} programs over failing hosts (seed ${SEED})`, async () => {
  for (let n = 0; n < PROGRAMS; n++) {
    try {
      await program(SEED + n);
    } catch (error) {
      throw new Error(`program ${SEED + n}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}, 600_000);
