/** Over a flat service a file and things below it may stand side by side: the cache hides neither, and above all deletes neither. */
import { expect, test } from "vitest";
import { manualClock, readText } from "../../../src/store/index.ts";
import { code, paths } from "../at.ts";
import { flat, quiet } from "./bench.ts";

for (const mode of ["write-back", "write-through"] as const)
  for (const sent of mode === "write-back" ? [false, true] : [true])
    test(`${mode}: what lies below a file that was written here is read, listed and deleted${sent ? "" : ", before the file is sent too"}`, async () => {
      await using b = flat({ mode });
      await b.base.write("/x/dir/inside", "below");
      await b.store.write("/x/dir", "file");
      if (sent) await b.cache.flush();
      for (let round = 0; round < 2; round++) {
        expect(await readText(b.store, "/x/dir/inside")).toBe("below");
        expect(await readText(b.store, "/x/dir")).toBe("file");
        await quiet();
      }
      expect((await b.store.stat("/x/dir/inside")).size).toBe(5);
      expect(await paths(b.store, "/x/dir")).toEqual(["/x/dir/inside"]);
      expect((await paths(b.store, "/x")).filter((path) => path === "/x/dir")).not.toEqual([]);
      expect(await paths(b.store, "/x", true)).toContain("/x/dir/inside");
      await b.store.delete("/x/dir/inside");
      expect(await code(readText(b.store, "/x/dir/inside"))).toBe("not-found");
      expect(await readText(b.store, "/x/dir")).toBe("file");
      await b.cache.flush();
      expect(await readText(b.base, "/x/dir")).toBe("file");
      expect(await code(b.base.read("/x/dir/inside"))).toBe("not-found");
    });

test("written through below a file, both stay", async () => {
  await using b = flat({ mode: "write-through" });
  await b.store.write("/x/dir", "file");
  await b.store.write("/x/dir/inside", "below");
  await b.cache.flush();
  for (const store of [b.store, b.base]) {
    expect(await readText(store, "/x/dir")).toBe("file");
    expect(await readText(store, "/x/dir/inside")).toBe("below");
  }
});

test("a write below a file that is known here is refused, and nothing is lost", async () => {
  await using b = flat();
  await b.store.write("/x/dir", "file");
  expect(await code(b.store.write("/x/dir/inside", "below"))).toBe("not-a-directory");
  await b.cache.flush();
  expect(await readText(b.base, "/x/dir")).toBe("file");
});

test("what was deleted as a tree is not asked for", async () => {
  await using b = flat();
  await b.base.write("/x/dir/inside", "below");
  await b.store.open();
  await b.cache.pause();
  await b.store.delete("/x/dir", { recursive: true });
  await b.store.write("/x/dir", "file");
  const before = b.sent("read", "stat").length;
  expect(await code(readText(b.store, "/x/dir/inside"))).toBe("not-found");
  expect(b.sent("read", "stat")).toHaveLength(before);
});

test("a move of what lies below a file takes its bytes along", async () => {
  await using b = flat();
  await b.base.write("/x/dir/inside", "below");
  await b.store.write("/x/dir", "file");
  await b.store.move("/x/dir/inside", "/y");
  expect(await readText(b.store, "/y")).toBe("below");
  await b.cache.flush();
  expect(await readText(b.base, "/y")).toBe("below");
  expect(await readText(b.base, "/x/dir")).toBe("file");
});

for (const sent of [true, false])
  test(`a file that another client puts where a directory went with its last file is seen, read, listed and replaced${sent ? "" : ", before the delete is sent too"}`, async () => {
    await using b = flat({ unknownPaths: "ask" });
    await b.store.write("/x/dir/inside", "below");
    await b.cache.flush();
    await b.store.delete("/x/dir/inside");
    if (sent) await b.cache.flush();
    expect(await code(b.store.stat("/x/dir"))).toBe("not-found");
    await b.base.write("/x/dir", "theirs");
    expect(await b.store.stat("/x/dir")).toMatchObject({ kind: "file", size: 6 });
    expect(await paths(b.store, "/x")).toEqual(["/x/dir"]);
    expect(await code(paths(b.store, "/x/dir"))).toBe("not-a-directory");
    expect(await readText(b.store, "/x/dir", { fresh: true })).toBe("theirs");
    await b.store.write("/x/dir", "ours");
    expect(await readText(b.store, "/x/dir")).toBe("ours");
    await b.cache.flush();
    expect(await readText(b.base, "/x/dir")).toBe("ours");
    expect(await paths(b.base, "/x", true)).toEqual(["/x/dir"]);
  });

test("where etags tell the bytes, other words and another time of the same bytes are seen when they are asked for", async () => {
  await using b = flat({ freshMs: 0 }, { contentEtags: true, clock: manualClock(2e12) });
  await b.base.write("/a", "x", { contentType: "text/one", metadata: { n: "1" }, modifiedMs: 1e12 });
  await readText(b.store, "/a");
  await expect.poll(() => b.cache.state("/a").state).toBe("clean");
  await b.base.write("/a", "x", { contentType: "text/two", metadata: { n: "2" }, modifiedMs: 1.1e12 });
  expect((await b.store.list("/").toArray())[0]).toMatchObject({ modifiedMs: 1.1e12 });
  const told = { contentType: "text/two", metadata: { n: "2" }, modifiedMs: 1.1e12 };
  expect(await b.store.stat("/a", { fresh: true, detail: "full" })).toMatchObject(told);
  expect((await b.store.read("/a", { fresh: true })).entry).toMatchObject(told);
  expect(b.sent("read")).toHaveLength(1);
  // Of one that was written here, too.
  await b.store.write("/b", "x", { contentType: "text/one", metadata: {} });
  await b.cache.flush();
  await b.base.write("/b", "x", { contentType: "text/two", metadata: { n: "2" } });
  expect(await b.store.stat("/b", { fresh: true, detail: "full" })).toMatchObject({ contentType: "text/two", metadata: { n: "2" } });
});
