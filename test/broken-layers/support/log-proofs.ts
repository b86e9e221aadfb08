/** What must hold of `log` and `logFile`. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory } from "../../../src/providers/memory/index.ts";
import { manualClock, readBytes, stack } from "../../../src/store/index.ts";
import type { LogRecord } from "../../../src/wrappers/index.ts";
import type { Proof } from "../registry.ts";
import type { Wrappers } from "./mutant.ts";
import { codeOf, failure, service } from "./service.ts";

export const records: Proof<Wrappers> = {
  name: "log: one record per call, at its very end, with operation, paths, time, bytes, outcome, code, applied and attempts",
  async run({ log, retry }) {
    const clock = manualClock(1_000_000);
    const below = service(clock);
    const told: LogRecord[] = [];
    await using store = stack(below.store, retry({ clock, attempts: 2, firstDelayMs: 0 }), log({ clock, sink: { write: (record) => void told.push(record) } }));
    await store.write("/f", new Uint8Array(1000));
    below.delayMs = 100;
    const opening = store.read("/f");
    await clock.advance(100);
    const body = await opening;
    assert.equal(told.length, 1, "a read is told when its body ends");
    const read = body.bytes();
    await clock.advance(100);
    await read;
    below.delayMs = 0;
    await (await store.read("/f"))[Symbol.asyncDispose]();
    below.failing.set("copy", failure("unavailable", "with secret /path", { cause: new Error("token=hunter2") }));
    const copied = codeOf(store.copy("/f", "/g"));
    await clock.advance(10);
    assert.equal(await copied, "unavailable");
    assert.deepEqual(told, [
      { atMs: 1_000_000, log: "log", operation: "write", path: "/f", ms: 0, bytesUp: 1000, bytesDown: 0, outcome: "ok" },
      { atMs: 1_000_200, log: "log", operation: "read", path: "/f", ms: 200, bytesUp: 0, bytesDown: 1000, outcome: "ok" },
      { atMs: 1_000_200, log: "log", operation: "read", path: "/f", ms: 0, bytesUp: 0, bytesDown: 0, outcome: "closed-early" },
      {
        atMs: 1_000_200,
        log: "log",
        operation: "copy",
        path: "/f",
        to: "/g",
        ms: 0,
        bytesUp: 0,
        bytesDown: 0,
        outcome: "failed",
        code: "unavailable",
        applied: "unknown",
        attempts: 2,
      },
    ]);
    assert.ok(!/secret|hunter2/.test(JSON.stringify(told)), "no words of errors");
  },
};

export const levels: Proof<Wrappers> = {
  name: "CF99: what is logged is changed while the store runs: off, failures, changes, all; paths or none",
  async run({ log }) {
    const told: string[] = [];
    const sink = { write: ({ operation, path, code }: LogRecord): void => void told.push(`${operation} ${path ?? "-"} ${code ?? "ok"}`) };
    await using store = stack(memory(), log({ sink, level: "off" }));
    const work = async (): Promise<string[]> => {
      told.length = 0;
      const { etag } = await store.write("/f", "text");
      await store.stat("/f");
      await readBytes(store, "/f");
      await codeOf(store.stat("/none"));
      await codeOf(store.read("/f", { ifNoneMatch: etag as string }));
      return [...told];
    };
    assert.deepEqual(await work(), []);
    await store.layers.log.configure({ level: "failures" });
    assert.deepEqual(await work(), ["stat /none not-found"]);
    await store.layers.log.configure({ level: "changes" });
    assert.deepEqual(await work(), ["write /f ok", "stat /none not-found"]);
    await store.layers.log.configure({ level: "all", paths: false });
    assert.deepEqual(await work(), ["write - ok", "stat - ok", "read - ok", "stat - not-found", "read - not-modified"]);
    await store.layers.log.configure({ level: "off" });
    assert.deepEqual(await work(), []);
  },
};

export const brokenSinks: Proof<Wrappers> = {
  name: "log: a sink that fails is counted, and fails no call",
  async run({ log }) {
    await using store = stack(
      memory(),
      log({
        sink: {
          write() {
            throw new Error("the disk for logs is full");
          },
        },
      }),
    );
    await store.write("/f", "text");
    assert.equal(await codeOf(store.stat("/none")), "not-found");
    await readBytes(store, "/f");
    assert.deepEqual(store.layers.log.report(), { records: 0, lost: 3, level: "all" });
  },
};

export const files: Proof<Wrappers> = {
  name: "log: a file gets whole lines of JSON, appended, for its owner alone (CF109), whatever a path holds",
  async run({ log, logFile }) {
    const directory = await mkdtemp(join(tmpdir(), "stratus-log-"));
    try {
      const file = join(directory, "calls.log");
      for (const name of ["/a\nb", '/"quoted"\u2028', "/ä"]) {
        await using store = stack(memory(), log({ sink: logFile(file), name: "one" }));
        await store.write(name, "text");
        await store.close();
      }
      const lines = (await readFile(file, "utf8")).split("\n");
      assert.equal(lines.pop(), "");
      assert.deepEqual(
        lines.map((line) => (JSON.parse(line) as LogRecord).path),
        ["/a\nb", '/"quoted"\u2028', "/ä"],
      );
      assert.equal((await stat(file)).mode & 0o777, 0o600);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

export const logProofs: readonly Proof<Wrappers>[] = [records, levels, brokenSinks, files];
