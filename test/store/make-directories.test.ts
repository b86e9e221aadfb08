/** Directories that users name: made with what is missing above them, or refused with the error of the disk, and never tried for ever. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeDirectories, makePrivateDirectory } from "../../src/store/index.ts";

let dir = "";
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "stratus-mkdir-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const mode = (path: string): number => statSync(path).mode & 0o777;

test("all that is missing, and again, by several at once", async () => {
  const path = join(dir, "a/b/c");
  await Promise.all(Array.from({ length: 8 }, () => makeDirectories(path, 0o700)));
  await makeDirectories(path, 0o755);
  expect([mode(join(dir, "a")), mode(path)]).toEqual([0o700, 0o700]);
  await makeDirectories("/", 0o700);
  symlinkSync(path, join(dir, "link"));
  await makeDirectories(join(dir, "link"), 0o700);
});

test("what is in the way is told as the disk tells it", async () => {
  writeFileSync(join(dir, "file"), "");
  symlinkSync(join(dir, "nowhere"), join(dir, "dangling"));
  await expect(makeDirectories(join(dir, "file"), 0o700)).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeDirectories(join(dir, "file/a/b"), 0o700)).rejects.toMatchObject({ code: "ENOTDIR" });
  await expect(makeDirectories(join(dir, "dangling"), 0o700)).rejects.toMatchObject({ code: "EEXIST" });
});

test("a parent that is removed all the time is made again", async () => {
  const path = join(dir, "a/b");
  let removed = 0;
  await makeDirectories(path, 0o700, (each) => {
    // As another process: between the parent and its child.
    if (each === path && removed++ < 3) rmSync(join(dir, "a"), { recursive: true, force: true });
    return each;
  });
  expect([statSync(path).isDirectory(), removed]).toEqual([true, 4]);
});

// Node's recursive mkdir never ends there.
test.runIf(process.platform === "linux")("where nothing can be made it ends: ENOENT", async () => {
  await expect(makeDirectories("/proc/stratus/a/b", 0o700)).rejects.toMatchObject({ code: "ENOENT" });
});

test("a private directory is nobody else's, also one that was made by hand; above it nothing is changed", async () => {
  mkdirSync(join(dir, "own"));
  chmodSync(join(dir, "own"), 0o755);
  chmodSync(dir, 0o755);
  await makePrivateDirectory(join(dir, "own"));
  await makePrivateDirectory(join(dir, "other/deep"));
  expect([mode(join(dir, "own")), mode(join(dir, "other/deep")), mode(dir)]).toEqual([0o700, 0o700, 0o755]);
});
