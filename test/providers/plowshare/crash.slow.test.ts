/** A process that is killed at any moment loses no file that it acknowledged and leaves no row that points to nothing. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { readText } from "../../../src/index.ts";
import { commands } from "../../servers/plowshare/hosts.ts";
import { lab } from "./lab.ts";

const provider = new URL("../../../src/providers/plowshare/index.ts", import.meta.url).href;

/** Writes, overwrites, copies, moves and deletes, and says what is acknowledged: "+path text" and "-path". */
const program = (directory: string, modules: string, round: number): string => `
  import { plowshare } from ${JSON.stringify(provider)};
  const store = plowshare({ directory: ${JSON.stringify(directory)}, createRoot: true, hosts: ["alpha", "beta"], copies: 2, maxProcesses: 4,
    modules: ${JSON.stringify(modules)}, commandDirectory: ${JSON.stringify(commands)}, retries: 0 });
  const say = (line) => new Promise((done) => process.stdout.write(line + "\\n", done));
  for (let n = 0; ; n++) {
    const path = "/${round}/" + (n % 5);
    await say("?" + path + " " + n);
    await store.write(path, "text " + n);
    await say("+" + path + " " + n);
    if (n % 3 === 1) {
      await say("?" + path);
      await store.delete(path);
      await say("-" + path);
    }
    if (n % 4 === 2) {
      await say("?" + path + "-copy " + n);
      await store.copy(path, path + "-copy").catch((error) => { if (error.code !== "not-found") throw error; });
      await say("." + path);
    }
  }`;

test("killed again and again: acknowledged files are whole, deleted ones stay away, uploads without an end are named, nothing else is left at the hosts", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const certain = new Map<string, string>();
  /** What a call that was not answered may have made of a path. */
  const possible = new Map<string, (string | undefined)[]>();
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program(l.directory, l.hosts.modules, round)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((done) => child.once("close", done));
    let acknowledged = 0;
    for await (const line of createInterface(child.stdout)) {
      const [path = "", n] = line.slice(1).split(" ");
      const text = n === undefined ? undefined : `text ${n}`;
      if (line.startsWith("?")) possible.set(path, [...(possible.get(path) ?? []), certain.get(path), text]);
      else {
        possible.delete(path);
        if (line.startsWith("+")) certain.set(path, text as string);
        if (line.startsWith("-")) certain.delete(path);
        acknowledged += 1;
      }
      // Not at an answer, but somewhere behind it.
      if (acknowledged === 2 + round * 2) setTimeout(() => child.kill("SIGKILL"), 40 * round + 7);
    }
    await ended;
  }
  // What the killed ones had started goes on by itself for a moment.
  await wait(3000);
  const store = l.open({ copies: 2, maxProcesses: 4, maxProcessesPerHost: 2 });
  const found = new Map<string, string>();
  for (const { path, kind } of await store.list("/", { recursive: true }).toArray()) if (kind === "file") found.set(path, await readText(store, path));
  for (const [path, text] of certain) {
    if (possible.has(path)) expect(possible.get(path), path).toContain(found.get(path));
    else expect(found.get(path), path).toBe(text);
  }
  for (const [path, text] of found)
    if (!certain.has(path)) expect(path.endsWith("-copy") || (possible.get(path) ?? []).includes(text), `${path} came back`).toBe(true);
  await store.layers.plowshare.flush();
  const { contents, links, deadLinks, pendingRemovals, orphans, possibleOrphans } = await store.layers.plowshare.status();
  expect([deadLinks, pendingRemovals, orphans]).toEqual([0, 0, []]);
  expect(links).toBe(2 * contents);
  // What is at the hosts and in no row is an upload that was cut off, and those are named.
  const stored = l.hosts.files("alpha").length + l.hosts.files("beta").length;
  expect(stored - links).toBeGreaterThanOrEqual(0);
  expect(stored - links).toBeLessThanOrEqual(possibleOrphans.length);
}, 300_000);
