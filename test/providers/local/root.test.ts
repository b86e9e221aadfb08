/** The directory of the store itself: missing, gone, replaced, unmounted. Nothing is "not found" in a root that is not there, and none is made by accident. */
import fs from "node:fs";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { disk } from "../../../src/providers/local/disk.ts";
import { translate } from "../../../src/providers/local/errors.ts";
import { local } from "../../../src/providers/local/index.ts";
import { calls, exists, parsePath, readText, toErrno } from "../../../src/store/index.ts";
import type { Call, Store, StoreError } from "../../../src/store/index.ts";
import { code, fresh, systemError } from "./at.ts";

function scratch(): string {
  const base = mkdtempSync(join(tmpdir(), "stratus-root-"));
  onTestFinished(() => fs.rmSync(base, { recursive: true, force: true }));
  return base;
}

const verbs: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  stat: (store) => store.stat("/f"),
  "stat of the root": (store) => store.stat("/"),
  read: (store) => store.read("/f"),
  write: (store) => store.write("/f", "x"),
  "write, deep": (store) => store.write("/a/b/c", "x"),
  "write with ifAbsent": (store) => store.write("/f", "x", { ifAbsent: true }),
  list: (store) => store.list("/").toArray(),
  "list of a directory": (store) => store.list("/d").toArray(),
  delete: (store) => store.delete("/f"),
  "delete of a tree": (store) => store.delete("/d", { recursive: true }),
  mkdir: (store) => store.mkdir("/d"),
  copy: (store) => store.copy("/f", "/g"),
  move: (store) => store.move("/f", "/g"),
  space: (store) => store.space(),
  account: (store) => store.account(),
};

test.each(Object.entries(verbs))("a missing root is config, and is not made: %s", async (_, verb) => {
  const directory = join(scratch(), "not", "there");
  await using store = local({ directory });
  const error: unknown = await verb(store).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "config", applied: false, store: "local" });
  expect((error as StoreError).reason).toContain("createRoot");
  expect(fs.existsSync(directory)).toBe(false);
});

test.each(Object.entries(verbs))("a root that goes while the store is in use is config: %s", async (_, verb) => {
  const directory = join(scratch(), "root");
  await using store = local({ directory, createRoot: true });
  await store.write("/f", "x");
  await store.mkdir("/d/e");
  fs.rmSync(directory, { recursive: true });
  expect(await code(verb(store))).toBe("config");
  expect(fs.existsSync(directory)).toBe(false);
});

test.each(Object.entries(verbs).filter(([name]) => !name.startsWith("stat of") && name !== "space" && name !== "list"))(
  "a disk that is no longer mounted: nothing is found missing, nothing written beside it: %s",
  async (_, verb) => {
    const { store, root } = fresh();
    await store.open();
    const { lstat, fstat } = disk;
    // As the root looked when the store was opened: on another device than what is there now.
    const real = await lstat(root as never);
    const spies = [
      vi.spyOn(disk, "lstat").mockImplementation(async (path) => Object.create(await lstat(path), { dev: { value: real.dev + 1n } })),
      vi.spyOn(disk, "fstat").mockImplementation(async (fd) => Object.create(await fstat(fd), { dev: { value: real.dev + 1n } })),
    ];
    expect(await code(verb(store))).toBe("config");
    for (const spy of spies) spy.mockRestore();
    expect(fs.readdirSync(root)).toEqual([]);
  },
);

test("a root that comes back can be used at once; reconnect takes what is there now", async () => {
  const directory = join(scratch(), "root");
  await using store = local({ directory });
  expect(await code(store.stat("/"))).toBe("config");
  fs.mkdirSync(directory);
  await store.write("/f", "x");
  fs.rmSync(directory, { recursive: true });
  expect(await code(store.stat("/f"))).toBe("config");
  fs.mkdirSync(directory);
  await store.reconnect();
  expect(await exists(store, "/f")).toBe(false);
});

test("a root that is a file is config; one that is a link to a directory is that directory", async () => {
  const base = scratch();
  fs.writeFileSync(join(base, "file"), "x");
  await using wrong = local({ directory: join(base, "file") });
  expect(await code(wrong.stat("/"))).toBe("config");
  fs.mkdirSync(join(base, "real"));
  fs.symlinkSync("real", join(base, "link"));
  await using store = local({ directory: join(base, "link") });
  await store.write("/a/f", "x");
  expect(await readText(store, "/a/f")).toBe("x");
  expect(fs.existsSync(join(base, "real/a/f"))).toBe(true);
});

test("createRoot makes the directory with its parents, private", async () => {
  const directory = join(scratch(), "a", "b");
  await using store = local({ directory, createRoot: true });
  await store.open();
  expect(fs.statSync(directory).mode & 0o777).toBe(0o700);
});

test("nothing touches the disk before the store is opened, and wrong options are config", () => {
  const spies = (Object.keys(disk) as (keyof typeof disk)[]).map((name) => vi.spyOn(disk, name));
  local({ directory: "/nowhere" });
  for (const spy of spies) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
  for (const options of [
    { directory: "" },
    { directory: "a\0b" },
    { directory: 7 as unknown as string },
    { directory: "x", fileMode: -1 },
    { directory: "x", platform: "beos" as never },
  ]) {
    expect(() => local(options)).toThrowError(expect.objectContaining({ code: "config" }) as Error);
  }
});

test("CF20 CF21: the figures of the disk add up, the account names the provider", async () => {
  const { store, root } = fresh();
  const space = await store.space();
  expect(space.free).toBe(Math.max(0, (space.total ?? 0) - (space.used ?? 0)));
  const { bsize, blocks, bavail } = fs.statfsSync(root);
  expect(space.total).toBe(bsize * blocks);
  expect(Math.abs((space.free ?? 0) - bsize * bavail)).toBeLessThan(256 << 20);
  const account = await store.account();
  expect(account.text).toContain("local");
  expect(account.provider).toBe("local");
});

test("CF19: exists is false only for what is missing", async () => {
  const { store } = fresh();
  expect(await exists(store, "/f")).toBe(false);
  const spy = vi.spyOn(disk, "lstat").mockRejectedValue(systemError("EACCES", "lstat"));
  await expect(exists(store, "/f")).rejects.toMatchObject({ code: "permission-denied" });
  spy.mockRestore();
});

test("CF103: every error of the system has its code, and the code its errno", () => {
  const path = parsePath("/f");
  const read: Call = calls.read(path);
  const write: Call = calls.write(path, "x");
  const table: readonly (readonly [errno: string, code: string, errno: string, transient: boolean])[] = [
    ["ENOENT", "not-found", "ENOENT", false],
    ["EEXIST", "already-exists", "EEXIST", false],
    ["EISDIR", "is-a-directory", "EISDIR", false],
    ["ENOTEMPTY", "not-empty", "ENOTEMPTY", false],
    ["EACCES", "permission-denied", "EACCES", false],
    ["EPERM", "permission-denied", "EACCES", false],
    ["EROFS", "permission-denied", "EACCES", false],
    ["ENOSPC", "no-space", "ENOSPC", false],
    ["EDQUOT", "no-space", "ENOSPC", false],
    ["EFBIG", "too-large", "EFBIG", false],
    ["ENAMETOOLONG", "invalid-path", "EINVAL", false],
    ["EILSEQ", "invalid-path", "EINVAL", false],
    ["ELOOP", "invalid-path", "EINVAL", false],
    ["EMFILE", "unavailable", "EIO", true],
    ["ENFILE", "unavailable", "EIO", true],
    ["EAGAIN", "unavailable", "EIO", true],
    ["ESTALE", "unavailable", "EIO", true],
    ["ETIMEDOUT", "unavailable", "EIO", true],
    ["EHOSTDOWN", "unavailable", "EIO", true],
    ["EIO", "corrupt", "EIO", false],
    ["EBUSY", "conflict", "EBUSY", true],
  ];
  for (const [errno, said, expected, transient] of table) {
    const error = translate(systemError(errno, "open"), write) as StoreError;
    expect.soft([errno, error.code, toErrno(error), error.transient, error.applied]).toEqual([errno, said, expected, transient, false]);
  }
  expect(translate(systemError("ENOTDIR", "open"), read)?.code).toBe("not-found");
  expect(translate(systemError("ENOTDIR", "open"), write)?.code).toBe("not-a-directory");
  // Where the step that makes a change visible has no answer, nobody knows.
  expect(translate(systemError("ESTALE", "rename"), write)?.applied).toBe("unknown");
  expect(translate(systemError("ESTALE", "open"), write)?.applied).toBe(false);
  // Not ours: errors that only look like it.
  expect(translate(new Error("boom"), read)).toBeUndefined();
  expect(translate(Object.assign(new TypeError("x"), { code: "ERR_INVALID_ARG_TYPE" }), read)).toBeUndefined();
});

test("messages hold no path of the disk", async () => {
  const { store, root } = fresh();
  for (const work of [() => store.stat("/gone"), () => store.write("/a/../b", "x"), () => store.list("/gone").toArray()]) {
    const error: unknown = await work().catch((thrown: unknown) => thrown);
    expect((error as StoreError).message).not.toContain(root);
    expect((error as StoreError).reason).not.toContain("/");
  }
});
