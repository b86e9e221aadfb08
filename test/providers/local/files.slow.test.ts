/** Files on disk: one version per read, nothing half written, times and identities exact, permissions private. */
import fs from "node:fs";
import { expect, test, vi } from "vitest";
import { disk } from "../../../src/providers/local/disk.ts";
import { timeOf } from "../../../src/providers/local/facts.ts";
import { isTemporary } from "../../../src/providers/local/names.ts";
import { local } from "../../../src/providers/local/index.ts";
import { manualClock, readBytes, readText } from "../../../src/store/index.ts";
import type { StoreError } from "../../../src/store/index.ts";
import { code, fresh, onDisk, openFiles, paths, systemError } from "./at.ts";

const bytes = (size: number, fill = 7): Uint8Array => new Uint8Array(size).fill(fill);

test("entries of write, stat, list and read are equal, and nothing is left unsaid", async () => {
  const { store } = fresh();
  const written = await store.write("/d/f", "hello");
  expect(await store.stat("/d/f")).toEqual(written);
  expect(await store.list("/d").toArray()).toEqual([written]);
  const read = await store.read("/d/f");
  expect(read.entry).toEqual(written);
  expect(await read.text()).toBe("hello");
  const copied = await store.copy("/d/f", "/c");
  expect(await store.stat("/c")).toEqual(copied);
  expect(copied.modifiedMs).toBe(written.modifiedMs);
  expect(copied.etag).not.toBe(written.etag);
  const moved = await store.move("/c", "/m");
  expect(await store.stat("/m")).toEqual(moved);
  expect(moved.etag).toBe(copied.etag);
  const made = await store.mkdir("/e");
  expect(await store.stat("/e")).toEqual(made);
});

test("no two versions of a file have one etag, with the same bytes, size and given time, in the same tick of the kernel", async () => {
  const { store } = fresh();
  const etags = new Set<string | null>();
  for (let i = 0; i < 1500; i++) etags.add((await store.write("/f", "same", { modifiedMs: 1_000_000 })).etag);
  expect(etags.size).toBe(1500);
});

test("each change has a microsecond of its own, in the millisecond it was given", () => {
  for (const ms of [0, -1, 1_795_252_806_635, 4_102_444_800_999]) {
    const times = Array.from({ length: 990 }, () => timeOf(ms));
    expect(new Set(times).size).toBe(990);
    for (const seconds of times) expect(Math.floor(seconds * 1000)).toBe(ms);
  }
});

test("CF17: times are kept to the millisecond, before 1970 and after 2100 too, and come from the clock", async () => {
  const clock = manualClock(1_795_252_806_635);
  const { store } = fresh({ clock });
  expect((await store.write("/now", "x")).modifiedMs).toBe(1_795_252_806_635);
  for (const modifiedMs of [0, 1, -1, -315_619_200_001, 4_102_444_800_999, 1_795_252_806_001, 999_999_999_999]) {
    expect((await store.write("/f", "x", { modifiedMs })).modifiedMs).toBe(modifiedMs);
    expect((await store.stat("/f")).modifiedMs).toBe(modifiedMs);
    expect((await store.copy("/f", "/g")).modifiedMs).toBe(modifiedMs);
  }
});

test("a time that the file system cannot keep is refused, and nothing is stored", async () => {
  const { store, root } = fresh();
  expect(await code(store.write("/f", "x", { modifiedMs: 8.64e15 }))).toBe("unsupported");
  expect(onDisk(root)).toEqual([]);
});

test("new files and directories are private, unless told otherwise (CF109)", async () => {
  const umask = process.umask(0o022);
  try {
    const { store, at } = fresh();
    await store.write("/d/f", "x");
    await store.copy("/d/f", "/c");
    await store.mkdir("/e");
    const mode = (path: string): string => (fs.statSync(at(path)).mode & 0o777).toString(8);
    expect([mode("/d"), mode("/d/f"), mode("/c"), mode("/e")]).toEqual(["700", "600", "600", "700"]);
    const open = fresh({ fileMode: 0o666, directoryMode: 0o777 });
    await open.store.write("/d/f", "x");
    expect([fs.statSync(open.at("/d")).mode & 0o777, fs.statSync(open.at("/d/f")).mode & 0o777]).toEqual([0o755, 0o644]);
  } finally {
    process.umask(umask);
  }
});

test.each([1, 1000, 300_000, 1_500_000])("a read of %i bytes delivers one version, although the file is replaced meanwhile", async (size) => {
  const { store } = fresh();
  const before = await store.write("/f", bytes(size, 1));
  await using result = await store.read("/f");
  await store.write("/f", bytes(size, 2));
  expect(result.entry.etag).toBe(before.etag);
  const read = await result.bytes();
  expect(read.byteLength).toBe(size);
  expect(read.every((byte) => byte === 1)).toBe(true);
});

test("a file that another program changes in place while it is read ends in conflict, before its last byte", async () => {
  const { store, at } = fresh();
  await store.write("/f", bytes(1_000_000, 1));
  const changes: Record<string, () => void> = {
    overwritten: () => fs.writeFileSync(at("/f"), bytes(1_000_000, 2)),
    "cut short": () => fs.truncateSync(at("/f"), 500_000),
    longer: () => fs.appendFileSync(at("/f"), "more"),
  };
  for (const [what, change] of Object.entries(changes)) {
    await store.write("/f", bytes(1_000_000, 1));
    let got = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of await store.read("/f")) {
        if (got === 0) change();
        got += chunk.byteLength;
        // Of a file that was cut short there are no bytes to be made up.
        if (what === "cut short") expect(chunk.every((byte) => byte === 1)).toBe(true);
      }
    };
    expect([what, await code(read())]).toEqual([what, "conflict"]);
    expect(got).toBeLessThan(1_000_000);
  }
});

test("a small file that changes between its two looks is a conflict as well", async () => {
  const { store, at } = fresh();
  await store.write("/f", bytes(100));
  const { read } = disk;
  const spy = vi.spyOn(disk, "read").mockImplementation(async (...given) => {
    fs.appendFileSync(at("/f"), "more");
    return read(...given);
  });
  expect(await code(store.read("/f"))).toBe("conflict");
  spy.mockRestore();
  expect((await readBytes(store, "/f")).byteLength).toBe(104);
});

test("ranges are cut out of the open file", async () => {
  const { store } = fresh();
  const content = Uint8Array.from({ length: 700_000 }, (_, i) => i % 251);
  await store.write("/f", content);
  for (const range of [
    { offset: 5 },
    { offset: 5, length: 10 },
    { offset: -7 },
    { offset: -900_000 },
    { offset: 699_999, length: 50 },
    { offset: 0, length: 0 },
    { offset: 100, length: 400_000 },
    { offset: 262_144, length: 262_144 },
  ]) {
    const start = range.offset < 0 ? Math.max(0, 700_000 + range.offset) : range.offset;
    const end = range.length === undefined ? undefined : start + range.length;
    expect(Buffer.compare(await readBytes(store, "/f", { range }), content.subarray(start, end))).toBe(0);
  }
  expect(await code(store.read("/f", { range: { offset: 700_000 } }))).toBe("bad-range");
  await store.write("/empty", "");
  expect(await readText(store, "/empty", { range: { offset: 0, length: 5 } })).toBe("");
});

test("conditions of reads are judged before a byte is read", async () => {
  const { store } = fresh();
  const { etag } = await store.write("/f", bytes(1000));
  const spy = vi.spyOn(disk, "read");
  expect(await code(store.read("/f", { ifNoneMatch: etag as string }))).toBe("not-modified");
  expect(await code(store.read("/f", { ifMatch: "other" }))).toBe("precondition-failed");
  expect(spy).not.toHaveBeenCalled();
  spy.mockRestore();
  expect(await readBytes(store, "/f", { ifMatch: etag as string, ifNoneMatch: "other" })).toHaveLength(1000);
});

test("while a write runs its bytes are under a hidden name; when it fails nothing of it stays, no parent either", async () => {
  const { store, root, at } = fresh();
  await store.write("/f", "old");
  const seen: string[][] = [];
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield bytes(100_000);
    yield bytes(1);
    seen.push(onDisk(root), await paths(store, "/", true));
    expect(await readText(store, "/f")).toBe("old");
    throw new Error("source broke");
  }
  const error: unknown = await store.write("/f", failing()).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "bad-body", applied: false });
  expect(seen[0]?.filter(isTemporary)).toHaveLength(1);
  expect(seen[1]).toEqual(["/f"]);
  expect(onDisk(root)).toEqual(["f"]);
  expect(await code(store.write("/new/deep/f", failing()))).toBe("bad-body");
  expect(onDisk(root)).toEqual(["f"]);
  expect(fs.readFileSync(at("/f"), "utf8")).toBe("old");
});

test("CF8: an aborted write leaves the old version, no temporary file, no open file, and says that nothing happened", async () => {
  const { store, root } = fresh();
  await store.write("/f", "old");
  const before = openFiles();
  const stop = new AbortController();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes(100_000);
    stop.abort();
    yield bytes(100_000);
  }
  expect(await store.write("/f", body(), { signal: stop.signal }).catch((error: unknown) => error)).toMatchObject({ code: "aborted", applied: false });
  expect(onDisk(root)).toEqual(["f"]);
  expect(await readText(store, "/f")).toBe("old");
  expect(openFiles()).toBe(before);
});

test("a disk that is full in the middle: no-space, the old version stays, nothing is left", async () => {
  const { store, root } = fresh();
  await store.write("/f", "old");
  const { write } = disk;
  let calls = 0;
  const spy = vi.spyOn(disk, "write").mockImplementation(async (...given) => {
    if (++calls === 3) throw systemError("ENOSPC", "write");
    return write.apply(disk, given);
  });
  async function* body(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 5; i++) yield bytes(1000);
  }
  expect(await store.write("/f", body()).catch((error: unknown) => error)).toMatchObject({ code: "no-space", applied: false });
  spy.mockRestore();
  expect(onDisk(root)).toEqual(["f"]);
  expect(await readText(store, "/f")).toBe("old");
});

test("what fails leaves no file open, neither do bodies that are closed early or never read", async () => {
  const { store, at } = fresh();
  await store.write("/big", bytes(2_000_000));
  await store.write("/small", bytes(10));
  await store.mkdir("/d");
  fs.symlinkSync("/etc/passwd", at("/out"));
  const before = openFiles();
  for (const path of ["/d", "/out", "/gone", "/small/x"]) expect(await code(store.read(path))).not.toBe("nothing");
  for (const target of ["/d", "/small/x"]) expect(await code(store.copy("/big", target))).not.toBe("nothing");
  expect(await code(store.read("/big", { ifMatch: "no" }))).toBe("precondition-failed");
  for await (const _ of await store.read("/big")) break;
  await (await store.read("/big"))[Symbol.asyncDispose]();
  await store.read("/small");
  expect(openFiles()).toBe(before);
});

test("bytes and names are flushed, the file before it is in place and the directory after; not without `flush`", async () => {
  const log: string[] = [];
  const spies = (["fsync", "rename", "link"] as const).map((name) => {
    const real = disk[name] as (...given: unknown[]) => Promise<void>;
    return vi.spyOn(disk, name).mockImplementation(async (...given: unknown[]) => {
      log.push(name === "fsync" ? (fs.fstatSync(given[0] as number).isDirectory() ? "flush directory" : "flush file") : name);
      await real.apply(disk, given);
    });
  });
  const safe = fresh({ flush: true });
  await safe.store.write("/f", "x");
  expect(log.splice(0)).toEqual(["flush file", "rename", "flush directory"]);
  await safe.store.write("/g", "x", { ifAbsent: true });
  expect(log.splice(0)).toEqual(["flush file", "link", "flush directory"]);
  await safe.store.write("/a/b/f", "x");
  expect(log.splice(0)).toEqual(["flush file", "flush directory", "flush directory", "rename", "flush directory"]);
  await safe.store.copy("/f", "/h");
  expect(log.splice(0)).toEqual(["flush file", "rename", "flush directory"]);
  await safe.store.move("/f", "/a/f");
  expect(log.splice(0)).toEqual(["rename", "flush directory", "flush directory"]);
  await safe.store.delete("/g");
  await safe.store.mkdir("/d");
  expect(log.splice(0)).toEqual(["flush directory", "flush directory"]);
  const fast = fresh();
  await fast.store.write("/f", "x");
  await fast.store.delete("/f");
  expect(log).toEqual(["rename"]);
  for (const spy of spies) spy.mockRestore();
});

test("of twenty writers with ifAbsent exactly one wins, and its bytes are there whole", async () => {
  const { store, root } = fresh();
  const results = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => store.write("/d/lock", `winner ${i}`, { ifAbsent: true })));
  const winners = results.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []));
  expect(winners).toHaveLength(1);
  for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "already-exists", applied: false });
  expect(await readText(store, "/d/lock")).toBe(`winner ${winners[0]}`);
  expect(onDisk(root)).toEqual(["d", "d/lock"]);
  expect(fs.statSync(`${root}/d/lock`).nlink).toBe(1);
});

test("a file system without hard links: said by the option, and by an error that names it", async () => {
  const { store } = fresh();
  const spy = vi.spyOn(disk, "link").mockRejectedValue(systemError("EPERM", "link"));
  const error: unknown = await store.write("/f", "x", { ifAbsent: true }).catch((thrown: unknown) => thrown);
  spy.mockRestore();
  expect(error).toMatchObject({ code: "unsupported", applied: false });
  expect((error as StoreError).reason).toContain("hardLinks");
  const without = fresh({ hardLinks: false }).store;
  expect(without.capabilities).toMatchObject({ writeIfAbsent: false, copyIfAbsent: false, moveIfAbsent: false });
  expect(await code(without.write("/f", "x", { ifAbsent: true }))).toBe("unsupported");
});

test("a replaced file that has another hard link elsewhere leaves that one as it was", async () => {
  const { store, at } = fresh();
  await store.write("/f", "old");
  fs.linkSync(at("/f"), at("/twin"));
  await store.write("/f", "new");
  expect(await readText(store, "/twin")).toBe("old");
});

test("two stores over one directory see each other's changes, with the same etags", async () => {
  const one = fresh();
  const other = local({ directory: one.root, flush: false, name: "other" });
  const entry = await one.store.write("/f", "x");
  expect(await other.stat("/f")).toEqual(entry);
  await other.close();
});

test("CF12: an upper-case twin is a second file, as the capability says", async () => {
  const { store } = fresh();
  expect(store.capabilities.caseSensitive).toBe(true);
  await store.write("/name", "lower");
  await store.write("/NAME", "upper");
  expect([await readText(store, "/name"), await readText(store, "/NAME")]).toEqual(["lower", "upper"]);
});

test("CF95: names of every script, composed and decomposed, are kept as they are", async () => {
  const { store } = fresh();
  const names = [
    "\u00E9",
    "e\u0301",
    "日本",
    "😀",
    "\u{10FFFF}",
    "a b",
    " ",
    "..a",
    "%41",
    "\\",
    '*?<>|:"',
    "\n",
    "con",
    "a.",
    "%{xFF}",
    "%{xC3}%{xA9}",
    "x".repeat(255),
    "é".repeat(127),
  ];
  for (const name of names) await store.write(`/n/${name}`, name);
  expect(await paths(store, "/n")).toEqual(names.map((name) => `/n/${name}`).sort());
  for (const name of names) expect(await readText(store, `/n/${name}`)).toBe(name);
  expect(await code(store.write(`/${"x".repeat(256)}`, "x"))).toBe("invalid-path");
});

test("the longest path that is declared can be written, one more byte is refused", async () => {
  const { store, root } = fresh();
  const { maxPathBytes } = store.capabilities;
  const path = `/${"d".repeat(200)}`.repeat(30).slice(0, maxPathBytes - 2) + "/f";
  expect(Buffer.byteLength(path)).toBe(maxPathBytes);
  await store.write(path, "deep");
  expect(await readText(store, path)).toBe("deep");
  expect(await code(store.write(`${path}g`, "x"))).toBe("invalid-path");
  await store.delete(path);
  expect(onDisk(root).some((name) => isTemporary(name.split("/").at(-1) as string))).toBe(false);
});

test("names that are no UTF-8 are shown encoded, and every verb takes them in that form", async () => {
  const { store, root, at } = fresh();
  const raw = Buffer.concat([Buffer.from(`${root}/caf`), Buffer.from([0xe9])]);
  fs.writeFileSync(raw, "latin1");
  fs.mkdirSync(Buffer.concat([Buffer.from(`${root}/d`), Buffer.from([0xff])]));
  expect(await paths(store)).toEqual(["/caf%{xE9}", "/d%{xFF}"]);
  expect(await readText(store, "/caf%{xE9}")).toBe("latin1");
  await store.write("/d%{xFF}/x", "below");
  expect(await paths(store, "/", true)).toContain("/d%{xFF}/x");
  await store.write("/caf%{xE9}", "replaced");
  expect(fs.readFileSync(raw, "utf8")).toBe("replaced");
  await store.copy("/caf%{xE9}", "/copy");
  await store.move("/caf%{xE9}", "/moved%{xFE}");
  expect(
    fs
      .readdirSync(root, "buffer")
      .map((name) => name.toString("latin1"))
      .sort(),
  ).toEqual(["copy", "d\xff", "moved\xfe"]);
  // The text of such a token is another file.
  await store.write("/moved%{25}{xFE}", "literal");
  expect(fs.existsSync(at("/moved%{xFE}"))).toBe(true);
  expect(await readText(store, "/moved%{xFE}")).toBe("replaced");
  await store.delete("/d%{xFF}", { recursive: true });
  expect(await paths(store)).toEqual(["/copy", "/moved%{25}{xFE}", "/moved%{xFE}"]);
});
