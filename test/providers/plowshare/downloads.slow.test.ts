/** Reads: nothing is given before size and hash are right, and the next host is asked where one fails. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readBytes, readText } from "../../../src/index.ts";
import { failureOf, lab } from "./lab.ts";
import type { Lab } from "./lab.ts";

const text = "the bytes of a file that was stored long ago";

/** What an open store has in its directory, but for the curl that it makes where the machine has one. */
async function restOf({ directory }: Lab): Promise<string[]> {
  return (await readdir(join(directory, "run", "1"))).filter((name) => name !== "curl").sort();
}

/** What a host may give instead of the file. */
const lies = ["short", "long", "wrong", "other", "nothing", "garbage", "directory", "symlink", "elsewhere"];

test("PS10: short, long, wrong, no and foreign bytes are `integrity`, never bytes", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", text);
  for (const lie of lies) {
    l.hosts.fail("alpha", "down", lie);
    const error = await failureOf(readBytes(store, "/a"));
    expect(error.code, lie).toBe("integrity");
  }
  l.hosts.fail("alpha", "down", "flood");
  expect((await failureOf(readBytes(store, "/a"))).code).toBe("unknown");
  expect(await readText(store, "/a")).toBe(text);
});

test("a second file beside the right one changes nothing", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", text);
  l.hosts.fail("alpha", "down", "two");
  expect(await readText(store, "/a")).toBe(text);
});

test("bytes that the host changed, and the link of another file, are found by their hash", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/first", "x".repeat(text.length));
  l.hosts.fail("alpha", "up", "other-link");
  await store.write("/a", text);
  expect((await failureOf(readBytes(store, "/a"))).code).toBe("integrity");
  l.hosts.fail("alpha", "up", "damage");
  await store.write("/b", text);
  expect((await failureOf(readBytes(store, "/b"))).code).toBe("integrity");
});

test("PW6: the first host lost it, the second gives it", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ copies: 2 });
  // beta has failed once, so alpha is asked first.
  l.hosts.fail("beta", "up", "exit 3");
  await store.write("/other", text);
  await store.write("/a", text);
  l.hosts.lose("alpha");
  expect(await readText(store, "/a")).toBe(text);
  expect(await store.layers.plowshare.status()).toMatchObject({ deadLinks: 1, short: 2, lost: [] });
  // It is known now: the next read goes to the living one.
  l.hosts.forgetCalls();
  expect(await readText(store, "/a")).toBe(text);
  expect(l.hosts.calls("plowdown").map(({ args }) => args.at(-1))).toEqual([expect.stringContaining("beta")]);
});

test("PW6: wrong bytes at the first host, right ones at the second", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ copies: 2 });
  await store.write("/a", text);
  for (const id of l.hosts.files("alpha")) l.hosts.overwrite("alpha", id, "y".repeat(text.length));
  expect(await readText(store, "/a")).toBe(text);
});

test("PW6: one result names the host that served, and those that failed before it", async () => {
  await using l = await lab({ alpha: {}, beta: {}, gamma: {} });
  const served: unknown[] = [];
  // One upload after the other: links in the order of the hosts.
  const store = l.open({ copies: 3, maxProcesses: 1, onServed: (one) => served.push(one) });
  await store.write("/a", text);
  await store.write("/empty", "");
  l.hosts.lose("alpha");
  for (const id of l.hosts.files("beta")) l.hosts.overwrite("beta", id, "y".repeat(text.length));
  expect(await readText(store, "/a")).toBe(text);
  const failed = [
    { host: "alpha", code: "corrupt" },
    { host: "beta", code: "integrity" },
  ];
  expect(served).toEqual([{ path: "/a", bytes: text.length, host: "gamma", failed }]);
  expect((await store.layers.plowshare.hosts()).map(({ name, downloads, errors }) => [name, downloads, errors])).toEqual([
    ["alpha", 0, 1],
    ["beta", 0, 1],
    ["gamma", 1, 0],
  ]);
  // The one that works is asked first now. Where nothing is served, there is nothing to tell.
  expect(await readText(store, "/a")).toBe(text);
  expect(served[1]).toEqual({ path: "/a", bytes: text.length, host: "gamma", failed: [] });
  expect(await readText(store, "/empty")).toBe("");
  l.hosts.lose("gamma");
  await failureOf(readBytes(store, "/a"));
  expect(served).toHaveLength(2);
  expect(await restOf(l)).toEqual(["config", "home"]);
});

test("what the listener of reads throws fails the read, and leaves nothing behind", async () => {
  await using l = await lab();
  const store = l.open({
    onServed: () => {
      throw new Error("the listener failed");
    },
  });
  await store.write("/a", text);
  expect((await failureOf(readBytes(store, "/a"))).cause).toMatchObject({ message: "the listener failed" });
  expect(await restOf(l)).toEqual(["config", "home"]);
});

test("PS4: a file that every host lost is `corrupt`, not `not-found`: the index has it", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ copies: 2 });
  await store.write("/a", text);
  l.hosts.lose("alpha");
  l.hosts.lose("beta");
  const error = await failureOf(readBytes(store, "/a"));
  expect([error.code, error.transient]).toEqual(["corrupt", false]);
  expect((await store.stat("/a")).size).toBe(text.length);
  expect((await store.layers.plowshare.status()).lost).toEqual(["/a"]);
  // One lost, the other only down: there is hope.
  l.hosts.fail("beta", "down", "exit 3");
  expect(await failureOf(readBytes(store, "/a"))).toMatchObject({ code: "unavailable", transient: true });
});

test("PW7: without any link there is nothing to start", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ hosts: ["alpha"] });
  await store.write("/a", text);
  await store.close();
  const other = l.open({ hosts: ["beta"] });
  expect(await other.layers.plowshare.forgetHost("alpha")).toBe(1);
  l.hosts.forgetCalls();
  expect((await failureOf(readBytes(other, "/a"))).code).toBe("corrupt");
  expect(l.hosts.calls()).toEqual([]);
  expect((await failureOf(other.layers.plowshare.forgetHost("beta"))).code).toBe("config");
});

test("PS10: a cut download goes on where the module allows it, in a directory that nobody wrote to", async () => {
  await using l = await lab({ alpha: { resume: true } });
  const store = l.open({ retries: 1 });
  await store.write("/a", text);
  l.hosts.fail("alpha", "down", "cut");
  expect(await readText(store, "/a")).toBe(text);
  expect(l.hosts.calls("plowdown")).toHaveLength(1);
  // Each call had a fresh, empty directory, and none is left.
  const places = l.hosts.calls().map(({ surroundings }) => surroundings["PWD"]);
  expect(new Set(places).size).toBe(places.length);
  expect(await restOf(l)).toEqual(["config", "home"]);
});

test("PW8: names with spaces and all else are the index's, not the host's", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a folder/a name with  spaces.txt", text);
  expect(await readText(store, "/a folder/a name with  spaces.txt")).toBe(text);
});

test("a file that is overwritten while it is read is read again, in one version", async () => {
  await using l = await lab();
  // Room at the host for the removal beside the download.
  const store = l.open({ maxProcesses: 4, maxProcessesPerHost: 4 });
  await store.write("/a", text);
  l.hosts.fail("alpha", "down", "slow 2");
  const reading = readText(store, "/a");
  await expect.poll(() => l.hosts.calls("plowdown").length, { timeout: 60_000, interval: 50 }).toBe(1);
  // Elsewhere it is replaced meanwhile; the link in use is not removed under the reader.
  const other = l.open({ maxProcesses: 4, maxProcessesPerHost: 4 });
  await other.delete("/a");
  expect(await reading).toBe(text);
  await store.layers.plowshare.flush();
  expect(l.hosts.files("alpha")).toEqual([]);
});

test("a large file is read from the disk, and its place goes with the body", async () => {
  await using l = await lab();
  const store = l.open();
  const large = Buffer.alloc(3 << 20, "large ");
  await store.write("/large", large);
  {
    await using result = await store.read("/large");
    for await (const chunk of result) {
      expect(Buffer.from(chunk).equals(large.subarray(0, chunk.byteLength))).toBe(true);
      break;
    }
  }
  expect(Buffer.from(await (await store.read("/large", { range: { offset: -1000 } })).bytes()).equals(large.subarray(-1000))).toBe(true);
  expect(await restOf(l)).toEqual(["config", "home"]);
});
