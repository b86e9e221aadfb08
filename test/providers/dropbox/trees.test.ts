/** CF76: copies, moves, deletions and names: what Dropbox does not do by itself, and what it calls done and does not do. */
import { expect, test } from "vitest";
import { manualClock } from "../../../src/store/index.ts";
import { dropboxAt } from "./at.ts";

test("a rename that only changes the spelling: Dropbox calls it done and does nothing", async () => {
  await using at = await dropboxAt();
  await at.store.write("/dir/Report.txt", "x");
  at.asked();
  const moved = await at.store.move("/dir/Report.txt", "/dir/REPORT.txt");
  expect(moved.path).toBe("/dir/REPORT.txt");
  expect(at.asked()).toEqual(["files/move_v2", "files/move_v2", "files/move_v2"]);
  expect((await at.store.list("/dir").toArray()).map(({ path }) => path)).toEqual(["/dir/REPORT.txt"]);
  expect(await (await at.store.read("/dir/REPORT.txt")).text()).toBe("x");
});

test("the same for a folder with all that is in it; where only a parent is spelt otherwise nothing is to do", async () => {
  await using at = await dropboxAt();
  await at.store.write("/Top/in/file", "x");
  await at.store.move("/Top", "/top");
  expect((await at.store.list("/", { recursive: true }).toArray()).map(({ path }) => path)).toEqual(["/top", "/top/in", "/top/in/file"]);
  at.asked();
  await at.store.move("/top/in/file", "/TOP/in/file");
  expect(at.asked()).toEqual(["files/move_v2"]);
});

test("a spelling that stops half way is taken back", async () => {
  await using at = await dropboxAt();
  await at.store.write("/File", "x");
  at.server.fail({ route: "files/move_v2", when: ({ to_path: to }) => to === "/FILE" && at.server.routes.length > 3 }, { status: 500, body: "no" });
  await expect(at.store.move("/File", "/FILE")).rejects.toMatchObject({ code: "unavailable", applied: false });
  expect((await at.store.list("/").toArray()).map(({ path }) => path)).toEqual(["/File"]);
});

test("a copy onto another spelling of itself does nothing", async () => {
  await using at = await dropboxAt();
  await at.store.write("/File", "x");
  expect((await at.store.copy("/File", "/FILE")).path).toBe("/FILE");
  expect(at.asked()).not.toContain("files/delete_v2");
  expect(await (await at.store.read("/file")).text()).toBe("x");
});

test("over a file: the old one goes in the version that was seen, and is back if the rest fails", async () => {
  await using at = await dropboxAt();
  await at.store.write("/from", "new");
  await at.store.write("/to", "old");
  let moves = 0;
  at.server.fail({ route: "files/move_v2", when: () => ++moves === 2 }, { status: 500, body: "no" });
  await expect(at.store.move("/from", "/to")).rejects.toMatchObject({ code: "unavailable" });
  expect(await (await at.store.read("/to")).text()).toBe("old");
  expect(await (await at.store.read("/from")).text()).toBe("new");
  expect(at.server.log.find(({ route }) => route === "files/delete_v2")?.args).toHaveProperty("parent_rev");
  await at.store.move("/from", "/to");
  expect(await (await at.store.read("/to")).text()).toBe("new");
});

test("if it cannot be put back the error says where it is", async () => {
  await using at = await dropboxAt();
  await at.store.write("/from", "new");
  await at.store.write("/to", "old");
  let copies = 0;
  at.server.fail({ route: "files/copy_v2", when: () => ++copies === 2 }, { status: 500, body: "no" });
  at.server.fail({ route: "files/restore" }, { status: 500, body: "no" });
  await expect(at.store.copy("/from", "/to")).rejects.toMatchObject({ applied: "unknown", reason: expect.stringContaining("deleted files") as string });
});

test("the answer to a move over a file was lost: it is seen that it happened", async () => {
  await using at = await dropboxAt();
  await at.store.write("/from", "new");
  await at.store.write("/to", "old");
  let moves = 0;
  at.server.fail({ route: "files/move_v2", when: () => ++moves === 2 }, { cut: "after" });
  expect((await at.store.move("/from", "/to")).size).toBe(3);
  expect(await (await at.store.read("/to")).text()).toBe("new");
});

const FAILED = { status: 502, body: "bad gateway", done: true } as const;

test("a failure between us and the service says nothing: a move over a file that happened has happened", async () => {
  await using at = await dropboxAt();
  await at.store.write("/from", "new");
  await at.store.write("/to", "old");
  let moves = 0;
  at.server.fail({ route: "files/move_v2", when: () => ++moves === 2 }, FAILED);
  at.asked();
  expect((await at.store.move("/from", "/to")).size).toBe(3);
  expect(at.asked()).not.toContain("files/restore");
  expect(await (await at.store.read("/to")).text()).toBe("new");
  await expect(at.store.stat("/from")).rejects.toMatchObject({ code: "not-found" });
});

test("and where even that could not be seen, the file that was moved comes back over the one that was put back", async () => {
  await using at = await dropboxAt();
  await at.store.write("/from", "new");
  await at.store.write("/to", "old");
  const moves = (): number => at.server.routes.filter((route) => route === "files/move_v2").length;
  let tried = 0;
  at.server.fail({ route: "files/move_v2", when: () => ++tried === 2 }, FAILED);
  at.server.fail({ route: "files/get_metadata", when: () => moves() === 2 }, { status: 502, body: "bad gateway" });
  expect((await at.store.move("/from", "/to")).size).toBe(3);
  expect(at.asked().filter((route) => route === "files/restore")).toHaveLength(2);
  expect(await (await at.store.read("/to")).text()).toBe("new");
});

test("a move over a file that is given up while it happens: it has happened", async () => {
  await using at = await dropboxAt();
  await at.store.write("/from", "new");
  await at.store.write("/to", "old");
  const caller = new AbortController();
  let moves = 0;
  const store = at.open({
    async fetch(url, init) {
      if (!(typeof url === "string" && url.endsWith("move_v2") && ++moves === 2)) return at.server.fetch()(url, init);
      const { signal, ...rest } = init ?? {};
      await at.server.fetch()(url, rest);
      caller.abort();
      return new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason as Error)));
    },
  });
  const outcome = await store.move("/from", "/to", { signal: caller.signal }).catch((error: unknown) => error);
  expect(outcome).toMatchObject(outcome instanceof Error ? { code: "aborted", applied: "unknown" } : { size: 3 });
  while (at.server.routes.at(-1) !== "files/get_metadata") await new Promise((done) => setTimeout(done, 5));
  await expect(at.store.stat("/from")).rejects.toMatchObject({ code: "not-found" });
  expect(await (await at.store.read("/to")).text()).toBe("new");
});

test("the deletion that makes room happened, and its answer was lost: what was there is back", async () => {
  await using at = await dropboxAt();
  for (const failure of [FAILED, { cut: "after" }] as const) {
    await at.store.write("/from", "new");
    await at.store.write("/to", "old");
    at.server.fail({ route: "files/delete_v2" }, failure);
    await expect(at.store.move("/from", "/to")).rejects.toMatchObject({ code: "unavailable", applied: false });
    expect(await (await at.store.read("/to")).text()).toBe("old");
    expect(await (await at.store.read("/from")).text()).toBe("new");
    at.server.fail({ route: "files/delete_v2" }, failure);
    await expect(at.store.write("/to", "old", { modifiedMs: 1_000_000_000_000 })).rejects.toMatchObject({ code: "unavailable", applied: false });
    expect(await (await at.store.read("/to")).text()).toBe("old");
  }
});

test("a deletion that has not happened yet finds another version when it comes late", async () => {
  await using at = await dropboxAt();
  await at.store.write("/from", "new");
  const { etag } = await at.store.write("/to", "old");
  at.server.fail({ route: "files/delete_v2" }, { cut: "before" });
  await expect(at.store.copy("/from", "/to")).rejects.toMatchObject({ code: "unavailable", applied: false });
  expect((await at.store.stat("/to")).etag).not.toBe(etag);
  expect(await (await at.store.read("/to")).text()).toBe("old");
});

test("the first step of a rename that changes the spelling happened, and a failure was answered: it is taken back", async () => {
  await using at = await dropboxAt();
  await at.store.write("/File", "x");
  at.server.fail({ route: "files/move_v2", when: ({ to_path: to }) => typeof to === "string" && to.endsWith(".tmp") }, FAILED);
  await expect(at.store.move("/File", "/FILE")).rejects.toMatchObject({ code: "unavailable", applied: false });
  expect((await at.store.list("/").toArray()).map(({ path }) => path)).toEqual(["/File"]);
});

test("somebody else writes into the namespace, and the service names no time: a second", async () => {
  const clock = manualClock(Date.now());
  await using at = await dropboxAt({ clock });
  const body = { error: { ".tag": "path", reason: { ".tag": "too_many_write_operations" } } };
  at.server.fail({ route: "files/upload" }, { status: 409, body });
  await expect(at.store.write("/file", "x")).rejects.toMatchObject({ code: "rate-limited", retryAfterMs: 1000, applied: false });
  at.asked();
  let done = false;
  const written = at.store.write("/file", "x").then(() => (done = true));
  await clock.advance(999);
  expect([done, at.asked()]).toEqual([false, []]);
  await clock.advance(1);
  await written;
});

test("what was just made is hidden from a move for a while: asked again until it shows", async () => {
  const clock = manualClock(Date.now());
  await using at = await dropboxAt({ clock });
  at.account.tree.hideMs = 3000;
  await at.store.write("/new", "x");
  let done = false;
  const moved = at.store.move("/new", "/moved").then(() => (done = true));
  while (at.server.routes.length < 3) await clock.advance(0);
  expect(done).toBe(false);
  at.server.advance(3000);
  for (let i = 0; i < 50 && !done; i++) await clock.advance(500);
  await moved;
});

test("a missing source leaves the target alone, and is asked for by one request and a look", async () => {
  await using at = await dropboxAt();
  await at.store.write("/to", "old");
  at.asked();
  await expect(at.store.move("/none", "/to")).rejects.toMatchObject({ code: "not-found", applied: false });
  expect(at.asked()).toEqual(["files/move_v2", "files/get_metadata"]);
});

test("a file is deleted in the version that was seen; one that changed meanwhile is looked at again", async () => {
  await using at = await dropboxAt();
  await at.store.write("/file", "1");
  const body = { error: { ".tag": "path_write", path_write: { ".tag": "conflict", conflict: { ".tag": "file" } } } };
  at.server.fail({ route: "files/delete_v2" }, { status: 409, body });
  await at.store.delete("/file");
  expect(at.asked().slice(1)).toEqual(["files/get_metadata", "files/delete_v2", "files/get_metadata", "files/delete_v2"]);
});

test("a tree of more than Dropbox deletes at once goes child by child", async () => {
  await using at = await dropboxAt();
  await at.store.write("/big/a/1", "1");
  await at.store.write("/big/b", "2");
  const many = { error: { ".tag": "too_many_files" } };
  at.server.fail({ route: "files/delete_v2", when: ({ path }) => path === "/big" }, { status: 409, body: many });
  await at.store.delete("/big", { recursive: true });
  await expect(at.store.stat("/big")).rejects.toMatchObject({ code: "not-found" });
});

test("names that Dropbox refuses are tokens there, and come back as they were", async () => {
  await using at = await dropboxAt();
  const names = [
    "a\\b",
    "del\u007f",
    "space ",
    "Thumbs.db",
    ".DS_Store",
    "icon\r",
    "%{5C}",
    ".dropbox",
    ".stratus-0123456789abcdefghij.tmp",
    "tab\there",
    "ü",
    "日本",
  ];
  for (const name of names) await at.store.write(`/n/${name}`, name);
  expect((await at.store.list("/n").toArray()).map(({ path }) => path.slice(3)).sort()).toEqual([...names].sort());
  for (const name of names) expect(await (await at.store.read(`/n/${name}`)).text()).toBe(name);
});

test("a name that this store never writes is no part of it, and keeps its directory from being empty", async () => {
  await using at = await dropboxAt();
  at.account.tree.put("/d/%{61}%{5C}", { chunks: [], clientModified: "2020-01-01T00:00:00Z" });
  at.account.tree.put("/d/.stratus-0123456789abcdefghij.tmp", { chunks: [], clientModified: "2020-01-01T00:00:00Z" });
  expect((await at.store.list("/d").toArray()).map(({ path }) => path)).toEqual(["/d/%{61}\\"]);
});

test("a document that can only be exported is listed without a size, and not read", async () => {
  await using at = await dropboxAt();
  at.account.tree.put("/notes.paper", { chunks: [Buffer.from("x")], clientModified: "2020-01-01T00:00:00Z", downloadable: false });
  expect(await at.store.stat("/notes.paper")).toMatchObject({ kind: "file", size: null });
  await expect(at.store.read("/notes.paper")).rejects.toMatchObject({ code: "unsupported" });
});

test("a missing root is config on every verb, and nobody makes it but createRoot", async () => {
  await using at = await dropboxAt({ root: "/Not/There" });
  const { store } = at;
  await at.open().write("/elsewhere", "x");
  const calls: readonly (() => Promise<unknown>)[] = [
    () => store.stat("/"),
    () => store.stat("/a"),
    () => store.read("/a"),
    () => store.write("/a", "x"),
    () => store.list("/").toArray(),
    () => store.delete("/a"),
    () => store.mkdir("/a"),
    () => store.copy("/a", "/b"),
    () => store.move("/a", "/b"),
  ];
  for (const call of calls) await expect(call(), call.toString()).rejects.toMatchObject({ code: "config", applied: false });
  expect(at.account.tree.at("/Not")).toBeUndefined();
  expect(await at.open({ root: "/New", createRoot: true }).list("/").toArray()).toEqual([]);
  await at.open({ root: "/Not/There", createRoot: true }).write("/a", "x");
  expect(at.account.tree.at("/Not/There/a")).toBeDefined();
  expect((await store.stat("/a")).size).toBe(1);
});
