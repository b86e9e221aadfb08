/** One owner, closing, settings while it runs, modes, files on the disk. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memory } from "../../../src/providers/memory/index.ts";
import { borrow, readText, stack } from "../../../src/store/index.ts";
import { caching, retry } from "../../../src/wrappers/index.ts";
import { code, failure, paths } from "../at.ts";
import { bench, gate, quiet, until } from "./bench.ts";
import { cacheDirectory } from "./cache-directory.ts";

const lazy = { uploadDelayMs: 1e9, maxDelayMs: 1e9 } as const;

describe("one cache, one owner (CF41)", () => {
  test("a second one in this process is refused, and gets in when the first is closed", async () => {
    const directory = cacheDirectory();
    const first = stack(memory(), caching({ directory }));
    await first.open();
    const second = stack(memory(), caching({ directory }));
    expect(await code(second.open())).toBe("conflict");
    await first.close();
    expect(await code(second.open())).toBe("nothing");
    await second.close();
  });

  test("another process is refused, also after the owner has read its own database file, and is told who has it", async () => {
    const directory = cacheDirectory();
    await using first = stack(memory(), caching({ directory }));
    await first.open();
    readFileSync(join(directory, "journal.db"));
    const source = (name: string): string => JSON.stringify(new URL(`../../../src/${name}`, import.meta.url).href);
    const program = `
      import { memory } from ${source("providers/memory/index.ts")};
      import { stack } from ${source("store/index.ts")};
      import { caching } from ${source("wrappers/index.ts")};
      await stack(memory(), caching({ directory: ${JSON.stringify(directory)} })).open().then(() => console.log("opened"), (error) => console.log(error.code, error.transient, error.reason));`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", program], { encoding: "utf8" });
    expect(stdout).toMatch(new RegExp(`^conflict false .*in use by process ${process.pid} on host`));
  });
});

test("flush as the first call of a process sends what the one before has left; after close it is refused", async () => {
  const before = bench({ ...lazy, flushOnClose: false });
  await before.store.write("/a", "left");
  await before.store.close();
  const b = before.again();
  await b.cache.flush();
  expect(await readText(b.base, "/a")).toBe("left");
  await b.store.close();
  expect(await code(b.cache.flush())).toBe("closed");
});

test("the same below another layer, which is opened by its own first call", async () => {
  const directory = cacheDirectory();
  const base = memory();
  const made = () => stack(borrow(base), caching({ directory, ...lazy, flushOnClose: false }), retry());
  const first = made();
  await first.write("/a", "left");
  await first.close();
  await using second = made();
  await second.layers.caching.flush();
  expect(await readText(base, "/a")).toBe("left");
  expect(await readText(second, "/a")).toBe("left");
});

describe("closing (CF106)", () => {
  test("waits until the remote has everything", async () => {
    const b = bench(lazy);
    await b.store.write("/a", "x");
    await b.store.move("/a", "/b");
    await b.store.close();
    expect(await paths(b.base)).toEqual(["/b"]);
  });

  test("with a signal that fires it keeps what is pending for the next opening", async () => {
    const b = bench(lazy);
    const hold = gate();
    b.script.before = (call) => (call.operation === "write" ? hold.open : undefined);
    await b.store.write("/a", "x");
    const stop = new AbortController();
    const closing = b.store.close({ signal: stop.signal });
    await until(() => b.script.count("write") === 1);
    stop.abort();
    hold.let();
    await closing;
    await using again = b.again();
    // Whoever stops waiting does not wait for the directory to be given back either.
    while ((await code(again.store.open())) === "conflict") await quiet();
    expect(await readText(again.store, "/a")).toBe("x");
    await again.cache.flush();
    expect(await readText(again.base, "/a")).toBe("x");
  });

  test("does not wait for what a failed call may still do: nothing of it was acknowledged, and the next opening holds its paths again", async () => {
    const b = bench({ mode: "write-through", holdMs: 60_000 });
    b.script.before = ({ operation }) => {
      if (operation === "write") throw failure("unavailable", { applied: "unknown" });
    };
    expect(await code(b.store.write("/a", "x"))).toBe("unavailable");
    await b.store.close();
    const next = b.again();
    const stop = new AbortController();
    const waiting = code(next.store.write("/a", "y", { signal: stop.signal }));
    await quiet();
    expect(next.sent("write")).toEqual([]);
    stop.abort();
    expect(await waiting).toBe("aborted");
    await next.store.close();
  });

  test("without flushOnClose everything stays on the disk, and the next opening uploads it (CF39)", async () => {
    const b = bench({ ...lazy, flushOnClose: false });
    await b.store.write("/a", "x");
    await b.store.close();
    expect(await paths(b.base)).toEqual([]);
    await using again = b.again({ uploadDelayMs: 0, maxDelayMs: 0 });
    await again.store.open();
    await until(() => again.cache.dirty().length === 0);
    expect(await paths(b.base)).toEqual(["/a"]);
  });

  test("whose directory is removed while it is open acknowledges nothing more, and still sends what was pending in the journal", async () => {
    await using b = bench({ ...lazy });
    await b.store.write("/a", "safe so far");
    rmSync(b.directory, { recursive: true });
    for (const change of [
      () => b.store.write("/b", "lost with a crash"),
      () => b.store.mkdir("/d"),
      () => b.store.delete("/a"),
      () => b.store.move("/a", "/c"),
    ] satisfies (() => Promise<unknown>)[])
      await expect(change()).rejects.toMatchObject({ code: "unavailable", applied: false, transient: false });
    expect(b.events.filter(({ name }) => name === "journal-failed")).toHaveLength(1);
    expect(await readText(b.store, "/a")).toBe("safe so far");
    await b.cache.flush();
    expect(await readText(b.base, "/a")).toBe("safe so far");
    expect(await paths(b.base)).toEqual(["/a"]);
  });

  test("leaves a directory in which only what the format names lies, and its files only to their owner (CF109)", async () => {
    const b = bench(lazy);
    await b.store.write("/a", new Uint8Array(100_000));
    expect(statSync(b.directory).mode & 0o777).toBe(0o700);
    for (const name of ["journal.db", "journal.db-wal", "owner.db", "owner.json", "FORMAT"]) expect(statSync(join(b.directory, name)).mode & 0o077).toBe(0);
    const block = readdirSync(join(b.directory, "content"))[0] as string;
    const file = readdirSync(join(b.directory, "content", block))[0] as string;
    expect(statSync(join(b.directory, "content", block, file)).mode & 0o777).toBe(0o600);
    expect(statSync(join(b.directory, "content", block)).mode & 0o777).toBe(0o700);
    await b.store.close();
    expect(readdirSync(b.directory).sort()).toEqual(["FORMAT", "content", "fill", "journal.db", "owner.db", "reserve"]);
  });
});

describe("settings", () => {
  test("are in force at once, without a restart (CF99)", async () => {
    await using b = bench(lazy);
    await b.store.write("/a", "x");
    await b.cache.configure({ uploadDelayMs: 0, freshMs: 5 });
    await b.store.write("/b", "x");
    await until(() => !b.cache.state("/b").dirty);
    expect(b.cache.settings).toMatchObject({ uploadDelayMs: 0, freshMs: 5 });
    expect(await code(b.cache.configure({ directory: "/elsewhere" }))).toBe("config");
    expect(await code(b.cache.configure({ mode: "read-only" }))).toBe("config");
    expect(await code(b.cache.configure({ cacheBytes: 1e12 }))).toBe("config");
  });

  test("a retry below that resends changes of unknown outcome is refused", () => {
    expect(() => stack(memory(), retry(), caching({ directory: "/tmp/x" }))).toThrow(/ambiguous/);
    expect(() => stack(memory(), retry({ ambiguous: "reject" }), caching({ directory: "/tmp/x" }))).not.toThrow();
  });

  test("pending work of one store does not go to another", async () => {
    const b = bench({ ...lazy, flushOnClose: false });
    await b.store.write("/a", "x");
    await b.store.close();
    const other = stack(memory(), retry({ ambiguous: "reject" }), caching({ directory: b.directory, flushOnClose: false }));
    // The identity of memory is its kind, so that of a prefix above it differs.
    await other.open();
    await other.close();
    const { prefix } = await import("../../../src/wrappers/index.ts");
    const elsewhere = stack(memory(), prefix("/x"), caching({ directory: b.directory }));
    expect(await code(elsewhere.open())).toBe("config");
    await using adopted = stack(memory(), prefix("/x"), caching({ directory: b.directory, adopt: true }));
    expect(await readText(adopted, "/a")).toBe("x");
  });
});

describe("modes", () => {
  test("write-through: acknowledged when the remote has it, read without a request, failures told", async () => {
    await using b = bench({ mode: "write-through" });
    await b.store.write("/a", "x");
    expect(await readText(b.base, "/a")).toBe("x");
    await readText(b.store, "/a");
    expect(b.sent("read")).toEqual([]);
    b.script.before = (call) => {
      if (call.operation === "write") throw failure("permission-denied", { applied: false });
    };
    expect(await code(b.store.write("/a", "y"))).toBe("permission-denied");
    expect(await readText(b.store, "/a")).toBe("x");
    await b.store.delete("/a");
    expect(await paths(b.base)).toEqual([]);
  });

  test("read-only: changes are refused, reads are kept", async () => {
    await using b = bench({ mode: "read-only" });
    await b.base.write("/a", "x");
    expect(await code(b.store.write("/b", "y"))).toBe("unsupported");
    expect(await code(b.store.delete("/a"))).toBe("unsupported");
    expect(await readText(b.store, "/a")).toBe("x");
    await until(() => b.cache.state("/a").state === "clean");
    await readText(b.store, "/a");
    expect(b.sent("read")).toHaveLength(1);
  });
});

describe("the heartbeat (CF32)", () => {
  test("a scheduler that was not there for its time is reported, its transfers end, and it goes on", async () => {
    const { manualClock } = await import("../../../src/store/index.ts");
    const real = manualClock(1e12);
    // Timers that never fire: what a lost wake-up looks like.
    const clock = {
      ...real,
      sleep: (_ms: number, signal?: AbortSignal) => new Promise<void>((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason as Error))),
    };
    await using b = bench({ uploadDelayMs: 0, heartbeatMs: 10_000 }, { base: memory(), clock, directory: cacheDirectory() });
    b.script.before = (call) => {
      if (call.operation !== "write" || b.script.count("write") > 1) return;
      return new Promise((_, fail) => call.signal?.addEventListener("abort", () => fail(failure("aborted", { applied: false }))));
    };
    await b.store.write("/a", "x");
    await until(() => b.script.count("write") === 1);
    await real.advance(20_000);
    await b.store.write("/b", "y");
    await until(() => b.events.some(({ name }) => name === "recovered"));
    expect(b.events.some(({ name }) => name === "stalled")).toBe(true);
    await until(() => b.cache.dirty().length === 0);
    expect(await paths(b.base)).toEqual(["/a", "/b"]);
  });
});

describe("a directory that is not ours", () => {
  test("of another program, or of a newer release: config, and nothing is touched", async () => {
    const directory = cacheDirectory();
    writeFileSync(join(directory, "FORMAT"), "something else\n");
    expect(await code(stack(memory(), caching({ directory })).open())).toBe("config");
    writeFileSync(join(directory, "FORMAT"), "stratus cache 999\n");
    expect(await code(stack(memory(), caching({ directory })).open())).toBe("config");
    expect(readdirSync(directory)).toEqual(["FORMAT"]);
  });

  test("content without its journal: corrupt, and nothing is deleted", async () => {
    const directory = cacheDirectory();
    mkdirSync(join(directory, "content", "1-0"), { recursive: true });
    writeFileSync(join(directory, "content", "1-0", "7"), "precious");
    expect(await code(stack(memory(), caching({ directory })).open())).toBe("corrupt");
    expect(readFileSync(join(directory, "content", "1-0", "7"), "utf8")).toBe("precious");
  });
});

test("a store is borrowed here, so its base stays open", async () => {
  const base = memory();
  await stack(borrow(base), caching({ directory: cacheDirectory() })).close();
  await base.write("/a", "x");
});
