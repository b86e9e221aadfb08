/** Reads: windows, verification, archives that are gone. */
import { describe, expect, test } from "vitest";
import { borrow, byteStream, readBytes, readText, stack } from "../../../src/store/index.ts";
import type { ByteStream, StoreError } from "../../../src/store/index.ts";
import { archive } from "../../../src/wrappers/archive/index.ts";
import { retry } from "../../../src/wrappers/retry.ts";
import { code, failure, scripted } from "../at.ts";
import { Bed, scratch } from "./make.ts";
import type { Installation } from "./make.ts";

const FOLDER = "/.stratus-archive";

/** A view of what `one` wrote, that has read nothing yet. */
async function reader(bed: Bed, options = {}): Promise<Installation> {
  const two = bed.install({ refreshMs: Infinity, ...options });
  await two.store.list("/").toArray();
  two.script.calls.length = 0;
  return two;
}

describe("CF69: reading members", () => {
  test("a second member of a small archive costs no request", async () => {
    const bed = new Bed();
    const one = bed.install();
    await Promise.all(Array.from({ length: 20 }, (_, i) => one.store.write(`/d/${i}`, `body ${i}`)));
    const two = await reader(bed);
    expect(await readText(two.store, "/d/3")).toBe("body 3");
    expect(await readText(two.store, "/d/17")).toBe("body 17");
    expect(two.script.calls.map(({ operation }) => operation)).toEqual(["read"]);
  });

  test("reads of one turn that lie close are one request; a thousand of ten thousand at most thirty", async () => {
    const bed = new Bed();
    const one = bed.install({ refreshMs: Infinity });
    await Promise.all(Array.from({ length: 2000 }, (_, i) => one.store.write(`/${i % 10}/${i}`, `${i} `.repeat(400))));
    const two = await reader(bed);
    await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        readText(two.store, `/${i % 10}/${i * 10 + (i % 10)}`).then((text) => expect(text.startsWith(`${i * 10 + (i % 10)} `)).toBe(true)),
      ),
    );
    expect(two.script.count("read")).toBeLessThanOrEqual(30);
  });

  test("a part of a large member is one range, and nothing is kept of it", async () => {
    const bed = new Bed();
    const one = bed.install();
    const bytes = new Uint8Array(2 << 20).map((_, i) => i % 253);
    await one.store.write("/large", bytes);
    const two = await reader(bed);
    const part = await readBytes(two.store, "/large", { range: { offset: 1_000_001, length: 10 } });
    expect([...part]).toEqual([...bytes.subarray(1_000_001, 1_000_011)]);
    expect([...(await readBytes(two.store, "/large", { range: { offset: -3 } }))]).toEqual([...bytes.subarray(-3)]);
    expect(two.script.count("read")).toBe(2);
    expect(two.control.report()["readCacheBytes"]).toBe(0);
  });
});

describe("bytes that changed", () => {
  async function damage(bed: Bed): Promise<void> {
    const [object] = await bed.objects();
    const bytes = await readBytes(bed.remote, `${FOLDER}/${object}`);
    bytes[600] = (bytes[600] ?? 0) ^ 1;
    bytes[70_000] = (bytes[70_000] ?? 0) ^ 1;
    await bed.remote.write(`${FOLDER}/${object}`, bytes);
  }

  test("integrity, of that member only; a part of a small one too", async () => {
    const bed = new Bed();
    const one = bed.install();
    await Promise.all([one.store.write("/a", "a".repeat(1000)), one.store.write("/b", "b".repeat(1000))]);
    const [object] = await bed.objects();
    const bytes = await readBytes(bed.remote, `${FOLDER}/${object}`);
    bytes[600] = 0;
    await bed.remote.write(`${FOLDER}/${object}`, bytes);
    expect(await code(one.store.read("/a"))).toBe("integrity");
    expect(await code(one.store.read("/a", { range: { offset: 900 } }))).toBe("integrity");
    expect(await readText(one.store, "/b")).toBe("b".repeat(1000));
    expect((await one.control.verify({ data: true })).map(({ path }) => path)).toEqual(["/a"]);
  });

  test("of a streamed member before its last bytes are let go", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/large", new Uint8Array(2 << 20).fill(5));
    await damage(bed);
    expect(await code(readBytes(one.store, "/large"))).toBe("integrity");
  });
});

describe("an archive that is gone", () => {
  test("and was not packed again: the files go with the next refresh, and a read says so", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    const two = await reader(bed);
    await bed.remote.delete(FOLDER, { recursive: true });
    expect(await code(two.store.read("/a"))).toBe("not-found");
    expect(two.script.count("list")).toBe(1);
  });

  test("and comes back with the listing: the files are there again", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    const [object] = await bed.objects();
    const bytes = await readBytes(bed.remote, `${FOLDER}/${object}`);
    await bed.remote.delete(FOLDER, { recursive: true });
    expect(await code(one.store.stat("/a"))).toBe("not-found");
    await bed.remote.write(`${FOLDER}/${object}`, bytes);
    expect(await readText(one.store, "/a")).toBe("x");
  });

  test("a listing that is late does not make files go", async () => {
    const bed = new Bed();
    const one = bed.install({ settleMs: 5000 });
    await one.store.write("/a", "x");
    const [object] = await bed.objects();
    const bytes = await readBytes(bed.remote, `${FOLDER}/${object}`);
    await bed.remote.delete(`${FOLDER}/${object}`);
    expect(await code(one.store.stat("/a"))).toBe("nothing");
    await bed.clock.advance(4999);
    expect(await code(one.store.stat("/a"))).toBe("nothing");
    await bed.remote.write(`${FOLDER}/${object}`, bytes);
    expect(await code(one.store.stat("/a"))).toBe("nothing");
    await bed.remote.delete(`${FOLDER}/${object}`);
    expect(await code(one.store.stat("/a"))).toBe("nothing");
    await bed.clock.advance(5001);
    expect(await code(one.store.stat("/a"))).toBe("not-found");
  });
});

describe("damaged and newer archives", () => {
  test("a damaged one is quarantined whole, everything else goes on", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    const [object] = (await bed.objects()) as [string];
    const bytes = await readBytes(bed.remote, `${FOLDER}/${object}`);
    const events: string[] = [];
    const two = bed.install();
    two.control.onEvent((event) => events.push(event.type));
    await bed.remote.write(`${FOLDER}/${object}`, bytes.slice(0, -1));
    await bed.remote.write(`${FOLDER}/something.txt`, "else");
    await two.store.write("/b", "y");
    expect((await two.store.list("/").toArray()).map(({ path }) => path)).toEqual(["/b"]);
    expect(two.control.report()).toMatchObject({ damaged: 1, newer: 0 });
    expect(events).toEqual(["damaged"]);
    expect(await two.control.verify()).toHaveLength(1);
    await bed.remote.write(`${FOLDER}/${object}`, bytes);
    expect(await readText(two.store, "/a")).toBe("x");
    expect(two.control.report()).toMatchObject({ damaged: 0 });
  });

  test("one of a newer version stops all changes, reads go on", async () => {
    const bed = new Bed();
    const one = bed.install();
    await one.store.write("/a", "x");
    const [object] = (await bed.objects()) as [string];
    const bytes = await readBytes(bed.remote, `${FOLDER}/${object}`);
    const text = Buffer.from(bytes);
    const at = text.lastIndexOf('"version":1');
    text.write('"version":2', at);
    await bed.remote.write(`${FOLDER}/${object.replace(/-1\./, "-zz.").replace(/^(.{10})./, "$1b")}`, text);
    await one.control.refresh();
    expect(one.control.report()).toMatchObject({ newer: 1 });
    expect(await code(one.store.write("/b", "y"))).toBe("unsupported");
    expect(await code(one.store.delete("/a"))).toBe("unsupported");
    expect(await one.control.repack({ all: true })).toMatchObject({ archives: 0 });
    expect(await readText(one.store, "/a")).toBe("x");
  });
});

/** Half of its bytes, and then this error. */
function broken(body: ByteStream, error: StoreError): ByteStream {
  let sent = false;
  return byteStream({
    length: body.length,
    async pull() {
      if (sent) throw error;
      sent = true;
      const chunk = await body.pull();
      return chunk?.subarray(0, chunk.byteLength >> 1);
    },
    close: () => body.close(),
  });
}

describe("an object that is sent again while it is read, after a lost answer: the same bytes under another etag", () => {
  const sizes = { small: 1000, kept: 100_000, streamed: 2 << 20 };
  test.for(Object.entries(sizes))("a %s member comes whole, and so does a part of it", async ([, size]) => {
    const bed = new Bed();
    const bytes = new Uint8Array(size).map((_, i) => i % 253);
    await bed.install().store.write("/a", bytes);
    const [object] = await bed.objects();
    const path = `${FOLDER}/${object}`;
    const script = scripted();
    const store = stack(borrow(bed.remote), script.layer, retry({ firstDelayMs: 0 }), archive({ directory: scratch(), readCacheBytes: 0 }));
    try {
      await store.stat("/a");
      let breaks = 0;
      script.body = (reply) => (breaks-- > 0 ? { ...reply, body: broken(reply.body, failure("unavailable", { transient: true })) } : reply);
      const again = await readBytes(bed.remote, path);
      let reads = 0;
      // Between the body that broke off and the request for its rest.
      script.before = async (call) => {
        if (call.operation === "read" && ++reads === 2) await bed.remote.write(path, again);
      };
      for (const range of [undefined, { offset: 10, length: size - 20 }]) {
        [breaks, reads] = [1, 0];
        const got = await readBytes(store, "/a", { range });
        expect(Buffer.from(got).equals(Buffer.from(range === undefined ? bytes : bytes.subarray(10, size - 10)))).toBe(true);
        expect(reads).toBe(3);
      }
    } finally {
      await store.close();
    }
  });

  test("one that never stands still ends in conflict", async () => {
    const bed = new Bed();
    await bed.install().store.write("/a", new Uint8Array(2 << 20));
    const two = await reader(bed);
    two.script.body = (reply) => ({ ...reply, body: byteStream({ length: reply.body.length, pull: () => Promise.reject(failure("conflict")) }) });
    expect(await code(readBytes(two.store, "/a"))).toBe("conflict");
    expect(two.script.count("read")).toBe(3);
  });

  test("a reader that leaves while the rest is asked for leaves no body open", async () => {
    const bed = new Bed();
    await bed.install().store.write("/a", new Uint8Array(2 << 20));
    const two = await reader(bed);
    let open = 0;
    let asked: () => void = () => {};
    const second = new Promise<void>((done) => (asked = done));
    let answer: () => void = () => {};
    const answered = new Promise<void>((done) => (answer = done));
    two.script.before = (_, count) => (count === 2 ? (asked(), answered) : undefined);
    two.script.body = (reply, count) => {
      open++;
      const close = async (): Promise<void> => {
        await reply.body.close();
        open--;
      };
      const pull = count === 1 ? () => Promise.reject(failure("conflict")) : () => reply.body.pull();
      return { ...reply, body: byteStream({ length: reply.body.length, pull, close }) };
    };
    const result = await two.store.read("/a");
    const told = code(result[Symbol.asyncIterator]().next());
    await second;
    await result[Symbol.asyncDispose]();
    expect(await told).toBe("closed");
    answer();
    await expect.poll(() => [two.script.calls.length, open]).toEqual([2, 0]);
  });
});
