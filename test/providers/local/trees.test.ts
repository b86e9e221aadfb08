/** Directories on disk: moves by rename(2) and what it leaves open, deletes, what dead writers left, and races with other programs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { expect, test, vi } from "vitest";
import { disk } from "../../../src/providers/local/disk.ts";
import { writerLetters } from "../../../src/providers/local/writer.ts";
import { manualClock, readText, systemClock } from "../../../src/store/index.ts";
import type { Clock, StoreError } from "../../../src/store/index.ts";
import { code, fresh, onDisk, paths, systemError } from "./at.ts";

const TEMPORARY = ".stratus-abcdefghij0123456789.tmp";
/** Two days ahead of the time of the disk. */
const later: Clock = { ...systemClock, now: () => Date.now() + 2 * 24 * 3_600_000 };

test("CF13 CF14: the rules of rename(2), cell by cell; a missing source changes nothing and makes no parent", async () => {
  const { store, root } = fresh();
  for (const verb of ["copy", "move"] as const) {
    await store.write("/f", "file");
    await store.write("/s/x/1", "1");
    await store.mkdir("/s/empty");
    await store.mkdir("/d");
    await store.write("/full/x", "x");
    const before = onDisk(root);
    expect(await code(store[verb]("/gone", "/new/deep/path"))).toBe("not-found");
    expect(await code(store[verb]("/gone", "/f"))).toBe("not-found");
    expect(await code(store[verb]("/f/below", "/g"))).toBe("not-found");
    expect(await code(store[verb]("/f", "/d"))).toBe("is-a-directory");
    expect(await code(store[verb]("/f", "/full"))).toBe("is-a-directory");
    expect(await code(store[verb]("/s", "/f"))).toBe("not-a-directory");
    expect(await code(store[verb]("/s", "/full"))).toBe("not-empty");
    expect(await code(store[verb]("/s", "/f/below"))).toBe("not-a-directory");
    expect(await code(store[verb]("/f", "/full/x/below"))).toBe("not-a-directory");
    expect(await code(store[verb]("/s", "/d", { ifAbsent: true }))).toBe("already-exists");
    expect(await code(store[verb]("/f", "/full/x", { ifAbsent: true }))).toBe("already-exists");
    expect(await code(store[verb]("/s", "/s/below"))).toBe("invalid-path");
    expect(onDisk(root)).toEqual(before);
    await store[verb]("/s", "/d");
    expect(await paths(store, "/d", true)).toEqual(["/d/empty", "/d/x", "/d/x/1"]);
    await store[verb]("/f", "/full/x");
    expect(await readText(store, "/full/x")).toBe("file");
    await store[verb]("/d", "/made/on/the/way", { ifAbsent: true });
    await store[verb]("/full/x", "/other/file", { ifAbsent: true });
    expect(await paths(store, "/made/on/the/way", true)).toEqual(["/made/on/the/way/empty", "/made/on/the/way/x", "/made/on/the/way/x/1"]);
    if (verb === "move") expect(await paths(store)).toEqual(["/full", "/made", "/other"]);
    else expect(await paths(store)).toEqual(["/d", "/f", "/full", "/made", "/other", "/s"]);
    for (const path of await paths(store)) await store.delete(path, { recursive: true });
  }
});

test("of moves of one file, and of trees to one place with ifAbsent, exactly one wins", async () => {
  const { store, root } = fresh();
  for (let i = 0; i < 10; i++) {
    await store.write(`/f${i}`, `${i}`);
    await store.write(`/t${i}/x`, `${i}`);
    await store.mkdir(`/e${i}`);
  }
  const files = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => store.move(`/f${i}`, "/d/f", { ifAbsent: true })));
  const trees = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => store.move(`/t${i}`, "/d/t", { ifAbsent: true })));
  // An empty directory could take the place of an empty one again and again.
  const empty = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => store.move(`/e${i}`, "/d/e", { ifAbsent: true })));
  for (const results of [files, trees, empty]) {
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "already-exists", applied: false });
  }
  expect(onDisk(root)).toHaveLength(1 + 2 + 1 + 9 + 18 + 1 + 9);
});

test("two names of one file: the old one is gone after a move, and nothing is lost", async () => {
  const { store, at } = fresh();
  await store.write("/a", "bytes");
  fs.linkSync(at("/a"), at("/b"));
  expect(await code(store.move("/a", "/b", { ifAbsent: true }))).toBe("already-exists");
  await store.move("/a", "/b");
  expect(await paths(store)).toEqual(["/b"]);
  expect(await readText(store, "/b")).toBe("bytes");
});

test("two spellings of one name, on a disk that folds case: the file is renamed, never unlinked", async () => {
  const { store, at } = fresh();
  await store.write("/name", "bytes");
  fs.linkSync(at("/name"), at("/NAME"));
  // As a folding file system answers: both spellings are one entry.
  const { realpath } = disk;
  const spy = vi.spyOn(disk, "realpath").mockImplementation(async (path) => (await realpath(path)).replace("NAME", "name") as never);
  const unlink = vi.spyOn(disk, "unlink");
  await store.move("/name", "/NAME");
  expect(unlink).not.toHaveBeenCalled();
  spy.mockRestore();
  unlink.mockRestore();
  expect(await readText(store, "/NAME")).toBe("bytes");
});

test("a move to another file system copies the file, and only then removes it; a tree is refused whole", async () => {
  const { store, root } = fresh();
  await store.write("/f", "bytes", { modifiedMs: 12_345 });
  await store.write("/t/x", "x");
  const { rename } = disk;
  const spy = vi.spyOn(disk, "rename").mockImplementation(async (from, to) => {
    if (!from.includes(".stratus-")) throw systemError("EXDEV");
    return rename(from, to);
  });
  expect(await store.move("/f", "/mounted/f")).toMatchObject({ path: "/mounted/f", size: 5, modifiedMs: 12_345 });
  expect(await code(store.move("/t", "/mounted/t"))).toBe("unsupported");
  spy.mockRestore();
  expect(await paths(store, "/", true)).toEqual(["/mounted", "/mounted/f", "/t", "/t/x"]);
  expect(onDisk(root)).toHaveLength(4);
});

test("CF9 CF10: deleting: gone, again no error, trees only when asked for", async () => {
  const { store } = fresh();
  await store.write("/f", "x");
  await store.write("/t/u/v", "x");
  await store.delete("/f");
  await store.delete("/f");
  await store.delete("/t/u/v/below/a/file");
  expect(await code(store.delete("/t"))).toBe("not-empty");
  expect(await readText(store, "/t/u/v")).toBe("x");
  await store.delete("/t", { recursive: true });
  await store.delete("/t", { recursive: true });
  expect(await paths(store)).toEqual([]);
});

test("CF11: making a directory twice is already-exists; of ten at once one succeeds", async () => {
  const { store } = fresh();
  const results = await Promise.all(Array.from({ length: 10 }, () => code(store.mkdir("/a/b"))));
  expect(results.filter((said) => said === "nothing")).toHaveLength(1);
  expect(results.filter((said) => said === "already-exists")).toHaveLength(9);
  expect(await code(store.mkdir("/a/b", { existOk: true }))).toBe("nothing");
  await store.write("/f", "x");
  for (const options of [{}, { existOk: true }]) expect(await code(store.mkdir("/f", options))).toBe("already-exists");
  expect(await code(store.mkdir("/f/below"))).toBe("not-a-directory");
});

test("what a dead writer left is hidden, out of reach, and no reason to keep a directory", async () => {
  const { store, at, root } = fresh({ clock: later });
  await store.mkdir("/d");
  fs.writeFileSync(at(`/d/${TEMPORARY}`), "half");
  expect(await paths(store, "/", true)).toEqual(["/d"]);
  expect(await code(store.stat(`/d/${TEMPORARY}`))).toBe("not-found");
  // A user's file of that name is another one.
  await store.write(`/d/${TEMPORARY}`, "mine");
  expect(await readText(store, `/d/${TEMPORARY}`)).toBe("mine");
  expect(fs.readFileSync(at(`/d/${TEMPORARY}`), "utf8")).toBe("half");
  expect(await code(store.delete("/d"))).toBe("not-empty");
  await store.delete(`/d/${TEMPORARY}`);
  await store.delete("/d");
  expect(onDisk(root)).toEqual([]);
  await store.write("/t/x", "x");
  await store.mkdir("/d");
  fs.writeFileSync(at(`/d/${TEMPORARY}`), "half");
  await store.move("/t", "/d");
  expect(onDisk(root)).toEqual(["d", "d/x"]);
});

test("what a living writer has in a directory keeps it: conflict, to be tried again", async () => {
  const { store, at } = fresh();
  await store.mkdir("/d");
  fs.writeFileSync(at(`/d/${TEMPORARY}`), "half");
  // Its time of content may be the caller's, long ago: that does not make it old.
  fs.utimesSync(at(`/d/${TEMPORARY}`), 1, 1);
  const error: unknown = await store.delete("/d").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "conflict", transient: true, applied: false });
  expect(fs.existsSync(at(`/d/${TEMPORARY}`))).toBe(true);
  await store.delete("/d", { recursive: true });
  expect(await paths(store)).toEqual([]);
});

test("what a killed process of this machine has left keeps no directory; what a running one writes does", async () => {
  const { store, at } = fresh();
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  const place = writerLetters().slice(0, 5);
  const name = `.stratus-${place}${(child.pid as number).toString(36).padStart(6, "0")}abcdefghi.tmp`;
  await store.write("/d/f", "x");
  fs.writeFileSync(at(`/d/${name}`), "half");
  await store.delete("/d/f");
  expect(await store.layers.local.sweep()).toBe(0);
  expect(await code(store.delete("/d"))).toBe("conflict");
  child.kill("SIGKILL");
  await once(child, "exit");
  await store.delete("/d");
  expect(await paths(store)).toEqual([]);
  await store.mkdir("/e");
  fs.writeFileSync(at(`/e/${name}`), "half");
  // Another machine's process of the same number, and this very process, say nothing.
  for (const other of [`.stratus-zzzzz${name.slice(14)}`, `.stratus-${writerLetters()}abcdefghi.tmp`]) fs.writeFileSync(at(`/e/${other}`), "half");
  expect(await store.layers.local.sweep()).toBe(1);
});

test("sweep removes what is older than a day, in the whole tree, and nothing else", async () => {
  const young = fresh();
  await young.store.write("/a/b/f", "x");
  for (const dir of ["", "/a", "/a/b"]) fs.writeFileSync(young.at(`${dir}/${TEMPORARY}`), "half");
  expect(await young.store.layers.local.sweep()).toBe(0);
  expect(onDisk(young.root)).toHaveLength(6);
  const old = fresh({ clock: later, directory: young.root });
  expect(await old.store.layers.local.sweep()).toBe(3);
  expect(onDisk(young.root)).toEqual(["a", "a/b", "a/b/f"]);
  const stop = AbortSignal.abort(new Error("no"));
  await expect(old.store.layers.local.sweep({ signal: stop })).rejects.toThrow("no");
});

test("CF18: listings have every child once, over pages, three times in a row; no `//` in the root", async () => {
  const { store } = fresh();
  const names = Array.from({ length: 2500 }, (_, i) => `f${i}`);
  for (let at = 0; at < names.length; at += 50) await Promise.all(names.slice(at, at + 50).map((name) => store.write(`/d/${name}`, "")));
  for (let round = 0; round < 3; round++) {
    const sizes: number[] = [];
    const seen: string[] = [];
    for await (const page of store.list("/d").pages()) {
      sizes.push(page.length);
      seen.push(...page.map(({ path }) => path));
    }
    expect(sizes).toEqual([1000, 1000, 500]);
    expect(seen.sort()).toEqual(names.map((name) => `/d/${name}`).sort());
  }
  expect(await paths(store)).toEqual(["/d"]);
});

test("what goes while a listing runs is left out, what else goes wrong is an error", async () => {
  const { store, at } = fresh();
  for (const name of ["a", "b", "c"]) await store.write(`/${name}`, "x");
  const { lstat } = disk;
  const spy = vi.spyOn(disk, "lstat").mockImplementation(async (path) => {
    if (path === at("/b")) throw systemError("ENOENT", "lstat");
    return lstat(path);
  });
  expect(await paths(store)).toEqual(["/a", "/c"]);
  spy.mockImplementation(async (path) => {
    if (path === at("/b")) throw systemError("EACCES", "lstat");
    return lstat(path);
  });
  expect(await code(paths(store))).toBe("permission-denied");
  spy.mockRestore();
});

test("a tree whose copy fails half way is taken back", async () => {
  const { store, root } = fresh();
  for (let i = 0; i < 10; i++) await store.write(`/s/d${i % 3}/${i}`, "x".repeat(100));
  const before = onDisk(root);
  const { rename } = disk;
  let renames = 0;
  const spy = vi.spyOn(disk, "rename").mockImplementation(async (from, to) => {
    if (++renames === 6) throw systemError("ENOSPC");
    return rename(from, to);
  });
  expect(await store.copy("/s", "/new/t").catch((error: unknown) => error)).toMatchObject({ code: "no-space", applied: false });
  spy.mockRestore();
  expect(onDisk(root).filter((path) => path !== "new")).toEqual(before);
});

test("a recursive delete that is stopped half way says so, and the same call again finishes", async () => {
  const { store, at } = fresh();
  for (let i = 0; i < 5; i++) await store.write(`/t/${i}/f`, "x");
  const { unlink } = disk;
  let count = 0;
  const spy = vi.spyOn(disk, "unlink").mockImplementation(async (path) => {
    if (++count === 3) throw systemError("EACCES", "unlink");
    return unlink(path);
  });
  const error: unknown = await store.delete("/t", { recursive: true }).catch((thrown: unknown) => thrown);
  spy.mockRestore();
  expect(error).toMatchObject({ code: "permission-denied", applied: "partly", partial: { done: 4 } });
  const { partial } = error as StoreError;
  expect(fs.existsSync(at(String(partial?.at)))).toBe(true);
  await store.delete("/t", { recursive: true });
  expect(await paths(store)).toEqual([]);
});

test("an abort in the middle of a recursive delete: aborted, partly", async () => {
  const { store } = fresh();
  for (let i = 0; i < 5; i++) await store.write(`/t/${i}/f`, "x");
  const stop = new AbortController();
  const { unlink } = disk;
  const spy = vi.spyOn(disk, "unlink").mockImplementation(async (path) => {
    await unlink(path);
    stop.abort(new Error("enough"));
  });
  const error: unknown = await store.delete("/t", { recursive: true, signal: stop.signal }).catch((thrown: unknown) => thrown);
  spy.mockRestore();
  expect(error).toMatchObject({ code: "aborted", applied: "partly" });
  expect((await paths(store, "/t")).length).toBeGreaterThan(0);
});

test("a directory that somebody removes while a file is put into it is made again; one that is removed for ever is a conflict", async () => {
  const { store, at, root } = fresh();
  await store.mkdir("/d/e");
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    fs.renameSync(at("/d"), at("/moved"));
    yield new Uint8Array(10);
  }
  // The temporary file went with the directory, so the bytes cannot be put in place any more: said, not hidden.
  expect(await store.write("/d/e/f", body()).catch((error: unknown) => error)).toMatchObject({ code: "conflict", applied: false, transient: true });
  fs.rmSync(at("/moved"), { recursive: true });
  fs.rmSync(at("/d"), { recursive: true, force: true });
  async function* removing(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    fs.rmSync(at("/p"), { recursive: true, force: true });
    yield new Uint8Array(10);
  }
  await store.mkdir("/p");
  await store.write("/p/q/f", removing()).catch(() => {});
  await store.write("/p/q/f", "again");
  expect(await readText(store, "/p/q/f")).toBe("again");
  expect(onDisk(root).some((path) => path.includes(".stratus-"))).toBe(false);
});

test("a program that holds a file for a moment is waited for, on the platform where that happens; for a second, then conflict", async () => {
  const clock = manualClock(1_000_000);
  const { store } = fresh({ platform: "windows", clock });
  await store.write("/f", "old");
  const { rename } = disk;
  let busy = 3;
  const spy = vi.spyOn(disk, "rename").mockImplementation(async (from, to) => {
    if (busy-- > 0) throw systemError("EPERM");
    return rename(from, to);
  });
  const ending = async (work: Promise<unknown>): Promise<string> => {
    const state = { done: false };
    const said = code(work).finally(() => (state.done = true));
    while (!state.done) await clock.advance(100);
    return said;
  };
  expect(await ending(store.write("/f", "new"))).toBe("nothing");
  expect(busy).toBe(-1);
  busy = 1000;
  expect(await ending(store.write("/f", "newer"))).toBe("conflict");
  // Ten tries, a tenth of a second apart.
  expect(busy).toBe(990);
  spy.mockRestore();
  expect(await readText(store, "/f")).toBe("new");
});

test("the names and renames of Windows: reserved names encoded, an empty directory removed before another takes its place", async () => {
  const { store, root } = fresh({ platform: "windows" });
  await store.write("/con", "device");
  await store.write("/a:b*", "x");
  await store.write("/dots.", "x");
  expect(onDisk(root)).toEqual(["%{63}on", "a%{3A}b%{2A}", "dots%{2E}"]);
  expect(await paths(store)).toEqual(["/a:b*", "/con", "/dots."]);
  await store.write("/t/x", "x");
  await store.mkdir("/d");
  await store.move("/t", "/d");
  await store.move("/d", "/e", { ifAbsent: true });
  expect(await paths(store, "/e")).toEqual(["/e/x"]);
  expect(store.capabilities.caseSensitive).toBe(false);
});
