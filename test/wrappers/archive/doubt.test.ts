/** Uploads whose answer was lost, which land late, or not at all. */
import { describe, expect, test } from "vitest";
import { readText } from "../../../src/store/index.ts";
import type { Call } from "../../../src/store/index.ts";
import { failure, paths } from "../at.ts";
import { Bed, until } from "./make.ts";
import type { Installation } from "./make.ts";

const HOUR_MS = 3_600_000;

/** Loses the answers of uploads; `landed` false: the requests too. */
function loseAnswers({ script }: Installation, landed: boolean): void {
  const lose = (call: Call): void => {
    if (call.operation === "write") throw failure("unavailable", { applied: "unknown" });
  };
  if (landed) script.after = lose;
  else script.before = lose;
}

/** Minutes pass until this has ended; at most an hour. */
async function passing(bed: Bed, work: Promise<unknown>): Promise<void> {
  let ended = false;
  const end = (): void => void (ended = true);
  work.then(end, end);
  for (let minute = 0; minute < 60 && !ended; minute++) await bed.clock.advance(60_000);
  await work;
}

describe("an answer that was lost", () => {
  test("stored: it is looked for and found, the call resolves", async () => {
    const one = new Bed().install();
    loseAnswers(one, true);
    await one.store.write("/a", "x");
    expect(one.script.count("write")).toBe(1);
    expect(await readText(one.store, "/a")).toBe("x");
    expect(one.control.report()["inDoubt"]).toBe(0);
  });

  test("not stored: the same archive is sent again", async () => {
    const bed = new Bed();
    const one = bed.install();
    loseAnswers(one, false);
    const written = one.store.write("/a", "x");
    await until(() => one.script.count("stat") > 0);
    one.script.before = undefined;
    await passing(bed, written);
    expect(one.script.count("write")).toBe(2);
    expect(await bed.objects()).toHaveLength(1);
  });

  test("for half of lateMs: the call rejects, and what lands then is learned", async () => {
    const bed = new Bed();
    const one = bed.install();
    loseAnswers(one, false);
    const written = one.store.write("/a", "x");
    const failed = expect(written).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
    await until(() => one.script.count("stat") > 0);
    await passing(bed, failed);
    const upload = one.script.calls.find((call) => call.operation === "write");
    expect(one.control.report()["inDoubt"]).toBe(1);
    expect(await paths(one.store)).toEqual([]);
    if (upload?.operation !== "write") throw new Error("no upload");
    await bed.remote.write(upload.path, await upload.body.open().all());
    expect(await paths(one.store)).toEqual(["/a"]);
    expect(one.control.report()["inDoubt"]).toBe(0);
  });

  test("what was deleted meanwhile does not land afterwards, also when the process ended in between", async () => {
    for (const restart of [false, true]) {
      const bed = new Bed();
      let one = bed.install();
      await one.store.write("/d/old", "x");
      loseAnswers(one, false);
      const written = one.store.write("/d/a", "x");
      const failed = expect(written).rejects.toMatchObject({ applied: "unknown" });
      await until(() => one.script.count("stat") > 0);
      const upload = one.script.calls.filter((call) => call.operation === "write").at(-1);
      if (restart) {
        await one.store.close({ signal: AbortSignal.abort() });
        await failed;
        one = bed.install({ directory: one.directory });
      } else {
        await passing(bed, failed);
        one.script.before = undefined;
      }
      await one.store.delete("/d", { recursive: true });
      if (upload?.operation !== "write") throw new Error("no upload");
      await bed.remote.write(upload.path, await upload.body.open().all());
      expect(await paths(one.store, "/", true)).toEqual([]);
      expect(await paths(bed.install().store, "/", true)).toEqual([]);
    }
  });

  test("after lateMs it is given up for good", async () => {
    const bed = new Bed();
    const one = bed.install();
    loseAnswers(one, false);
    const failed = expect(one.store.write("/a", "x")).rejects.toMatchObject({ applied: "unknown" });
    await until(() => one.script.count("stat") > 0);
    await passing(bed, failed);
    one.script.before = undefined;
    await bed.clock.advance(HOUR_MS / 2 + 1);
    await one.control.refresh();
    expect(one.control.report()["inDoubt"]).toBe(0);
  });
});

describe("a refusal for certain", () => {
  test("leaves nothing in doubt", async () => {
    const bed = new Bed();
    const one = bed.install();
    one.script.before = (call) => {
      if (call.operation === "write") throw failure("rate-limited", { applied: false, retryAfterMs: 7 });
    };
    await expect(one.store.write("/a", "x")).rejects.toMatchObject({ code: "rate-limited", applied: false, transient: true, retryAfterMs: 7 });
    expect(one.control.report()["inDoubt"]).toBe(0);
  });

  test("after a lost answer the first request is still in doubt", async () => {
    const bed = new Bed();
    const one = bed.install();
    let tries = 0;
    one.script.before = (call) => {
      if (call.operation === "write") throw tries++ === 0 ? failure("unavailable", { applied: "unknown" }) : failure("permission-denied", { applied: false });
    };
    const failed = expect(one.store.write("/a", "x")).rejects.toMatchObject({ applied: "unknown" });
    await until(() => one.script.count("stat") > 0);
    await passing(bed, failed);
    expect(one.control.report()["inDoubt"]).toBe(1);
  });
});

describe("a large file", () => {
  const large = (): AsyncIterable<Uint8Array> =>
    (async function* () {
      for (let i = 0; i < 4; i++) yield new Uint8Array(1000).fill(i);
    })();

  test("whose answer was lost is looked for", async () => {
    const one = new Bed().install({ smallBytes: 1000 });
    loseAnswers(one, true);
    await one.store.write("/a", large(), { size: 4000 });
    expect((await one.store.stat("/a")).size).toBe(4000);
  });

  test("whose request was lost and whose body is gone: the call rejects, and nothing is thrown away", async () => {
    const bed = new Bed();
    const one = bed.install({ smallBytes: 1000 });
    one.script.before = async (call) => {
      if (call.operation !== "write") return;
      await call.body.open().all();
      throw failure("unavailable", { applied: "unknown" });
    };
    const failed = expect(one.store.write("/a", large(), { size: 4000 })).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
    await until(() => one.script.count("stat") > 0);
    await passing(bed, failed);
    expect(one.control.report()["inDoubt"]).toBe(1);
  });

  test("whose body breaks off leaves nothing, and the old version", async () => {
    const bed = new Bed();
    const one = bed.install({ smallBytes: 1000 });
    await one.store.write("/a", "old");
    const broken = (async function* () {
      yield new Uint8Array(3000);
      throw new Error("broken");
    })();
    await expect(one.store.write("/a", broken, { size: 4000 })).rejects.toMatchObject({ code: "bad-body", applied: false });
    expect(await readText(one.store, "/a")).toBe("old");
    expect(await bed.objects()).toHaveLength(1);
    expect(one.control.report()["inDoubt"]).toBe(0);
  });
});
