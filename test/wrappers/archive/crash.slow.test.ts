/** SIGKILL at the steps of the archive layer and at random moments, over local disk; what others see is looked at by an installation with an empty index. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { crashRuns } from "../../../src/conformance/crash/index.ts";
import { local } from "../../../src/providers/local/index.ts";
import { stack } from "../../../src/store/index.ts";
import { archive } from "../../../src/wrappers/index.ts";
import { memoryBase } from "../../scratch.ts";
import subject from "./crash/archive.ts";

const torture = process.env["STRATUS_TIER"] === "torture";
const seed = torture ? Math.floor(Math.random() * 2 ** 31) : 1;
if (torture) console.log(`archive crashes: seed ${seed}`);
const module = new URL("crash/archive.ts", import.meta.url).pathname;
/** One of each kind: before anything is on a disk, in doubt, stored, a large file, repacked, deleted. */
const sample = ["joined", "intent", "stored", "solo stamped", "repack stored", "unneeded"];

test("killed at its steps it loses nothing and brings nothing back", { timeout: 1_800_000 }, async () => {
  const figures = await crashRuns({ module, base: memoryBase, seed, kills: 0, steps: torture ? subject.steps : sample });
  console.log(JSON.stringify(figures));
  expect(figures.faults).toEqual([]);
  expect(Object.keys(figures.at).length).toBeGreaterThanOrEqual(torture ? subject.steps.length - 2 : 4);
  expect(figures.acknowledged).toBeGreaterThan(0);
});

test("killed at random moments it loses nothing and brings nothing back", { timeout: 7_200_000 }, async () => {
  const kills = torture ? 1000 : 4;
  const figures = await crashRuns({ module, base: memoryBase, seed, kills, withinMs: 1500 });
  console.log(JSON.stringify(figures));
  expect(figures.faults).toEqual([]);
  expect(figures.kills).toBe(kills);
});

test("two installations in two processes write to one store, and both see everything", { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(join(memoryBase, "stratus-archive-two-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const root = join(directory, "store");
  mkdirSync(root);
  const child = (name: string): Promise<string> =>
    new Promise((done) => {
      const process_ = spawn(process.execPath, [new URL("crash/writer.ts", import.meta.url).pathname, root, join(directory, name), name], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let said = "";
      process_.stdout.on("data", (text: Buffer) => (said += text.toString()));
      process_.stderr.on("data", (text: Buffer) => (said += text.toString()));
      process_.on("close", (code) => done(`${code} ${said.trim()}`));
    });
  expect(await Promise.all([child("one"), child("two")])).toEqual(["0 60", "0 60"]);
  for (const index of ["one", "two", "three"]) {
    const store = stack(local({ directory: root }), archive({ directory: join(directory, index) }));
    const files = await store.list("/", { recursive: true }).toArray();
    expect(files.filter(({ kind }) => kind === "file")).toHaveLength(81);
    for (const name of ["one", "two"]) expect(await (await store.read(`/${name}/59`)).text()).toBe(`${name} 59`);
    expect(["one", "two"]).toContain(await (await store.read("/both")).text());
    await store.close();
  }
});
