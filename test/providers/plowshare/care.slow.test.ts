/** Dead links are found and made again; what nobody needs any more is removed at its host, now or later. */
import { expect, test } from "vitest";
import { readText, systemClock } from "../../../src/index.ts";
import type { Clock } from "../../../src/index.ts";
import { failureOf, lab } from "./lab.ts";

const text = "something worth keeping";

/** A clock that can be set, for due times; what sleeps in the background is not woken by it. */
function settable(): Clock & { nowMs: number } {
  return {
    nowMs: 1e12,
    now() {
      return this.nowMs;
    },
    monotonic: systemClock.monotonic,
    sleep: systemClock.sleep,
  };
}

test("PS13: verify tells living links, dead ones and those it learnt nothing of apart", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ copies: 2 });
  const { plowshare } = store.layers;
  await store.write("/a", text);
  await store.write("/b", text);
  expect(await plowshare.verify()).toEqual({ links: 4, alive: 4, dead: 0, damaged: 0, unknown: 0, lost: [] });
  l.hosts.lose("alpha", l.hosts.files("alpha")[0]);
  l.hosts.fail("beta", "probe", "exit 3");
  expect(await plowshare.verify()).toEqual({ links: 4, alive: 2, dead: 1, damaged: 0, unknown: 1, lost: [] });
  for (const garbage of ["nothing", "garbage"]) {
    l.hosts.fail("beta", "probe", garbage);
    expect(await plowshare.verify(), garbage).toMatchObject({ dead: 1, unknown: 1 });
  }
  expect(await plowshare.status()).toMatchObject({ files: 2, contents: 2, links: 4, deadLinks: 1, short: 1, lost: [] });
});

test("a link that was dead and answers again counts again", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", text);
  l.hosts.fail("alpha", "probe", "exit 13");
  expect(await store.layers.plowshare.verify()).toMatchObject({ dead: 1, lost: ["/a"] });
  // Nor is it given up by readers: a host may be wrong.
  expect(await readText(store, "/a")).toBe(text);
  expect(await store.layers.plowshare.status()).toMatchObject({ deadLinks: 0, lost: [] });
});

test("verify compares the bytes where it is asked to, and where the size cannot be right", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ copies: 2 });
  await store.write("/a", text);
  for (const id of l.hosts.files("alpha")) l.hosts.overwrite("alpha", id, "x".repeat(text.length));
  expect(await store.layers.plowshare.verify()).toMatchObject({ alive: 2 });
  expect(await store.layers.plowshare.verify({ deep: true })).toMatchObject({ alive: 1, damaged: 1 });
  // It counts as dead, but is there until another copy stands: a host may give the right bytes the next time.
  await store.layers.plowshare.flush();
  expect([l.hosts.files("alpha").length, (await store.layers.plowshare.status()).deadLinks]).toEqual([1, 1]);
  expect(await store.layers.plowshare.repair()).toMatchObject({ repaired: 1, copies: 1 });
  await store.layers.plowshare.flush();
  expect(l.hosts.files("alpha")).toHaveLength(1);
  for (const id of l.hosts.files("beta")) l.hosts.overwrite("beta", id, "x".repeat(10_000));
  expect(await store.layers.plowshare.verify()).toMatchObject({ alive: 1, damaged: 1, lost: [] });
  expect(await readText(store, "/a")).toBe(text);
});

test("repair makes the missing copy from a living one, at a host that has none, and forgets the dead link", async () => {
  await using l = await lab({ alpha: {}, beta: {}, gamma: {} });
  const store = l.open({ copies: 2 });
  await store.write("/a", text);
  await store.copy("/a", "/b");
  l.hosts.lose("alpha");
  await store.layers.plowshare.verify();
  expect(await store.layers.plowshare.repair()).toEqual({ short: 1, repaired: 1, copies: 1, failed: [] });
  // alpha has failed nothing but this file: which of the two took the copy is its record's choice.
  expect(l.hosts.files("alpha").length + l.hosts.files("gamma").length).toBe(1);
  expect(await store.layers.plowshare.status()).toMatchObject({ links: 2, deadLinks: 0, short: 0 });
  l.hosts.lose("beta");
  expect(await readText(store, "/b")).toBe(text);
  expect(await store.layers.plowshare.repair()).toMatchObject({ repaired: 1 });
});

test("repair goes on after what cannot be repaired, and says which paths", async () => {
  await using l = await lab({ alpha: {}, beta: {} });
  const store = l.open({ copies: 2 });
  await store.write("/lost", text);
  for (const host of ["alpha", "beta"]) l.hosts.lose(host);
  l.hosts.fail("beta", "up", "exit 3");
  await store.write("/short", text);
  await store.layers.plowshare.verify();
  const report = await store.layers.plowshare.repair();
  expect(report).toMatchObject({ short: 2, repaired: 1, copies: 1, failed: [{ path: "/lost", code: "corrupt" }] });
  l.hosts.failAlways("alpha", "up", "exit 3");
  l.hosts.lose("alpha");
  await store.layers.plowshare.verify();
  expect(await store.layers.plowshare.repair()).toMatchObject({ repaired: 0, failed: [{ path: "/lost" }, { path: "/short", code: "unavailable" }] });
  // Nothing was taken away that could still be of use.
  expect(await readText(store, "/short")).toBe(text);
});

test("PS12: a deletion that fails is tried again later, also after a restart; a dead link is gone already", async () => {
  await using l = await lab();
  const clock = settable();
  const store = l.open({ clock });
  await store.write("/a", text);
  await store.write("/b", text);
  l.hosts.failAlways("alpha", "del", "exit 3");
  await store.delete("/a");
  await store.layers.plowshare.flush();
  expect(await store.layers.plowshare.status()).toMatchObject({ files: 1, pendingRemovals: 1, orphans: [] });
  expect(l.hosts.files("alpha")).toHaveLength(2);
  await store.close();
  l.hosts.heal("alpha");
  clock.nowMs += 86_400_000;
  const again = l.open({ clock });
  await again.open();
  await expect.poll(() => l.hosts.files("alpha").length, { timeout: 60_000, interval: 50 }).toBe(1);
  l.hosts.lose("alpha");
  await again.delete("/b");
  await again.layers.plowshare.flush();
  expect(await again.layers.plowshare.status()).toMatchObject({ pendingRemovals: 0, orphans: [] });
});

test("PS12: without a deletion link the copy stays, is counted, and can be tried again or forgotten", async () => {
  await using l = await lab({ alpha: { noCode: true }, beta: {} });
  const store = l.open({ hosts: ["alpha"] });
  const { plowshare } = store.layers;
  await store.write("/a", text);
  await store.delete("/a");
  await plowshare.flush();
  expect(l.hosts.calls("plowdel")).toEqual([]);
  const { orphans } = await plowshare.status();
  expect(orphans).toMatchObject([{ host: "alpha", why: "the host gave no link that deletes it" }]);
  await plowshare.flush({ orphans: true });
  expect((await plowshare.status()).orphans).toHaveLength(1);
  await plowshare.forgetOrphan("orphan", orphans[0]?.id ?? 0);
  expect((await plowshare.status()).orphans).toEqual([]);
  expect((await failureOf(plowshare.forgetOrphan("orphan", 1))).code).toBe("not-found");
  // A wrong code is no matter of time either.
  const other = l.open({ hosts: ["beta"] });
  await other.write("/b", text);
  l.hosts.fail("beta", "del", "exit 12");
  await other.delete("/b");
  await other.layers.plowshare.flush();
  expect((await plowshare.status()).orphans).toMatchObject([{ host: "beta" }]);
});

test("with an account the owner's link is enough", async () => {
  await using l = await lab({ alpha: { noCode: true, login: "ann:pw" } });
  const store = l.open({ credentials: { alpha: "ann:pw" } });
  await store.write("/a", text);
  await store.delete("/a");
  await store.layers.plowshare.flush();
  expect(l.hosts.files("alpha")).toEqual([]);
});

test("links are counted: a copy keeps them, the last file takes them along", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", text);
  await store.copy("/a", "/dir/b");
  await store.copy("/dir", "/dir2");
  await store.move("/dir2/b", "/c");
  expect(l.hosts.calls("plowup")).toHaveLength(1);
  await store.delete("/a");
  await store.delete("/dir", { recursive: true });
  await store.layers.plowshare.flush();
  expect(await readText(store, "/c")).toBe(text);
  await store.write("/c", "other");
  await store.layers.plowshare.flush();
  expect(l.hosts.files("alpha")).toHaveLength(1);
  // Over itself, and over a file of the same bytes.
  await store.copy("/c", "/d");
  await store.move("/c", "/d");
  expect(await readText(store, "/d")).toBe("other");
  expect(l.hosts.files("alpha")).toHaveLength(1);
});

test("the report has the figures of the status", async () => {
  await using l = await lab();
  const store = l.open();
  expect(store.layers.plowshare.report()).toMatchObject({ files: 0, links: 0 });
  await store.write("/a", text);
  expect(store.layers.plowshare.report()).toMatchObject({ files: 1, bytes: text.length, links: 1, deadLinks: 0, pendingRemovals: 0, orphans: 0 });
});

test("a host that gives one link for equal files: removing one file leaves the other's bytes", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", text);
  l.hosts.fail("alpha", "up", "same");
  await store.write("/b", text);
  await store.delete("/b");
  await store.layers.plowshare.flush();
  expect(await readText(store, "/a")).toBe(text);
  expect((await store.layers.plowshare.status()).pendingRemovals).toBe(0);
  await store.delete("/a");
  await store.layers.plowshare.flush();
  expect(l.hosts.files("alpha")).toEqual([]);
});

test("a link that is given again while its removal waits for its turn at the host is not removed", async () => {
  await using l = await lab();
  const store = l.open();
  await store.write("/a", text);
  l.hosts.fail("alpha", "up", "same 2");
  const writing = store.write("/b", text);
  await expect.poll(() => l.hosts.taken("alpha"), { timeout: 60_000, interval: 50 }).toBe(1);
  // Nobody needs the link of /a now; its removal waits for the upload, which is given the same link.
  await store.delete("/a");
  await writing;
  await store.layers.plowshare.flush();
  expect(await readText(store, "/b")).toBe(text);
  expect([l.hosts.files("alpha").length, l.hosts.calls("plowdel").length]).toEqual([1, 0]);
  expect(await store.layers.plowshare.status()).toMatchObject({ links: 1, pendingRemovals: 0, possibleOrphans: [] });
});

test("a link that is given while it is being removed is not believed: the file is uploaded again", async () => {
  await using l = await lab();
  const store = l.open({ maxProcesses: 4, maxProcessesPerHost: 2 });
  await store.write("/a", text);
  l.hosts.fail("alpha", "del", "slow 3");
  await store.delete("/a");
  await expect.poll(() => l.hosts.taken("alpha"), { timeout: 60_000, interval: 50 }).toBe(1);
  l.hosts.fail("alpha", "up", "same");
  await store.write("/b", text);
  await store.layers.plowshare.flush();
  expect(await readText(store, "/b")).toBe(text);
  expect([l.hosts.files("alpha").length, l.hosts.calls("plowup").length]).toEqual([1, 3]);
  expect(await store.layers.plowshare.status()).toMatchObject({ links: 1, pendingRemovals: 0, orphans: [], possibleOrphans: [] });
});
