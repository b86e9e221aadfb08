/** So many operations at once, bodies included; nobody waits for ever, nobody is forgotten. */
import { expect, test } from "vitest";
import { memory } from "../../src/providers/memory/index.ts";
import { byteStream, find, readText, stack } from "../../src/store/index.ts";
import type { ReadReply, Store } from "../../src/store/index.ts";
import { Limit, limit } from "../../src/wrappers/index.ts";
import { code, failure, scripted } from "./at.ts";

/** Calls that wait until they are let go, and how many are below at once. */
function gate(): { readonly running: () => number; readonly peak: () => number; readonly enter: () => Promise<void>; readonly open: (count?: number) => void } {
  const waiting: (() => void)[] = [];
  let running = 0;
  let peak = 0;
  return {
    running: () => running,
    peak: () => peak,
    async enter() {
      peak = Math.max(peak, ++running);
      await new Promise<void>((done) => waiting.push(done));
      running--;
    },
    open: (count = Infinity) => waiting.splice(0, count).forEach((go) => go()),
  };
}
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));
/** As a service gives them: not in memory. */
const streaming = (reply: ReadReply): ReadReply => ({
  ...reply,
  body: byteStream({ length: reply.body.length, pull: () => reply.body.pull(), close: () => reply.body.close() }),
});

test("no more than so many at once, first come first served, questions and changes each", async () => {
  const script = scripted();
  const store = stack(memory(), script.layer, limit({ concurrency: 3 }));
  const doors = gate();
  script.before = () => doors.enter();
  const writes = Array.from({ length: 10 }, (_, i) => store.write(`/${i}`, "x"));
  const stats = Array.from({ length: 10 }, (_, i) => code(store.stat(`/${i}`)));
  await turn();
  expect(doors.running()).toBe(6);
  expect(store.layers.limit.waiting).toBe(14);
  expect(store.layers.limit.report()).toMatchObject({ concurrency: 3, reading: 3, changing: 3, waiting: 14 });
  while (doors.running() > 0) {
    doors.open(1);
    await turn();
  }
  await Promise.all([...writes, ...stats]);
  expect(doors.peak()).toBe(6);
  expect(script.calls.filter(({ operation }) => operation === "write").map(({ path }) => path)).toEqual(Array.from({ length: 10 }, (_, i) => `/${i}`));
  expect(store.layers.limit.report()).toEqual({ concurrency: 3, reading: 0, changing: 0, waiting: 0 });
});

test.each(["read to its end", "closed unread", "closed half way", "failed"])("a read holds its place until its body is %s", async (end) => {
  const script = scripted();
  const store = stack(memory(), script.layer, limit({ concurrency: 1 }));
  await store.write("/f", new Uint8Array(1000));
  script.body = (reply) => {
    if (end !== "failed") return streaming(reply);
    return {
      ...reply,
      body: byteStream({
        length: 1000,
        pull: () => {
          throw failure("unavailable");
        },
      }),
    };
  };
  const body = await store.read("/f");
  expect(store.layers.limit.report()).toMatchObject({ reading: 1, oldestReader: "/f" });
  let asked = false;
  const next = store.stat("/f").then(() => (asked = true));
  await turn();
  expect(asked).toBe(false);
  if (end === "read to its end") await body.bytes();
  else if (end === "closed unread") await body[Symbol.asyncDispose]();
  else if (end === "closed half way") for await (const _ of body) break;
  else expect(await code(body.bytes())).toBe("unavailable");
  await next;
  expect(store.layers.limit.report()).toMatchObject({ reading: 0, waiting: 0 });
});

test("what is in memory holds no place: nobody has to close it", async () => {
  const store = stack(memory(), limit({ concurrency: 1 }));
  await store.write("/f", "x");
  for (let i = 0; i < 5; i++) await store.read("/f");
  const last = await store.read("/f");
  expect(await readText(store, "/f")).toBe("x");
  expect(await last.text()).toBe("x");
  expect(store.layers.limit.report()).toMatchObject({ reading: 0 });
});

test("a failed call, a refused one and one that a layer breaks give their place back", async () => {
  const script = scripted();
  const store = stack(memory(), script.layer, limit({ concurrency: 1 }));
  expect(await code(store.stat("/gone"))).toBe("not-found");
  expect(await code(store.read("/gone"))).toBe("not-found");
  script.before = () => {
    throw failure("unavailable");
  };
  for (const work of [store.stat("/f"), store.list("/").toArray(), store.write("/f", "x"), store.space(), store.delete("/f")])
    expect(await code(work)).toBe("unavailable");
  expect(store.layers.limit.report()).toMatchObject({ reading: 0, changing: 0 });
});

test("as many copies from the store into itself as there are places: two pools, so none waits for another", async () => {
  const script = scripted();
  const store = stack(memory(), script.layer, limit({ concurrency: 2 }));
  script.body = streaming;
  for (let i = 0; i < 10; i++) await store.write(`/from/${i}`, new Uint8Array(300_000).fill(i));
  await Promise.all(Array.from({ length: 10 }, async (_, i) => store.write(`/to/${i}`, await store.read(`/from/${i}`))));
  expect((await store.list("/to").toArray()).length).toBe(10);
});

test("a call that is aborted while it waits leaves the queue, sent nothing, and takes no place", async () => {
  const script = scripted();
  const store = stack(memory(), script.layer, limit({ concurrency: 1 }));
  const doors = gate();
  script.before = () => doors.enter();
  const first = store.write("/a", "x");
  const stop = new AbortController();
  const told = (error: unknown): unknown => error;
  const second = store.write("/b", "x", { signal: stop.signal }).catch(told);
  const late = store.write("/c", "x", { signal: AbortSignal.timeout(5) }).catch(told);
  const third = store.write("/d", "x");
  await turn();
  stop.abort(new Error("no longer"));
  expect(await second).toMatchObject({ code: "aborted", applied: false, operation: "write", path: "/b" });
  expect(await late).toMatchObject({ code: "timeout", applied: false, path: "/c" });
  expect(store.layers.limit.waiting).toBe(1);
  doors.open();
  await first;
  await turn();
  doors.open();
  await third;
  expect(script.calls.map(({ path }) => path)).toEqual(["/a", "/d"]);
});

test("an abort after the call has started is no matter of the queue", async () => {
  const store = stack(memory(), limit({ concurrency: 1 }));
  const stop = new AbortController();
  await store.write("/a", "x", { signal: stop.signal });
  stop.abort();
  await store.write("/b", "x");
  expect(store.layers.limit.report()).toMatchObject({ changing: 0, waiting: 0 });
});

test("concurrency is changed while running: more start at once, fewer as places come free", async () => {
  const script = scripted();
  const store = stack(memory(), script.layer, limit({ concurrency: 1 }));
  const doors = gate();
  script.before = () => doors.enter();
  const writes = Array.from({ length: 8 }, (_, i) => store.write(`/${i}`, "x"));
  await turn();
  expect(doors.running()).toBe(1);
  await store.layers.limit.configure({ concurrency: 4 });
  await turn();
  expect(doors.running()).toBe(4);
  await store.layers.limit.configure({ concurrency: 2 });
  doors.open(3);
  await turn();
  expect(doors.running()).toBe(2);
  for (const wrong of [{ concurrency: 0 }, { concurrency: 1.5 }, { other: 1 } as object])
    await expect(store.layers.limit.configure(wrong)).rejects.toMatchObject({ code: "config" });
  expect(store.layers.limit.settings).toEqual({ concurrency: 2 });
  while (doors.running() > 0) {
    doors.open();
    await turn();
  }
  await Promise.all(writes);
});

test("the default is what the store below prefers; capabilities pass", () => {
  const store = stack(memory(), limit());
  expect(store.layers.limit.settings.concurrency).toBe(16);
  expect(store.capabilities).toEqual(memory().capabilities);
  expect(String(store)).toBe("limit(memory, concurrency=16)");
  expect(find(store as Store, Limit)?.waiting).toBe(0);
});

test("closing does not wait for a call that waits for its turn for ever: bodies end, places come free", async () => {
  const script = scripted();
  const store = stack(memory(), script.layer, limit({ concurrency: 1 }));
  await store.write("/f", new Uint8Array(1000));
  script.body = streaming;
  const body = await store.read("/f");
  const waiting = code(store.stat("/f"));
  await turn();
  await store.close();
  expect(await code(body.bytes())).toBe("closed");
  expect(["nothing", "closed"]).toContain(await waiting);
});
