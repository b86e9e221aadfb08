/** CF77 for Drive: uploads in pieces, over lost connections, lost answers and lost sessions; one file in the end, and no session left. */
import { expect, test } from "vitest";
import type { StoreError } from "../../../src/index.ts";
import { addressOf, at, bytesOf, pieces } from "./at.ts";
import type { At } from "./at.ts";

const PIECE = 256 << 10;
const puts = ({ server }: At): (string | undefined)[] =>
  server.requests.filter(({ method, path }) => method === "PUT" && path.startsWith("/upload/")).map(({ headers }) => headers["content-range"]);
const live = ({ server }: At): number => [...server.state.files.values()].filter((file) => !server.state.trashed(file) && file.content !== undefined).length;

async function holds({ store }: At, path: string, bytes: Uint8Array): Promise<void> {
  await using result = await store.read(path);
  expect(Buffer.compare(await result.bytes(), bytes)).toBe(0);
}

/** A fetch whose uploads can be broken: `play` says for each PUT what happens. */
function flaky(play: (put: number) => "pass" | "cut" | "lost" | "half"): typeof fetch {
  let put = 0;
  return async (url, init) => {
    if (init?.method !== "PUT" || init.body === undefined || init.body === null) return fetch(url, init);
    switch (play(put++)) {
      case "cut":
        throw new TypeError("fetch failed", { cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }) });
      case "lost":
        await (await fetch(url, init)).arrayBuffer();
        throw new TypeError("fetch failed", { cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }) });
      case "half": {
        // The connection breaks in the middle of a body whose length was announced.
        const body = Buffer.from(await new Response(init.body).arrayBuffer());
        const { request } = await import("node:http");
        await new Promise<void>((done) => {
          const upstream = request(addressOf(url), {
            method: "PUT",
            headers: { ...(init.headers as Record<string, string>), "content-length": body.byteLength },
          });
          upstream.on("error", () => done());
          upstream.write(body.subarray(0, body.byteLength / 2), () => setTimeout(() => upstream.destroy(), 50));
          upstream.on("close", () => done());
        });
        throw new TypeError("fetch failed", { cause: Object.assign(new Error("write EPIPE"), { code: "EPIPE" }) });
      }
      default:
        return fetch(url, init);
    }
  };
}

const large = bytesOf(3 * PIECE + 1000);

test("a stream of unknown length goes up in pieces, each sent once", async () => {
  const here = await at();
  await here.store.write("/f", pieces(large));
  expect(puts(here)).toEqual([
    `bytes 0-${PIECE * 2 - 1}/*`,
    `bytes ${PIECE * 2}-${PIECE * 3 - 1}/*`,
    `bytes ${PIECE * 3}-${large.byteLength - 1}/${large.byteLength}`,
  ]);
  await holds(here, "/f", large);
});

test.each([PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE - 1, 4 * PIECE])("a stream of %i bytes ends where it ends", async (size) => {
  const here = await at();
  const bytes = bytesOf(size, size);
  for (const body of [pieces(bytes, 70_001), bytes, new Blob([bytes])]) {
    await here.store.write("/f", body);
    await holds(here, "/f", bytes);
  }
  expect(here.server.uploads.open).toBe(0);
});

test("a piece that broke off is asked after, and only what is missing is sent again", async () => {
  const here = await at({ fetch: flaky((put) => (put === 1 ? "half" : "pass")), chunkBytes: 4 * PIECE });
  const bytes = bytesOf(10 * PIECE);
  await here.store.write("/f", bytes);
  await holds(here, "/f", bytes);
  // Half of the second piece had arrived: it goes on there.
  expect(puts(here)).toEqual([
    `bytes 0-${4 * PIECE - 1}/${10 * PIECE}`,
    `bytes ${4 * PIECE}-${8 * PIECE - 1}/${10 * PIECE}`,
    `bytes */${10 * PIECE}`,
    `bytes ${6 * PIECE}-${8 * PIECE - 1}/${10 * PIECE}`,
    `bytes ${8 * PIECE}-${10 * PIECE - 1}/${10 * PIECE}`,
  ]);
});

test("an answer that was lost is asked for, in the middle and at the end", async () => {
  const here = await at({ fetch: flaky((put) => (put === 0 || put === 3 ? "lost" : "pass")) });
  await here.store.write("/f", large);
  await holds(here, "/f", large);
  expect(live(here)).toBe(1);
});

test("a connection that does not come back is unavailable, nothing is stored and the session is given up", async () => {
  const here = await at({ fetch: flaky((put) => (put >= 1 ? "cut" : "pass")) });
  await here.store.stat("/");
  let asked = 0;
  here.server.fail({
    status: 503,
    reason: "backendError",
    times: 100,
    match: ({ method, headers }) => method === "PUT" && headers["content-range"]?.startsWith("bytes */") === true && ++asked > 0,
  });
  await expect(here.store.write("/f", large)).rejects.toMatchObject({ code: "unavailable", transient: true, applied: false });
  expect(asked).toBeGreaterThan(0);
  expect(here.server.uploads.open).toBe(0);
  await expect(here.store.stat("/f")).rejects.toMatchObject({ code: "not-found" });
});

test("a session that is gone is an error that may be tried again where the body can", async () => {
  const here = await at();
  await here.store.stat("/");
  const gone = (): void => here.server.fail({ status: 404, reason: "notFound", match: ({ method }) => method === "PUT" });
  gone();
  await expect(here.store.write("/f", large)).rejects.toMatchObject({ code: "unavailable", applied: false, transient: true });
  gone();
  await expect(here.store.write("/f", pieces(large))).rejects.toMatchObject({ code: "unavailable", applied: false, transient: false });
  expect(live(here)).toBe(0);
});

test("a piece that is refused for a moment is sent again, others are not", async () => {
  const here = await at();
  await here.store.stat("/");
  let put = 0;
  here.server.fail({ status: 503, reason: "backendError", match: ({ method }) => method === "PUT" && put++ === 1 });
  await here.store.write("/f", large);
  await holds(here, "/f", large);
  expect(puts(here).filter((range) => range?.startsWith("bytes 0-"))).toHaveLength(1);
});

test("an upload into a directory that is missing makes it only when all bytes are there", async () => {
  const here = await at();
  await here.store.stat("/");
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield* pieces(large);
    throw new Error("no more");
  };
  await expect(here.store.write("/new/deep/f", failing())).rejects.toMatchObject({ code: "bad-body", applied: false });
  expect(here.raw.all()).toEqual(["here"]);
  expect(here.server.uploads.open).toBe(0);
  const written = await here.store.write("/new/deep/f", pieces(large), { modifiedMs: 1_600_000_000_123, metadata: { a: "b" } });
  expect(written).toEqual(await here.store.stat("/new/deep/f"));
  expect(written).toMatchObject({ modifiedMs: 1_600_000_000_123, metadata: { a: "b" } });
  await holds(here, "/new/deep/f", large);
  expect(here.raw.all().sort()).toEqual(["deep", "f", "here", "new"]);
});

test("what came to bear the name during an upload is replaced, and a directory stops it", async () => {
  const here = await at();
  await here.store.stat("/");
  const during = async function* (work: () => Promise<unknown>): AsyncGenerator<Uint8Array> {
    yield* pieces(large);
    await work();
  };
  await here.store.write(
    "/f",
    during(() => here.store.write("/f", "meanwhile")),
  );
  await holds(here, "/f", large);
  expect(live(here)).toBe(1);
  await expect(
    here.store.write(
      "/g",
      during(() => here.store.mkdir("/g")),
    ),
  ).rejects.toMatchObject({ code: "is-a-directory", applied: false });
  expect(here.server.uploads.open).toBe(0);
});

test.each(["/f", "/new/f"])("what came to bear the name and cannot go stays alone: %s was not written", async (path) => {
  for (const [reason, code] of [
    ["userRateLimitExceeded", "rate-limited"],
    ["insufficientFilePermissions", "permission-denied"],
  ] as const) {
    const here = await at();
    await here.store.stat("/");
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield* pieces(large);
      await here.open().write(path, "rival");
      const [rival] = [...here.server.state.files.values()].filter(({ name }) => name === "f");
      here.server.fail({ status: 403, reason, match: (asked) => asked.method === "PATCH" && asked.path.endsWith(`/${rival?.id}`) });
    };
    await expect(here.store.write(path, body())).rejects.toMatchObject({ code, applied: false });
    await holds(here, path, Buffer.from("rival"));
    expect(live(here)).toBe(1);
    expect(here.server.uploads.open).toBe(0);
  }
});

test("and where the new file cannot be taken back either, nobody says that it was not written", async () => {
  const here = await at();
  await here.store.stat("/");
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield* pieces(large);
    await here.open().write("/f", "rival");
    here.server.fail({ status: 403, reason: "userRateLimitExceeded", times: 100, match: ({ method }) => method === "PATCH" });
  };
  await expect(here.store.write("/f", body())).rejects.toMatchObject({ code: "rate-limited", applied: "unknown" });
  await holds(here, "/f", large);
  expect(live(here)).toBe(2);
});

test.each(["trash", "permanent"] as const)(
  "a file that was deleted and made anew during an upload is replaced, or both stay as they were (deletes: %s)",
  async (deletes) => {
    const here = await at({ deletes });
    const other = here.open({ deletes: "trash" });
    const { id } = await here.store.write("/f", "old");
    let isRefused = false;
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield* pieces(large);
      await other.delete("/f");
      const rival = await other.write("/f", "rival");
      const method = deletes === "trash" ? "PATCH" : "DELETE";
      if (isRefused)
        here.server.fail({ status: 403, reason: "userRateLimitExceeded", match: (asked) => asked.method === method && asked.path.endsWith(`/${rival.id}`) });
    };
    // Older than the rival by its time: beside that it would not be the file.
    await here.store.write("/f", body(), { modifiedMs: 1_600_000_000_000 });
    await holds(here, "/f", large);
    expect((await here.store.stat("/f")).id).toBe(id);
    expect(live(here)).toBe(1);
    isRefused = true;
    await expect(here.store.write("/f", body())).rejects.toMatchObject({ code: "rate-limited", applied: false });
    await holds(here, "/f", Buffer.from("rival"));
    expect(live(here)).toBe(1);
    expect(here.server.state.get(id as string).explicitlyTrashed).toBe(true);
  },
);

test("a file that is moved away during an upload is not written to; one that is deleted is there again", async () => {
  const here = await at();
  await here.store.write("/f", "old");
  const during = async function* (work: () => Promise<unknown>): AsyncGenerator<Uint8Array> {
    yield* pieces(large);
    await work();
  };
  await expect(
    here.store.write(
      "/f",
      during(() => here.store.move("/f", "/moved")),
    ),
  ).rejects.toMatchObject({ code: "conflict", applied: false });
  await holds(here, "/moved", Buffer.from("old"));
  await here.store.write(
    "/moved",
    during(() => here.store.delete("/moved")),
  );
  await holds(here, "/moved", large);
});

test("a small file whose answer was lost is found by its id: one file, and success", async () => {
  let lose = true;
  const lossy: typeof fetch = async (url, init) => {
    const answer = await fetch(url, init);
    if (!lose || !addressOf(url).includes("/upload/")) return answer;
    lose = false;
    await answer.arrayBuffer();
    throw new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });
  };
  const here = await at({ fetch: lossy });
  await here.store.write("/f", "found again");
  await holds(here, "/f", Buffer.from("found again"));
  lose = true;
  await here.store.write("/f", "and replaced");
  await holds(here, "/f", Buffer.from("and replaced"));
  expect(live(here)).toBe(1);
});

test("a creation that lands late makes no second file: the next try has the same id", async () => {
  const here = await at();
  await here.store.stat("/");
  let late: (() => Promise<Response>) | undefined;
  const delaying: typeof fetch = async (url, init) => {
    if (late === undefined && addressOf(url).includes("/upload/")) {
      late = () => fetch(url, { ...init, signal: null });
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });
    }
    return fetch(url, init);
  };
  const store = here.open({ fetch: delaying });
  const error = (await store.write("/f", "first").catch((failure: unknown) => failure)) as StoreError;
  expect(error).toMatchObject({ code: "unavailable", applied: "unknown" });
  // Between the look of the second write and its request the first one lands.
  here.server.before = async ({ path, method }) => {
    if (!path.startsWith("/upload/") || method !== "POST" || late === undefined) return;
    here.server.before = undefined;
    await (await late()).arrayBuffer();
  };
  await store.write("/f", "second");
  await holds(here, "/f", Buffer.from("second"));
  expect(live(here)).toBe(1);
});

test("what Drive stored other than it was sent is an integrity error", async () => {
  const lying: typeof fetch = async (url, init) => {
    const answer = await fetch(url, init);
    if (!addressOf(url).includes("/upload/")) return answer;
    return Response.json({ ...((await answer.json()) as object), md5Checksum: "0".repeat(32) });
  };
  const here = await at({ fetch: lying });
  await here.store.stat("/");
  await expect(here.store.write("/f", "bytes")).rejects.toMatchObject({ code: "integrity", applied: true });
});
