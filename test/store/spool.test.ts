import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { toSource } from "../../src/store/body.ts";
import { StoreError, spool } from "../../src/store/index.ts";
import { fakeStore } from "./make.ts";

test("a spooled body is whole, in memory and beyond what memory may hold", async () => {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < 40; i++) {
      await new Promise((done) => setImmediate(done));
      yield new Uint8Array(1000).fill(i);
    }
  };
  for (const memoryBytes of [100, 10_000, 1_000_000]) {
    await using spooled = await spool(toSource(pieces()), { memoryBytes });
    expect(spooled.size).toBe(40_000);
    expect(spooled.replayable).toBe(true);
    for (let again = 0; again < 2; again++) {
      const bytes = await spooled.open().all();
      expect([bytes.byteLength, bytes[0], bytes[39_999], bytes[20_000]]).toEqual([40_000, 0, 39, 20]);
    }
  }
});

test("a body that fails while it is spooled fails the spooling", async () => {
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1000);
    await new Promise((done) => setImmediate(done));
    throw new Error("gone");
  };
  await expect(spool(toSource(failing()), { memoryBytes: 100 })).rejects.toMatchObject({ code: "bad-body" });
});

test("the temporary directory of a spooled body is named after this process, and goes with the body", async () => {
  const own = async (): Promise<string[]> => (await readdir(tmpdir())).filter((name) => name.startsWith(`stratus-spool-${process.pid}-`));
  const piece = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1000);
  };
  const before = await own();
  const spooled = await spool(toSource(piece()), { memoryBytes: 100 });
  expect((await own()).length).toBe(before.length + 1);
  await spooled[Symbol.asyncDispose]();
  expect(await own()).toEqual(before);
});

test("where the temporary folder cannot be written the error says so, as nobody else's fault, and nothing was asked of the service", async () => {
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = "/nowhere/at/all";
  try {
    const store = fakeStore({ translate: () => new StoreError("not-found", "mistaken for an error of the service") });
    const body = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 3; i++) yield new Uint8Array(1 << 20);
    };
    expect(await store.write("/a", body()).catch((error: unknown) => error)).toMatchObject({
      code: "config",
      applied: false,
      operation: "write",
      path: "/a",
      cause: { code: "ENOENT" },
    });
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
});
