/** One cache directory, one owner (CF41): a second one is refused with a typed error that names the first; a killed one is followed at once. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { open, remove, temporary } from "./left-behind.ts";

const directories: string[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  remove(...directories.splice(0));
});
function fresh(): string {
  const directory = temporary();
  directories.push(directory);
  return join(directory, "cache");
}

/** Another process that holds the directory, and has written /theirs. */
async function another(directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [new URL("owner-child.ts", import.meta.url).pathname, directory], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await new Promise<void>((done, fail) => {
    child.stdout?.once("data", () => done());
    child.once("exit", (code) => fail(new Error(`the other process ended with ${code}`)));
  });
  return child;
}
function ended(child: ChildProcess): Promise<void> {
  return new Promise((done) => void child.once("close", () => done()));
}

test("a second opening in this process is refused, also by another spelling of the path", async () => {
  const directory = fresh();
  const first = await open(directory);
  await expect(open(directory)).rejects.toMatchObject({ code: "conflict", transient: false });
  await expect(open(`${directory}/../cache`)).rejects.toMatchObject({ code: "conflict" });
  await first.write("/still", "works");
  await first.close({ signal: AbortSignal.abort() });
  const second = await open(directory);
  expect(await (await second.read("/still")).text()).toBe("works");
  await second.close({ signal: AbortSignal.abort() });
});

test("another process is refused while the owner runs, and while it is stopped; a killed one is followed at once", { timeout: 60_000 }, async () => {
  const directory = fresh();
  const child = await another(directory);
  await expect(open(directory)).rejects.toMatchObject({ code: "conflict", transient: false, message: expect.stringContaining(String(child.pid)) as string });
  child.kill("SIGSTOP");
  await expect(open(directory)).rejects.toMatchObject({ code: "conflict" });
  child.kill("SIGKILL");
  await ended(child);
  const store = await open(directory);
  expect(await (await store.read("/theirs")).text()).toBe("acknowledged");
  expect(store.layers.caching.dirty().map(({ path }) => path)).toEqual(["/theirs"]);
  await store.close({ signal: AbortSignal.abort() });
});
