/** ByteStream: bytes in order, once, pulled; closed at any moment; watched without being changed. */
import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { byteStream, bytesFrom } from "../../src/store/index.ts";
import type { ByteSource, ByteStream } from "../../src/store/index.ts";
import { pieces, stuck, text, thrown, tick } from "./make.ts";

const encode = (value: string): Uint8Array => new TextEncoder().encode(value);

function source(chunks: readonly string[], more: Partial<ByteSource> = {}): ByteSource & { closed: number; pulls: number } {
  const left = chunks.map(encode);
  const made = {
    length: null,
    closed: 0,
    pulls: 0,
    pull: (): Promise<Uint8Array | undefined> => {
      made.pulls++;
      return Promise.resolve(left.shift());
    },
    close: () => void made.closed++,
    ...more,
  };
  return made;
}

async function drain(stream: ByteStream): Promise<string> {
  let all = "";
  for (let chunk = await stream.pull(); chunk !== undefined; chunk = await stream.pull()) all += text(chunk);
  return all;
}

test("gives every chunk once, closes its source at the end, and says undefined from then on", async () => {
  const from = source(["ab", "", "c"]);
  const stream = byteStream(from);
  expect(await drain(stream)).toBe("abc");
  expect(from.closed).toBe(1);
  expect(await stream.pull()).toBeUndefined();
  await stream.close();
  expect([from.closed, from.pulls]).toEqual([1, 4]);
});

test.each([
  ["short", 4, undefined],
  ["long", 2, undefined],
  ["short, of a writer", 4, "bad-body" as const],
])("a body that is %s is an error, not an end; every later pull says it again", async (_, length, wrongLength) => {
  const from = source(["ab", "c"], { length, wrongLength });
  const stream = byteStream(from);
  const error = await thrown(drain(stream));
  expect(error).toMatchObject({ code: wrongLength ?? "unavailable" });
  expect(await thrown(stream.pull())).toBe(error);
  expect(from.closed).toBe(1);
});

test("close before the first pull, and twice, lets go once; nothing is pulled afterwards", async () => {
  const from = source(["a"]);
  const stream = byteStream(from);
  await Promise.all([stream.close(), stream.close()]);
  await stream.close();
  expect(await stream.pull()).toBeUndefined();
  expect([from.closed, from.pulls]).toEqual([1, 0]);
});

test("close ends a pull that waits for a source which never answers, and an answer that comes later is nobody's", async () => {
  let answer!: (chunk: Uint8Array) => void;
  let fail!: (error: Error) => void;
  for (const late of [() => answer(encode("late")), () => fail(new Error("late"))]) {
    const stream = byteStream({ length: null, pull: () => new Promise((done, no) => ([answer, fail] = [done, no])) });
    const pending = stream.pull();
    await stream.close();
    expect(await pending).toBeUndefined();
    late();
    await tick();
    expect(await stream.pull()).toBeUndefined();
  }
});

test("several pulls at once get the chunks in order, and all of them end with the stream", async () => {
  const left = ["a", "b"];
  const stream = bytesFrom(
    (async function* () {
      for (const one of left) yield encode(one);
      await new Promise(() => {});
    })(),
  );
  const pulls = Array.from({ length: 4 }, () => stream.pull());
  expect([text((await pulls[0]) as Uint8Array), text((await pulls[1]) as Uint8Array)]).toEqual(["a", "b"]);
  await stream.close();
  expect(await Promise.all(pulls.slice(2))).toEqual([undefined, undefined]);
  const stop = new AbortController();
  const aborted = bytesFrom(stuck(), { signal: stop.signal });
  const both = [aborted.pull(), aborted.pull(), aborted.pull()];
  await both[0];
  stop.abort(new Error("enough"));
  for (const one of both.slice(1)) await expect(one).rejects.toThrow("enough");
});

test("closing does not wait for a generator that is stuck in its own pull", async () => {
  const body = stuck();
  const stream = bytesFrom(body);
  await stream.pull();
  const pending = stream.pull();
  await stream.close();
  expect(await pending).toBeUndefined();
  expect(body.closed).toBe(1);
});

test("all(): whole, also from a source that fills one buffer again and again", async () => {
  const buffer = new Uint8Array(2);
  let n = 0;
  const pull = (): Uint8Array | undefined => (n++ < 3 ? buffer.fill(96 + n) : undefined);
  expect(text(await byteStream({ length: 6, pull }).all())).toBe("aabbcc");
  n = 0;
  expect(text(await byteStream({ length: null, pull }).all())).toBe("aabbcc");
});

test("all() of a body that is closed meanwhile is an error: never zeros, never a part", async () => {
  for (const length of [null, 4]) {
    let count = 0;
    const stream = byteStream({ length, pull: () => (count++ === 0 ? encode("ab") : new Promise(() => {})) });
    const whole = stream.all();
    await tick();
    await stream.close();
    await expect(whole).rejects.toMatchObject({ code: "closed" });
  }
  const closed = byteStream(source(["ab"]));
  await closed.close();
  await expect(closed.all()).rejects.toMatchObject({ code: "closed" });
});

test("all() after a pull, or a second time, is refused instead of giving the rest as the whole", async () => {
  const stream = byteStream(source(["ab", "cd"], { length: 4 }));
  await stream.pull();
  await expect(stream.all()).rejects.toThrow("before any of it was pulled");
  const bytes = bytesFrom(encode("ab"));
  await bytes.all();
  await expect(bytes.all()).rejects.toThrow("before any of it was pulled");
});

test("observers see each chunk and the end exactly once: complete, failed, closed", async () => {
  const watch = (stream: ByteStream): { seen: string; ends: unknown[] } => {
    const log = { seen: "", ends: [] as unknown[] };
    stream.observe({ chunk: (chunk) => void (log.seen += text(chunk)), end: (outcome) => log.ends.push(outcome) });
    return log;
  };
  const whole = byteStream(source(["ab", "c"]));
  const one = watch(whole);
  await drain(whole);
  await whole.close();
  expect(one).toEqual({ seen: "abc", ends: [{ bytes: 3, complete: true, error: undefined }] });

  const broken = byteStream({ length: null, pull: () => Promise.reject(new Error("broken")) });
  const two = watch(broken);
  await thrown(broken.pull());
  await broken.close();
  expect(two.ends).toEqual([{ bytes: 0, complete: false, error: new Error("broken") }]);

  const left = byteStream(source(["ab", "c"]));
  const three = watch(left);
  await left.pull();
  await left.close();
  expect(three).toEqual({ seen: "ab", ends: [{ bytes: 2, complete: false, error: undefined }] });

  const bytes = bytesFrom(encode("xyz"));
  const four = watch(bytes);
  await bytes.all();
  expect(four).toEqual({ seen: "xyz", ends: [{ bytes: 3, complete: true, error: undefined }] });
});

test("an observer that is added late would miss bytes: refused", async () => {
  const stream = byteStream(source(["a", "b"]));
  await stream.pull();
  expect(() => stream.observe({})).toThrow("before it is read");
});

test("what an observer throws fails the body; a promise of its own holds the bytes back", async () => {
  const from = source(["a", "b"]);
  const stream = byteStream(from);
  stream.observe({
    chunk: () => {
      throw new Error("no more");
    },
  });
  await expect(stream.pull()).rejects.toThrow("no more");
  expect(from.closed).toBe(1);

  let open!: () => void;
  const gated = byteStream(source(["a"]));
  gated.observe({ chunk: () => new Promise<void>((done) => (open = done)) });
  let arrived = false;
  const pulled = gated.pull().then(() => (arrived = true));
  await tick();
  expect(arrived).toBe(false);
  open();
  await pulled;
});

test.each(["complete", "failed", "closed"] as const)("an observer whose end throws (%s) keeps no other from its end, and the source is let go", async (how) => {
  const from = source(["a"], how === "failed" ? { pull: () => Promise.reject(new Error("broken")) } : {});
  const stream = byteStream(from);
  let ended = 0;
  stream.observe({
    end: () => {
      throw new Error("a defect");
    },
  });
  stream.observe({ end: () => void ended++ });
  const error = await thrown(how === "closed" ? stream.close() : drain(stream));
  expect((error as Error).message).toBe(how === "failed" ? "broken" : "a defect");
  expect([ended, from.closed]).toEqual([1, 1]);
});

test("what is no bytes is refused, whatever gives it", async () => {
  await expect(bytesFrom(Readable.from(["text"])).pull()).rejects.toThrow(TypeError);
  await expect(bytesFrom(Readable.from([{ an: "object" }])).pull()).rejects.toThrow(TypeError);
  expect(() => bytesFrom({} as never)).toThrow(TypeError);
});

test("a Node stream is destroyed by close, also when nothing was ever pulled", async () => {
  for (const pulls of [0, 1]) {
    const stream = new PassThrough();
    stream.write("ab");
    const bytes = bytesFrom(stream);
    if (pulls > 0) await bytes.pull();
    await bytes.close();
    expect(stream.destroyed).toBe(true);
  }
});

test("a Node stream that fails before the first pull, in the middle, or is cut off, is an error", async () => {
  const early = new PassThrough();
  const bytes = bytesFrom(early);
  early.destroy(new Error("early"));
  await tick();
  await expect(bytes.pull()).rejects.toThrow("early");

  const late = new PassThrough();
  late.write("ab");
  const rest = bytesFrom(late);
  expect(text((await rest.pull()) as Uint8Array)).toBe("ab");
  late.destroy(new Error("late"));
  await expect(rest.pull()).rejects.toThrow("late");

  const cut = new PassThrough();
  const nothing = bytesFrom(cut);
  cut.destroy();
  await tick();
  await expect(nothing.pull()).rejects.toThrow();
});

test("a web stream is cancelled by close, and a locked one belongs to somebody else", async () => {
  let cancelled = 0;
  const make = (): ReadableStream<Uint8Array> => new ReadableStream({ pull: (to) => to.enqueue(encode("a")), cancel: () => void cancelled++ });
  const unread = bytesFrom(make());
  await unread.close();
  const read = bytesFrom(make());
  await read.pull();
  await read.close();
  expect(cancelled).toBe(2);
  const locked = make();
  locked.getReader();
  const bytes = bytesFrom(locked);
  await expect(bytes.pull()).rejects.toThrow();
  await bytes.close();
  expect(cancelled).toBe(2);
});

test("a signal ends a pull with its reason, also of a source that never answers, and leaves no listener behind", async () => {
  const stop = new AbortController();
  const body = stuck();
  const stream = bytesFrom(body, { signal: stop.signal });
  await stream.pull();
  const pending = stream.pull();
  stop.abort(new Error("enough"));
  await expect(pending).rejects.toThrow("enough");
  await stream.close();

  const { signal } = new AbortController();
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  expect(await drain(bytesFrom(pieces("a", "b"), { signal }))).toBe("ab");
  const half = bytesFrom(pieces("a", "b"), { signal });
  await half.pull();
  await half.close();
  expect(listeners).toBe(0);
});

test("iterating closes the stream when the loop is left", async () => {
  const from = source(["a", "b"]);
  for await (const chunk of byteStream(from)) {
    expect(text(chunk)).toBe("a");
    break;
  }
  expect(from.closed).toBe(1);
});

test("a length that was only announced takes no memory beforehand beyond what is reasonable", async () => {
  await expect(byteStream({ length: Number.MAX_SAFE_INTEGER, pull: () => undefined }).all()).rejects.toMatchObject({ code: "unavailable" });
  const huge = byteStream({ length: 2 ** 45, pull: source(["a"]).pull });
  await expect(huge.all()).rejects.toMatchObject({ code: "unavailable" });
});
