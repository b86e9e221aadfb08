/** Group commit: when archives are sealed, and what happens to single calls of a group. */
import { describe, expect, test } from "vitest";
import { StoreError, readBytes, readText } from "../../../src/store/index.ts";
import { code, failure, paths } from "../at.ts";
import { Bed, until } from "./make.ts";

/** Lets everything that is ready run. */
const settle = (bed: Bed): Promise<void> => bed.clock.advance(0);

describe("sealing", () => {
  test("CF65: a smaller limit yields more archives", async () => {
    const counts: number[] = [];
    for (const maxBytes of [1 << 20, 4 << 20]) {
      const bed = new Bed();
      const { store, script } = bed.install({ maxBytes, maxDelayMs: 1000 });
      const all = Promise.all(Array.from({ length: 100 }, (_, i) => store.write(`/${i}`, new Uint8Array(50_000).fill(i))));
      await until(() => store.layers.archive.report()["openGroupMembers"] === (maxBytes === 1 << 20 ? 20 : 18));
      await bed.clock.advance(1000);
      await all;
      counts.push(script.count("write"));
    }
    expect(counts).toEqual([5, 2]);
  });

  test("CF65: one small file leaves after maxDelayMs", async () => {
    const bed = new Bed();
    const { store, script } = bed.install({ maxDelayMs: 1000 });
    const written = store.write("/a", "x");
    await settle(bed);
    await bed.clock.advance(999);
    expect(script.count("write")).toBe(0);
    await bed.clock.advance(1);
    await written;
    expect(script.count("write")).toBe(1);
  });

  test("CF66: sizes at the steps, of known and unknown length", async () => {
    const { store } = new Bed().install({ smallBytes: 1000, maxBytes: 65_536 });
    for (const size of [0, 999, 1000, 1001, 65_535, 65_536, 65_537, 300_000]) {
      const bytes = new Uint8Array(size).map((_, i) => i % 251);
      await store.write("/known", bytes);
      await store.write(
        "/unknown",
        (async function* () {
          for (let at = 0; at < size; at += 700) yield bytes.slice(at, at + 700);
        })(),
      );
      expect(Buffer.from(await readBytes(store, "/known")).equals(bytes)).toBe(true);
      expect(Buffer.from(await readBytes(store, "/unknown")).equals(bytes)).toBe(true);
      expect((await store.stat("/unknown")).size).toBe(size);
    }
  });

  test("close sends what is open, whatever the delay", async () => {
    const bed = new Bed();
    const { store, directory } = bed.install({ maxDelayMs: 3_600_000 });
    const written = store.write("/a", "x");
    await settle(bed);
    await store.close();
    await written;
    expect(await readText(bed.install({ directory }).store, "/a")).toBe("x");
  });
});

describe("single calls", () => {
  test("a body that fails is its own caller's trouble", async () => {
    const { store, script } = new Bed().install();
    const failing = (async function* () {
      yield new Uint8Array(5);
      throw new Error("broken");
    })();
    const [bad, good] = await Promise.allSettled([store.write("/bad", failing), store.write("/good", "x")]);
    expect(bad).toMatchObject({ status: "rejected", reason: { code: "bad-body", applied: false } });
    expect(good.status).toBe("fulfilled");
    expect(script.count("write")).toBe(1);
    expect(await paths(store)).toEqual(["/good"]);
  });

  test("what breaks a rule is refused alone", async () => {
    const { store } = new Bed().install();
    const results = await Promise.all([code(store.write("/d/x", "1")), code(store.write("/d", "2")), code(store.write("/e", "3")), code(store.mkdir("/e/f"))]);
    expect(results).toEqual(["nothing", "is-a-directory", "nothing", "not-a-directory"]);
  });

  test("before the seal an aborted call is taken out, afterwards nobody knows", async () => {
    const bed = new Bed();
    const { store, script } = bed.install({ maxDelayMs: 1000 });
    const early = new AbortController();
    const first = store.write("/early", "x", { signal: early.signal });
    const other = store.write("/other", "y");
    await settle(bed);
    early.abort();
    await expect(first).rejects.toMatchObject({ code: "aborted", applied: false });
    await bed.clock.advance(1000);
    await other;
    expect(await paths(store)).toEqual(["/other"]);

    let go: (() => void) | undefined;
    script.before = (call) => (call.operation === "write" ? new Promise<void>((done) => (go = done)) : undefined);
    const late = new AbortController();
    const second = store.write("/late", "z", { signal: late.signal });
    await settle(bed);
    await bed.clock.advance(1000);
    await until(() => go !== undefined);
    late.abort();
    await expect(second).rejects.toMatchObject({ code: "aborted", applied: "unknown" });
    go?.();
    script.before = undefined;
    await store.layers.archive.flush();
    expect(await readText(store, "/late")).toBe("z");
  });

  test("of two writes of a path in one group the later one stays, and their etags differ", async () => {
    const { store, script } = new Bed().install();
    const [one, two] = await Promise.all([store.write("/a", "one"), store.write("/a", "two")]);
    expect(script.count("write")).toBe(1);
    expect(await readText(store, "/a")).toBe("two");
    expect(one.etag).not.toBe(two.etag);
    expect(await code(store.read("/a", { ifMatch: one.etag as string }))).toBe("precondition-failed");
    expect((await store.stat("/a")).etag).toBe(two.etag);
  });

  test("a copy of what is replaced in the same group has the bytes it copied", async () => {
    const bed = new Bed();
    const { store, script } = bed.install({ refreshMs: Infinity, maxDelayMs: 1000 });
    const steps = [
      () => store.write("/a", "one"),
      () => store.copy("/a", "/b"),
      () => store.write("/a", "two"),
      () => store.copy("/b", "/c"),
      () => store.delete("/b"),
    ];
    const all: Promise<unknown>[] = [];
    for (const step of steps) {
      all.push(step());
      await until(() => store.layers.archive.report()["openGroupMembers"] === all.length);
    }
    await bed.clock.advance(1000);
    await Promise.all(all);
    expect(script.count("write")).toBe(1);
    expect([await readText(store, "/a"), await readText(store, "/c"), await paths(store)]).toEqual(["two", "one", ["/a", "/c"]]);
  });

  test("a write waits for what is on its way at its path, another does not", async () => {
    const bed = new Bed();
    const { store, script } = bed.install();
    const held: (() => void)[] = [];
    script.before = (call) => (call.operation === "write" ? new Promise<void>((done) => held.push(done)) : undefined);
    const first = store.write("/a", "1");
    await until(() => held.length === 1);
    const second = store.write("/a", "2");
    const other = store.write("/b", "3");
    await until(() => held.length === 2);
    held[1]?.();
    await other;
    await settle(bed);
    expect(held).toHaveLength(2);
    held[0]?.();
    await first;
    await until(() => held.length === 3);
    held[2]?.();
    await second;
    expect(await readText(store, "/a")).toBe("2");
  });

  test("a group that changes nothing is not sent", async () => {
    const { store, script } = new Bed().install();
    await store.delete("/nothing");
    expect(script.count("write")).toBe(0);
  });

  test("a refusal of the service reaches every call of the group, with its own path", async () => {
    const { store, script } = new Bed().install();
    script.before = (call) => {
      if (call.operation === "write") throw failure("no-space");
    };
    const results = await Promise.allSettled([store.write("/a", "x"), store.write("/b", "y")]);
    expect(results).toMatchObject([
      { status: "rejected", reason: { code: "no-space", path: "/a", applied: false } },
      { status: "rejected", reason: { code: "no-space", path: "/b", applied: false } },
    ]);
    script.before = undefined;
    expect(await paths(store)).toEqual([]);
    expect(store.layers.archive.report()["inDoubt"]).toBe(0);
  });
});

describe("names, CF68", () => {
  test("no archive name in listings, text or errors", async () => {
    const bed = new Bed();
    const { store, script } = bed.install();
    await store.write("/a", "x");
    await store.write("/.stratus-archive", "a file of the caller");
    await store.mkdir("/.stratus");
    const object = (await bed.objects())[0] as string;
    const said: string[] = [String(store), ...(await paths(store, "/", true))];
    for (const operation of ["write", "read", "list", "stat"] as const) {
      script.before = (call) => {
        if (call.operation === operation) throw new StoreError("permission-denied", "made up", { path: call.path, operation: call.operation });
      };
      for (const work of [() => store.write("/b", "y"), () => readText(store, "/a"), () => store.stat("/a"), () => store.list("/").toArray()]) {
        store.layers.archive.report();
        const error = await work().then(
          () => undefined,
          (problem: unknown) => problem as StoreError,
        );
        if (error !== undefined) said.push(error.message, error.reason, String(error.path), JSON.stringify(error.entry));
      }
      const control = await store.layers.archive.refresh().catch((problem: unknown) => problem as StoreError);
      if (control !== undefined) said.push(control.message, String(control.path));
    }
    for (const text of said) {
      expect(text).not.toContain(object.slice(0, 20));
      expect(text).not.toContain("/.stratus-archive/");
    }
    expect(await paths(bed.install().store)).toEqual(["/.stratus", "/.stratus-archive", "/a", "/b"]);
  });
});
