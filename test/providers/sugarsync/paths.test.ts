/** CF87: from paths to ids. What is remembered stays right after renames and deletions, ours and others'. */
import { expect, test } from "vitest";
import { manualClock, readText } from "../../../src/index.ts";
import type { Node } from "../../servers/sugarsync/index.ts";
import { at } from "./at.ts";
import type { At } from "./at.ts";
import { temporaryIn } from "./subject.ts";

const node = ({ account }: At, ...names: readonly string[]): Node => {
  let found: Node | null = null;
  for (const name of names) found = account.tree.children(found).find((child) => child.name === name) as Node;
  return found as Node;
};

test("after a renamed folder the old path finds nothing, the new one everything, and no listing is needed", async () => {
  await using a = await at({ cacheMs: 60_000 });
  await a.store.write("/top/old/deep/file", "bytes");
  await a.store.move("/top/old", "/top/new");
  a.server.clear();
  await expect(a.store.stat("/top/old/deep/file")).rejects.toMatchObject({ code: "not-found" });
  expect(await readText(a.store, "/top/new/deep/file")).toBe("bytes");
  expect(a.server.lines.filter((line) => line.endsWith("/contents"))).toEqual([]);
});

test("after a deleted folder a new one of the same name is empty", async () => {
  await using a = await at({ cacheMs: 60_000 });
  await a.store.write("/top/d/x/file", "old");
  await a.store.delete("/top/d", { recursive: true });
  await a.store.mkdir("/top/d");
  await expect(readText(a.store, "/top/d/x/file")).rejects.toMatchObject({ code: "not-found" });
  await a.store.write("/top/d/x/file", "new");
  expect(await readText(a.store, "/top/d/x/file")).toBe("new");
  expect(a.account.tree.children(a.account.tree.deleted).map(({ name }) => name)).toEqual(["d"]);
});

test("what another program renamed is seen after cacheMs, and at once by a fresh question", async () => {
  const clock = manualClock();
  await using a = await at({ clock, cacheMs: 1000 });
  await a.store.write("/top/d/file", "one");
  a.account.tree.update(node(a, "top", "d"), "e", undefined);
  await expect(a.store.stat("/top/d/file", { fresh: true })).rejects.toMatchObject({ code: "not-found" });
  expect(await readText(a.store, "/top/e/file")).toBe("one");
  a.account.tree.update(node(a, "top", "e"), "f", undefined);
  await clock.advance(1001);
  await expect(a.store.stat("/top/e/file")).rejects.toMatchObject({ code: "not-found" });
  expect(await readText(a.store, "/top/f/file")).toBe("one");
});

test("a write into a folder that another program put into Deleted Files makes a new folder", async () => {
  const clock = manualClock();
  await using a = await at({ clock });
  await a.store.write("/top/d/one", "1");
  a.account.tree.update(node(a, "top", "d"), undefined, a.account.tree.deleted);
  await clock.advance(1001);
  await a.store.write("/top/d/two", "2");
  expect((await a.other().list("/top/d").toArray()).map(({ path }) => path)).toEqual(["/top/d/two"]);
});

test("a file that another program gave a new name is not deleted under it", async () => {
  await using a = await at({ cacheMs: 60_000 });
  await a.store.write("/top/a", "precious");
  a.account.tree.update(node(a, "top", "a"), "b", undefined);
  await a.store.delete("/top/a");
  expect(await readText(a.other(), "/top/b")).toBe("precious");
  await a.store.write("/top/a", "another");
  expect(await readText(a.other(), "/top/b")).toBe("precious");
});

test("several files of one name: the newest is the file, is listed once, and all go together", async () => {
  let now = Date.UTC(2026, 0, 1);
  await using a = await at({}, { duplicates: "made", now: () => now });
  await a.store.mkdir("/top");
  const parent = node(a, "top");
  for (const text of ["old", "newer"]) {
    now += 60_000;
    a.account.tree.addVersion(a.account.tree.create("file", "a", parent), [Buffer.from(text)]);
  }
  expect(await readText(a.store, "/top/a")).toBe("newer");
  expect((await a.store.list("/top").toArray()).map(({ path, size }) => [path, size])).toEqual([["/top/a", 5]]);
  await a.store.write("/top/a", "ours");
  expect(a.account.tree.children(parent)).toHaveLength(1);
  now += 60_000;
  a.account.tree.addVersion(a.account.tree.create("file", "A", parent), [Buffer.from("theirs")]);
  // They are seen where the folder is listed: a connection that knows one of them by its id asks for that one.
  await a.other().delete("/top/a");
  await expect(a.store.stat("/top/a", { fresh: true })).rejects.toMatchObject({ code: "not-found" });
});

test.each([403, 429, 503, 500])(
  "an older file that a move cannot take away (%i) is told and is there at once, and no second try moves it over the newer one",
  async (status) => {
    let now = Date.UTC(2026, 0, 1);
    await using a = await at({ cacheMs: 0, random: () => 0 }, { duplicates: "made", now: () => now });
    await a.store.write("/top/d/other", "other");
    const parent = node(a, "top");
    const [older, newer] = ["older", "newer"].map((text) => {
      now += 60_000;
      const made = a.account.tree.create("file", "a", parent);
      a.account.tree.addVersion(made, [Buffer.from(text)]);
      return made;
    }) as [Node, Node];
    expect(await readText(a.store, "/top/a")).toBe("newer");
    a.server.fail(({ method, path }) => (method === "PUT" && path.endsWith(older.id) ? { status } : undefined));
    await expect(a.store.move("/top/a", "/top/d/b")).rejects.toMatchObject({
      code: "conflict",
      applied: "partly",
      partial: { done: 1, at: "/top/a" },
      transient: false,
    });
    a.server.fail(undefined);
    expect(await readText(a.store, "/top/a")).toBe("older");
    expect(await readText(a.store, "/top/d/b")).toBe("newer");
    expect(newer.name).toBe("b");
  },
);

test("two folders of one name are a conflict that waits for the user: neither hides what is in the other", async () => {
  await using a = await at({}, { duplicates: "made" });
  await a.store.mkdir("/top/d");
  a.account.tree.create("folder", "D", node(a, "top"));
  await expect(a.other().stat("/top/d/x")).rejects.toMatchObject({ code: "conflict", transient: false });
});

test("folders that many calls need at once are made once", async () => {
  await using a = await at({}, { duplicates: "made" });
  await Promise.all(Array.from({ length: 8 }, (_, i) => a.store.write(`/top/a/b/${i}`, String(i))));
  expect(a.account.tree.children(null).filter(({ name }) => name === "top")).toHaveLength(1);
  expect(a.account.tree.children(node(a, "top"))).toHaveLength(1);
  expect(a.account.tree.children(node(a, "top", "a", "b"))).toHaveLength(8);
});

test("case alone: another spelling is the same file, and a move changes it", async () => {
  await using a = await at();
  await a.store.write("/top/Name", "x");
  expect(await readText(a.store, "/TOP/nAME")).toBe("x");
  await a.store.move("/top/Name", "/top/NAME");
  expect((await a.store.list("/top").toArray()).map(({ path }) => path)).toEqual(["/top/NAME"]);
  // Names whose folding changes their length are left apart.
  await a.store.write("/top/straße", "sharp");
  await expect(a.store.stat("/top/strasse")).rejects.toMatchObject({ code: "not-found" });
});

test.each(["before", "after"] as const)(
  "another spelling whose answer is lost (%s the service did it), and the look after it: the file is where it was",
  async (hangUp) => {
    await using a = await at({ random: () => 0 });
    await a.store.write("/top/Name", "x");
    let after = -1;
    a.server.fail(({ method }) => {
      if (method !== "PUT" && after < 0) return undefined;
      after++;
      return after === 0 ? { hangUp } : after === 1 ? { status: 500 } : undefined;
    });
    await expect(a.store.move("/top/Name", "/top/NAME")).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
    expect(a.account.tree.children(node(a, "top")).map(({ name }) => name)).toEqual(["Name"]);
    expect(await readText(a.store, "/top/Name")).toBe("x");
  },
);

test("and where it cannot be moved back, the error says under which name it may lie", async () => {
  await using a = await at({ random: () => 0 });
  await a.store.write("/top/Name", "x");
  let isDown = false;
  a.server.fail(({ method }) => {
    const isFirst = method === "PUT" && !isDown;
    isDown ||= isFirst;
    return isFirst ? { hangUp: "after" } : isDown ? { status: 500 } : undefined;
  });
  const error: unknown = await a.store.move("/top/Name", "/top/NAME").catch((thrown: unknown) => thrown);
  const [between] = temporaryIn(a.account);
  expect(error).toMatchObject({
    code: "conflict",
    applied: "partly",
    transient: false,
    reason: expect.stringContaining(`may be there as ${between}`) as string,
  });
});

test("the root shows the sync folders without Deleted Files, and takes no files", async () => {
  await using a = await at({}, { magicBriefcase: true });
  expect((await a.store.list("/").toArray()).map(({ path, kind }) => [path, kind])).toEqual([["/Magic Briefcase", "directory"]]);
  a.server.clear();
  await expect(a.store.write("/file", "x")).rejects.toMatchObject({ code: "invalid-path" });
  expect(a.server.lines).toEqual([]);
  await a.store.write("/Magic Briefcase/file", "x");
  await expect(a.store.move("/Magic Briefcase/file", "/file")).rejects.toMatchObject({ code: "invalid-path" });
  await expect(a.store.copy("/Magic Briefcase/file", "/file")).rejects.toMatchObject({ code: "invalid-path" });
});

test("sync folders cannot be moved by the service: their trees move all the same", async () => {
  await using a = await at();
  await a.store.write("/one/d/file", "x");
  await a.store.move("/one", "/two");
  expect(await readText(a.other(), "/two/d/file")).toBe("x");
  await a.store.move("/two/d", "/three");
  expect(await readText(a.other(), "/three/file")).toBe("x");
  expect((await a.other().list("/").toArray()).map(({ path }) => path).sort()).toEqual(["/three", "/two"]);
});
