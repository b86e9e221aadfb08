/** Writes: what an upload must have given before a file is there, several hosts, and who is asked first. */
import { expect, test } from "vitest";
import { readBytes } from "../../../src/index.ts";
import { failureOf, lab } from "./lab.ts";

const bytes = Buffer.from("the bytes of a file");

test("PS1, PS2: a write is there with link, delete link and admin code, whatever a module prints beside them", async () => {
  await using l = await lab();
  const store = l.open();
  l.hosts.fail("alpha", "up", "chatter");
  const entry = await store.write("/a b/ü.txt", bytes);
  expect(entry.size).toBe(bytes.length);
  expect(await readBytes(store, "/a b/ü.txt")).toEqual(new Uint8Array(bytes));
  expect(l.hosts.files("alpha")).toHaveLength(1);
  // The delete link is known: it works.
  await store.delete("/a b/ü.txt");
  await store.layers.plowshare.flush();
  expect(l.hosts.files("alpha")).toEqual([]);
});

test("PS3: exit 0 without a link is a failure, and nothing is stored", async () => {
  await using l = await lab();
  const store = l.open();
  for (const fault of ["no-url", "garbage", "silent"]) {
    l.hosts.fail("alpha", "up", fault);
    const error = await failureOf(store.write("/a.txt", bytes));
    expect([error.code, error.applied], fault).toEqual(["unknown", false]);
  }
  expect((await failureOf(store.stat("/a.txt"))).code).toBe("not-found");
  expect((await store.layers.plowshare.status()).links).toBe(0);
});

test("PS3: names that the commands skip, split or break never reach them, and empty files no host", async () => {
  await using l = await lab();
  const store = l.open();
  const names = [
    "a:b.txt",
    "back\\slash",
    "new\nline",
    'quo"te',
    "semi;colon,comma",
    "-r",
    "x".repeat(300),
    "http://in.side/http://out",
    " ",
    "%25",
    "tab\tbed",
  ];
  for (const name of names) await store.write(`/${name.replaceAll("/", "∕")}`, `bytes of ${name}`);
  await store.write("/empty", "");
  expect((await store.list("/").toArray()).map(({ path }) => path)).toHaveLength(names.length + 1);
  for (const name of names) expect(Buffer.from(await readBytes(store, `/${name.replaceAll("/", "∕")}`)).toString()).toBe(`bytes of ${name}`);
  expect(await readBytes(store, "/empty")).toEqual(new Uint8Array(0));
  const calls = l.hosts.calls("plowup");
  expect(calls).toHaveLength(names.length);
  for (const { args } of calls) expect(args.at(-1)).toMatch(/^[a-z0-9]{20}\.bin$/);
  // PS12: nor is a command needed to take the empty one away.
  const before = l.hosts.calls().length;
  await store.delete("/empty");
  await store.layers.plowshare.flush();
  expect(l.hosts.calls()).toHaveLength(before);
});

test("several links for one file are a failure, and all of them are removed", async () => {
  await using l = await lab();
  const store = l.open();
  l.hosts.fail("alpha", "up", "twice");
  expect((await failureOf(store.write("/a", bytes))).code).toBe("unknown");
  await store.layers.plowshare.flush();
  expect(l.hosts.files("alpha")).toEqual([]);
});

test("a link that was printed before the failure is removed at its host", async () => {
  await using l = await lab();
  const store = l.open();
  l.hosts.fail("alpha", "up", "late 3");
  expect((await failureOf(store.write("/a", bytes))).code).toBe("unavailable");
  await store.layers.plowshare.flush();
  expect(l.hosts.files("alpha")).toEqual([]);
  expect((await store.layers.plowshare.status()).pendingRemovals).toBe(0);
});

test("PW3, PW4: as many copies as wanted at different hosts, and no upload more", async () => {
  await using l = await lab({ alpha: {}, beta: {}, gamma: {} });
  const store = l.open({ copies: 2, maxProcesses: 4 });
  await store.write("/a", bytes);
  expect(["alpha", "beta", "gamma"].map((host) => l.hosts.files(host).length)).toEqual([1, 1, 0]);
  expect(l.hosts.calls("plowup")).toHaveLength(2);
});

test("PW3: copies are uploaded side by side", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ copies: 2 });
  // Each waits for nothing but itself: one after the other, the second would not have begun when the first is still asleep.
  l.hosts.fail("alpha", "up", "slow 2");
  l.hosts.fail("beta", "up", "slow 2");
  const done = store.write("/a", bytes);
  await expect.poll(() => l.hosts.calls("plowup").length, { timeout: 60_000, interval: 50 }).toBe(2);
  expect([...l.hosts.files("alpha"), ...l.hosts.files("beta")]).toEqual([]);
  await done;
});

test("PW4: the next host takes the place of one that fails; fewer than minCopies is an error, and what was made is removed", async () => {
  await using l = await lab({ alpha: {}, beta: {}, gamma: {} });
  const store = l.open({ copies: 2, minCopies: 2 });
  l.hosts.fail("alpha", "up", "exit 3");
  await store.write("/a", bytes);
  expect(["alpha", "beta", "gamma"].map((host) => l.hosts.files(host).length)).toEqual([0, 1, 1]);
  for (const host of ["alpha", "beta"]) l.hosts.failAlways(host, "up", "exit 12");
  const error = await failureOf(store.write("/b", bytes));
  expect([error.code, error.applied]).toEqual(["permission-denied", false]);
  expect((await failureOf(store.stat("/b"))).code).toBe("not-found");
  await store.layers.plowshare.flush();
  expect(["beta", "gamma"].map((host) => l.hosts.files(host).length)).toEqual([1, 1]);
});

test("PW2: only listed hosts get new copies", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ hosts: ["beta"] });
  await store.write("/a", bytes);
  expect([l.hosts.files("alpha").length, l.hosts.files("beta").length]).toEqual([0, 1]);
});

test("PW1: equals are taken at random, all different; more copies than hosts are refused", async () => {
  await using l = await lab({ alpha: {}, beta: {}, gamma: {} });
  const chances = [0.9, 0.1, 0.5];
  const store = l.open({ copies: 2, random: () => chances[l.hosts.calls("plowup").length === 0 ? turn++ % 3 : 0] ?? 0 });
  let turn = 0;
  await store.write("/a", bytes);
  expect(["alpha", "beta", "gamma"].reduce((sum, host) => sum + l.hosts.files(host).length, 0)).toBe(2);
  expect(["alpha", "beta", "gamma"].every((host) => l.hosts.files(host).length <= 1)).toBe(true);
  expect(() => l.open({ copies: 4 })).toThrow(/copies is a whole number from 1 to 3/);
});

test("PW5: who failed least is asked first, also after a restart, and an old failure weighs less", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  let nowMs = 1e12;
  const clock = { now: () => nowMs, monotonic: () => performance.now(), sleep: (await import("../../../src/index.ts")).systemClock.sleep };
  const store = l.open({ copies: 1, clock });
  l.hosts.fail("alpha", "up", "exit 3");
  await store.write("/a", bytes);
  await store.write("/b", bytes);
  expect([l.hosts.files("alpha").length, l.hosts.files("beta").length]).toEqual([0, 2]);
  await store.close();
  const again = l.open({ copies: 1, clock });
  await again.write("/c", bytes);
  expect(l.hosts.files("beta")).toHaveLength(3);
  expect(await again.layers.plowshare.hosts()).toMatchObject([
    { name: "alpha", errors: 1, lastError: "unavailable", links: 0 },
    { name: "beta", errors: 0, links: 3 },
  ]);
  // beta fails now: the younger failure counts more.
  nowMs += 86_400_000;
  l.hosts.fail("beta", "up", "exit 3");
  l.hosts.fail("alpha", "up", "exit 3");
  await failureOf(again.write("/d", bytes));
  nowMs += 20 * 86_400_000;
  await again.write("/e", bytes);
  expect(l.hosts.files("alpha")).toHaveLength(1);
});

test("PS4: a host that takes no such size is asked last for it, and it is not its fault", async () => {
  await using l = await lab({ alpha: { limit: 1000 }, beta: {} });
  const store = l.open({ copies: 1 });
  await store.write("/big", Buffer.alloc(2000, 1));
  await store.write("/big2", Buffer.alloc(3000, 1));
  expect(l.hosts.calls("plowup").map(({ args }) => args.at(-2))).toEqual(["alpha", "beta", "beta"]);
  await store.write("/small", Buffer.alloc(10, 1));
  expect(l.hosts.files("alpha")).toHaveLength(1);
  const only = l.open({ hosts: ["alpha"] });
  expect((await failureOf(only.write("/big3", Buffer.alloc(2000, 1)))).code).toBe("too-large");
});

test("PS22, PS29: a captcha and an upload that comes later are refused, never waited for", async () => {
  await using l = await lab({ asks: { captcha: true } });
  const store = l.open();
  const error = await failureOf(store.write("/a", bytes));
  expect([error.code, error.applied]).toEqual(["unsupported", false]);
  l.hosts.fail("asks", "up", "exit 16");
  expect((await failureOf(store.write("/a", bytes))).code).toBe("unsupported");
  // It may come yet: that is said.
  expect((await store.layers.plowshare.status()).possibleOrphans).toMatchObject([{ host: "asks", bytes: bytes.length }]);
});

test("an aborted upload ends its processes, stores nothing, and is named as a possible orphan", async () => {
  await using l = await lab();
  const store = l.open();
  l.hosts.fail("alpha", "up", "hang");
  const stop = new AbortController();
  const done = failureOf(store.write("/a", bytes, { signal: stop.signal }));
  await expect.poll(() => l.hosts.taken("alpha"), { timeout: 60_000, interval: 50 }).toBe(1);
  stop.abort(new Error("enough"));
  const error = await done;
  expect([error.code, error.applied]).toEqual(["aborted", false]);
  const { possibleOrphans, links } = await store.layers.plowshare.status();
  expect([possibleOrphans.length, links]).toEqual([1, 0]);
  await store.layers.plowshare.forgetOrphan("possible", possibleOrphans[0]?.id ?? 0);
  expect((await store.layers.plowshare.status()).possibleOrphans).toEqual([]);
  // The host is free again.
  await store.write("/a", bytes);
});

test("an upload that failed without a link, when the host may have the file, is named as a possible orphan; a refusal is not", async () => {
  await using l = await lab();
  const store = l.open();
  const landed = [0, 1, 3, 5, 6, 8, 13, 99];
  for (const code of landed) {
    l.hosts.fail("alpha", "up", `silent ${code}`);
    expect((await failureOf(store.write("/a", bytes))).applied, String(code)).toBe(false);
  }
  for (const code of [2, 4, 7, 11, 12, 14, 15, 17, 126, 127]) {
    l.hosts.fail("alpha", "up", `exit ${code}`);
    expect((await failureOf(store.write("/a", bytes))).applied, String(code)).toBe(false);
  }
  expect((await failureOf(store.stat("/a"))).code).toBe("not-found");
  const { possibleOrphans, links } = await store.layers.plowshare.status();
  expect([l.hosts.files("alpha").length, possibleOrphans.length, links]).toEqual([landed.length, landed.length, 0]);
  expect(possibleOrphans[0]).toMatchObject({ host: "alpha", bytes: bytes.length, name: expect.stringMatching(/^[a-z0-9]{20}\.bin$/) });
});

test("an upload that was tried again: each try has a name of its own, and what the first may have left is known", async () => {
  await using l = await lab();
  const store = l.open({ retries: 2, random: Math.random });
  l.hosts.fail("alpha", "up", "silent 3");
  l.hosts.fail("alpha", "up", "silent 1");
  await store.write("/a", bytes);
  const names = l.hosts.calls("plowup").map(({ args }) => args.at(-1));
  expect(new Set(names).size).toBe(3);
  expect((await store.layers.plowshare.status()).possibleOrphans.map(({ name }) => name)).toEqual(names.slice(0, 2));
  expect(Buffer.from(await readBytes(store, "/a"))).toEqual(bytes);
  // So often and no more; a refusal is not tried again.
  l.hosts.forgetCalls();
  l.hosts.fail("alpha", "up", "exit 3", 3);
  expect((await failureOf(store.write("/b", bytes))).code).toBe("unavailable");
  l.hosts.fail("alpha", "up", "exit 12");
  expect((await failureOf(store.write("/b", bytes))).code).toBe("permission-denied");
  expect(l.hosts.calls("plowup")).toHaveLength(4);
});
