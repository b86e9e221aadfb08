/** A file that is replaced each time a read has begun: a host that then has its old link no more says nothing about the file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { readText } from "../../../src/index.ts";
import { plowshareBy } from "../../../src/providers/plowshare/by.ts";
import type { Runner } from "../../../src/providers/plowshare/process.ts";
import { fileHosts } from "../../servers/plowshare/hosts.ts";
import { inProcess } from "../../servers/plowshare/in-process.ts";
import { failureOf } from "./lab.ts";

test.each([
  ["once", 1],
  ["over and over", 100],
])("a file that is replaced %s while it is read", async (_, times) => {
  const base = await mkdtemp(join(tmpdir(), "stratus-plowshare-test-"));
  await fileHosts(base, { alpha: {} }, { recorded: false });
  const good = inProcess(base);
  let left = 0;
  const runner: Runner = async (run) => {
    if (basename(run.file) !== "plowdown" || left === 0) return good(run);
    left -= 1;
    await store.write("/a", `${left} left`);
    return { code: 13, stopped: null, stdout: "", stderr: "" };
  };
  const options = { directory: join(base, "index"), createRoot: true, hosts: ["alpha"], modules: join(base, "modules.d"), retries: 0 };
  const store = plowshareBy(runner, { ...options, maxProcesses: 4, maxProcessesPerHost: 4 });
  try {
    await store.write("/a", "first");
    left = times;
    if (times === 1) expect(await readText(store, "/a")).toBe("0 left");
    // Nothing is lost and nothing is damaged, so neither is said.
    else expect(await failureOf(readText(store, "/a"))).toMatchObject({ code: "conflict", transient: true });
  } finally {
    await store.close();
    await rm(base, { recursive: true, force: true });
  }
});
