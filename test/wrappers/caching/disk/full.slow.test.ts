/**
 * Disks that are full or read-only. Both need a file system of their own: root mounts a small tmpfs, anybody else proves the read-only directory by its
 * permissions, and the full disk is not proved there, which is said.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { TestContext } from "vitest";
import { memory } from "../../../../src/providers/memory/index.ts";
import { hasCode } from "../../../../src/store/index.ts";
import type { StoreError } from "../../../../src/store/index.ts";
import { cachingWith } from "../../../../src/wrappers/caching/index.ts";
import { rules } from "../../../../src/wrappers/caching/rules.ts";
import { open, remove, temporary } from "./left-behind.ts";

const root = process.platform === "linux" && process.getuid?.() === 0;
const mounts: string[] = [];
const directories: string[] = [];
afterEach(() => {
  // Lazily: what was killed lets go of its files a moment later.
  for (const mount of mounts.splice(0)) execFileSync("umount", ["-l", mount]);
  remove(...directories.splice(0));
});
function place(): string {
  const directory = temporary();
  directories.push(directory);
  return directory;
}
/** A file system of so many bytes; skips the test, and says so, where none can be mounted. */
function smallDisk(context: TestContext, bytes: number): string {
  const directory = place();
  if (!root) {
    console.log("NOT PROVED: full disk (only root can mount a small tmpfs)");
    context.skip("only root can mount a small tmpfs");
  }
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", directory]);
  mounts.push(directory);
  return directory;
}

test("a full disk: `no-space` for that call, all else goes on, and there is room again when uploads made it", { timeout: 120_000 }, async (context) => {
  const disk = smallDisk(context, 24 << 20);
  const remote = memory();
  const store = cachingWith(
    rules,
    { directory: join(disk, "cache"), minFreeBytes: 1 << 20, inlineBytes: 4096, cacheBytes: 0, uploadDelayMs: 3_600_000, maxDelayMs: 3_600_000 },
    {},
  )(remote);
  await store.open();
  const acknowledged = new Map<string, number>();
  let refused: StoreError | undefined;
  for (let i = 0; i < 400 && refused === undefined; i++) {
    const size = i % 3 === 0 ? 2000 : 300_000;
    try {
      await store.write(`/d/${i}`, Buffer.alloc(size, i));
      acknowledged.set(`/d/${i}`, i);
    } catch (error) {
      if (!hasCode(error, "no-space")) throw error;
      refused = error;
    }
  }
  expect(refused).toMatchObject({ code: "no-space", applied: false, transient: false });
  expect(acknowledged.size).toBeGreaterThan(20);
  for (const [path, i] of acknowledged) expect((await (await store.read(path)).bytes()).every((byte) => byte === i % 256)).toBe(true);
  // Small changes are told the same, or accepted; nothing else. Deletes pass.
  for (let i = 0; i < 200; i++) {
    await store.write(`/small/${i}`, Buffer.alloc(4000, 1)).then(
      () => acknowledged.set(`/small/${i}`, 1),
      (error: unknown) => expect(error).toMatchObject({ code: "no-space", applied: false }),
    );
  }
  await store.delete("/d/0");
  acknowledged.delete("/d/0");
  await store.layers.caching.flush();
  for (const [path, i] of acknowledged) {
    const bytes = await (await remote.read(path)).bytes();
    expect(bytes.every((byte) => byte === i % 256)).toBe(true);
  }
  await store.write("/again", Buffer.alloc(300_000, 7));
  await store.close();
});

test("killed on a full disk, everything acknowledged is there at the next opening", { timeout: 120_000 }, async (context) => {
  const directory = join(smallDisk(context, 24 << 20), "cache");
  const killed = new AbortController();
  const first = await open(directory, { minFreeBytes: 0 }, killed.signal);
  const acknowledged: string[] = [];
  for (let i = 0; i < 400; i++) {
    try {
      await first.write(`/${i}`, Buffer.alloc(i % 2 === 0 ? 3000 : 200_000, i));
      acknowledged.push(`/${i}`);
    } catch (error) {
      expect(error).toMatchObject({ code: "no-space", applied: false });
      if (acknowledged.length > 0 && i > acknowledged.length + 50) break;
    }
  }
  expect(acknowledged.length).toBeGreaterThan(20);
  killed.abort();
  const second = await open(directory);
  for (const path of acknowledged) expect((await (await second.read(path)).bytes()).every((byte) => byte === Number(path.slice(1)) % 256)).toBe(true);
  await second.close({ signal: AbortSignal.abort() });
});

test("a directory that cannot be written is `config`, and nothing is made in it", async () => {
  const directory = join(place(), "cache");
  mkdirSync(directory);
  if (root) {
    execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", directory]);
    mounts.push(directory);
  } else chmodSync(directory, 0o500);
  await expect(open(directory)).rejects.toMatchObject({ code: "config" });
  expect(readdirSync(directory)).toEqual([]);
});
