/** What happens to bytes on their way up: challenges, refusals, silence, lost answers, temporary names. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseChallenges } from "../../../src/providers/webdav/challenge.ts";
import { webdav } from "../../../src/providers/webdav/index.ts";
import type { WebdavOptions } from "../../../src/providers/webdav/index.ts";
import { manualClock } from "../../../src/store/index.ts";
import { found, scripted } from "./scripted.ts";
import type { Asked, Say } from "./scripted.ts";

const open = (server: { readonly origin: string }, options: Partial<WebdavOptions> = {}) =>
  webdav({ url: `${server.origin}/dav`, server: "apache", ...options });
const root = found("/dav/", { directory: true });
const missing: Say = { status: 404 };

/** A body that can be read once and does not know its size. */
async function* stream(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

/** A small server that keeps files, so that what it has at the end can be compared. */
function keeper(): { readonly files: Map<string, string>; readonly directories: Set<string>; answer(asked: Asked): Say } {
  const files = new Map<string, string>();
  const directories = new Set(["/dav/"]);
  const parent = (path: string): string => path.slice(0, path.replace(/\/$/, "").lastIndexOf("/") + 1);
  return {
    files,
    directories,
    answer({ method, path, body, headers }) {
      const dir = path.endsWith("/") ? path : `${path}/`;
      if (method === "PROPFIND") {
        if (directories.has(dir)) return found(dir, { directory: true });
        const bytes = files.get(path);
        return bytes === undefined ? missing : found(path, { size: Buffer.byteLength(bytes), etag: `"${createHash("md5").update(bytes).digest("hex")}"` });
      }
      if (method === "MKCOL") {
        if (!directories.has(parent(dir))) return { status: 409 };
        return { status: directories.has(dir) ? 405 : (directories.add(dir), 201) };
      }
      if (method === "PUT") {
        if (!directories.has(parent(path))) return { status: 409 };
        files.set(path, body.toString());
        return { status: 201 };
      }
      if (method === "MOVE") {
        const to = new URL(headers["destination"] as string).pathname;
        if (headers["overwrite"] === "F" && files.has(to)) return { status: 412 };
        const bytes = files.get(path);
        if (bytes === undefined) return missing;
        files.delete(path);
        files.set(to, bytes);
        return { status: 201 };
      }
      if (method === "COPY") {
        const to = new URL(headers["destination"] as string).pathname;
        if (headers["overwrite"] === "F" && files.has(to)) return { status: 412 };
        const bytes = files.get(path);
        if (bytes === undefined) return missing;
        files.set(to, bytes);
        return { status: 201 };
      }
      if (method === "DELETE") return { status: files.delete(path) ? 204 : 404 };
      return { status: 405 };
    },
  };
}

describe("digest", () => {
  const challenge = (nonce: string, stale = false): Say => ({
    status: 401,
    headers: { "WWW-Authenticate": `Digest realm="dav", qop="auth", nonce="${nonce}"${stale ? ", stale=true" : ""}` },
  });
  const proves = ({ headers }: Pick<Asked, "headers">): Record<string, string> => parseChallenges(headers["authorization"])[0]?.params ?? {};

  test("a stream is not spent on the challenge (by the package the second PUT sends nothing and reports success)", async () => {
    const kept = keeper();
    const refused = (asked: Pick<Asked, "headers">): boolean => proves(asked)["nonce"] !== "n1";
    await using server = await scripted((asked) => (refused(asked) ? challenge("n1") : kept.answer(asked)), {
      expects: (asked) => (refused(asked) ? challenge("n1") : "continue"),
    });
    await using store = open(server, { username: "u", password: "p" });
    expect(await store.write("/a", stream("hello ", "world"))).toMatchObject({ size: 11 });
    expect(kept.files.get("/dav/a")).toBe("hello world");
  });

  test("a nonce that goes stale under a stream: asked again before the body is sent", async () => {
    const kept = keeper();
    let nonce = "n1";
    const refused = (asked: Pick<Asked, "headers">): boolean => proves(asked)["nonce"] !== nonce;
    await using server = await scripted((asked) => (refused(asked) ? challenge(nonce, true) : kept.answer(asked)), {
      expects: (asked) => (refused(asked) ? challenge(nonce, true) : "continue"),
    });
    await using store = open(server, { username: "u", password: "p" });
    await store.stat("/");
    nonce = "n2";
    await store.write("/a", stream("hello"));
    expect(kept.files.get("/dav/a")).toBe("hello");
    expect(server.spared).toBe(1);
  });

  test("a nonce that goes stale between the proof and a stream, on a server that never says 100: an error that may pass, never an empty file", async () => {
    const kept = keeper();
    let nonce = 1;
    await using server = await scripted(
      (asked) => {
        if (asked.method === "PUT") nonce++;
        return proves(asked)["nonce"] === `n${nonce}` ? kept.answer(asked) : challenge(`n${nonce}`, true);
      },
      { expects: () => "silence" },
    );
    await using store = open(server, { username: "u", password: "p", continueMs: 20 });
    await store.stat("/");
    await expect(store.write("/a", stream("abc"))).rejects.toMatchObject({ code: "unavailable", transient: true, applied: false });
    expect([...kept.files]).toEqual([]);
  });

  test("parallel requests never use a count twice", async () => {
    const kept = keeper();
    const seen = new Set<string>();
    const repeats: string[] = [];
    await using server = await scripted((asked) => {
      const { nonce, nc } = proves(asked);
      if (nonce !== "n1") return challenge("n1");
      if (seen.has(nc!)) repeats.push(nc!);
      seen.add(nc!);
      return kept.answer(asked);
    });
    await using store = open(server, { username: "u", password: "p" });
    await Promise.all(Array.from({ length: 20 }, (_, n) => store.write(`/f${n}`, "x")));
    expect(repeats).toEqual([]);
    expect(kept.files.size).toBe(20);
  });

  test.each(["digest", "basic"] as const)("%s: wrong credentials are tried once, however many calls begin together", async (auth) => {
    const attempts: string[] = [];
    await using server = await scripted(async ({ headers }) => {
      if (headers["authorization"] !== undefined) attempts.push(headers["authorization"]);
      await new Promise((done) => setTimeout(done, 20));
      return auth === "digest" ? challenge("n1") : { status: 401, headers: { "WWW-Authenticate": 'Basic realm="x"' } };
    });
    await using store = open(server, { username: "u", password: "wrong", auth });
    const calls = await Promise.allSettled([
      ...Array.from({ length: 10 }, (_, n) => store.stat(`/f${n}`)),
      store.write("/a", stream("x")),
      store.write("/b", "x"),
      store.list("/").toArray(),
    ]);
    for (const call of calls) expect(call).toMatchObject({ status: "rejected", reason: expect.objectContaining({ code: "unauthenticated" }) });
    expect(attempts).toHaveLength(1);
  });

  test("a server that asks for nothing is not waited for: calls go out together", async () => {
    let open_ = 0;
    let most = 0;
    await using server = await scripted(async ({ path }) => {
      most = Math.max(most, ++open_);
      await new Promise((done) => setTimeout(done, 20));
      open_--;
      return found(path, { size: 1 });
    });
    await using store = open(server, { username: "u", password: "p" });
    await Promise.all(Array.from({ length: 10 }, (_, n) => store.stat(`/f${n}`)));
    expect(most).toBeGreaterThan(2);
  });

  test("CF102 wrong credentials: the server's own words, one request, and no more until reconnect", async () => {
    await using server = await scripted(() => ({ ...challenge("n1"), body: "<html><head><title>x</title></head><h1>Go away, stranger</h1></html>" }));
    await using store = open(server, { username: "u", password: "wrong" });
    const error: unknown = await store.stat("/a").catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "unauthenticated",
      transient: false,
      cause: expect.objectContaining({ message: expect.stringContaining("Go away, stranger") }),
    });
    await expect(store.write("/a", "x")).rejects.toMatchObject({ code: "unauthenticated" });
    expect(server.asked.filter(({ headers }) => headers["authorization"] !== undefined)).toHaveLength(1);
    await store.reconnect();
    await expect(store.stat("/a")).rejects.toMatchObject({ code: "unauthenticated" });
    expect(server.asked.filter(({ headers }) => headers["authorization"] !== undefined)).toHaveLength(2);
  });
});

describe("Expect: 100-continue", () => {
  test("a missing parent is refused before the stream is opened; it goes to a temporary name, then the parents are made, then it moves", async () => {
    const kept = keeper();
    await using server = await scripted(kept.answer, {
      expects: ({ path }) => (kept.directories.has(path.slice(0, path.lastIndexOf("/") + 1)) ? "continue" : { status: 409 }),
    });
    await using store = open(server);
    await store.write("/x/y/a", stream("abc", "def"));
    expect([...kept.files]).toEqual([["/dav/x/y/a", "abcdef"]]);
    expect(server.spared).toBe(1);
    expect(server.lines.filter((line) => line.startsWith("PUT"))).toEqual(["PUT /dav/x/y/a", expect.stringMatching(/^PUT \/dav\/\.stratus-\w{20}\.tmp$/)]);
  });

  test.each(["apache", "nginx", "sabredav"] as const)("%s: a stream that fails leaves no directory that was made for it", async (server) => {
    const kept = keeper();
    await using up = await scripted(kept.answer, {
      expects: ({ path }) => (kept.directories.has(path.slice(0, path.lastIndexOf("/") + 1)) ? "continue" : { status: 409 }),
    });
    await using store = open(up, { server });
    const failing = (async function* () {
      yield Buffer.from("abc");
      throw new Error("gone");
    })();
    await expect(store.write("/x/y/a", failing)).rejects.toMatchObject({ code: "bad-body" });
    expect([...kept.files]).toEqual([]);
    expect([...kept.directories]).toEqual(["/dav/"]);
  });

  test("a server that says nothing gets the body after a while, and is not asked again", async () => {
    const kept = keeper();
    await using server = await scripted(kept.answer, { expects: () => "silence" });
    await using store = open(server, { continueMs: 50 });
    await store.write("/a", stream("abc"));
    await store.write("/b", stream("def"));
    expect([...kept.files.values()]).toEqual(["abc", "def"]);
    expect(server.asked.filter(({ method }) => method === "PUT").map(({ headers }) => headers["expect"])).toEqual(["100-continue", undefined]);
  });

  test("and where it wants credentials as well, they are proved before the stream", async () => {
    const kept = keeper();
    const knows = ({ headers }: Pick<Asked, "headers">): boolean => headers["authorization"] !== undefined;
    await using server = await scripted((asked) => (knows(asked) ? kept.answer(asked) : { status: 401, headers: { "WWW-Authenticate": 'Basic realm="x"' } }), {
      expects: () => "silence",
    });
    await using store = open(server, { continueMs: 20, username: "u", password: "p" });
    await store.write("/a", stream("abc"));
    expect(kept.files.get("/dav/a")).toBe("abc");
    expect(server.lines.filter((line) => line.startsWith("PUT"))).toHaveLength(1);
  });

  test("417 is no failure: the body is sent without the question", async () => {
    const kept = keeper();
    await using server = await scripted(kept.answer, { expects: () => ({ status: 417 }) });
    await using store = open(server);
    await store.write("/a", stream("abc"));
    expect(kept.files.get("/dav/a")).toBe("abc");
  });

  test("where a missing parent is found only after the body (nginx), it is looked for first, once", async () => {
    const kept = keeper();
    kept.directories.add("/dav/x/");
    await using server = await scripted(kept.answer);
    await using store = open(server, { server: "nginx" });
    await store.write("/x/a", stream("abc"));
    await store.write("/x/b", stream("abc"));
    expect(server.lines).toEqual(["PROPFIND /dav/x", "PUT /dav/x/a", "PROPFIND /dav/x/a", "PUT /dav/x/b", "PROPFIND /dav/x/b"]);
  });

  test("success before the body was sent is no success", async () => {
    await using server = await scripted(({ method }) => (method === "PROPFIND" ? root : { status: 201 }), { expects: () => ({ status: 201 }) });
    await using store = open(server);
    await expect(store.write("/a", stream("abc"))).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
  });
});

describe("bodies and failures", () => {
  test.each(["apache", "sabredav"] as const)("%s: a body that fails leaves the old file, and nothing beside it", async (server) => {
    const kept = keeper();
    kept.files.set("/dav/a", "old");
    await using up = await scripted(kept.answer);
    await using store = open(up, { server });
    const failing = (async function* () {
      yield Buffer.alloc(100_000, 120);
      throw new Error("the disk is gone");
    })();
    await expect(store.write("/a", failing)).rejects.toMatchObject({ code: "bad-body", cause: expect.objectContaining({ message: "the disk is gone" }) });
    await expect(store.write("/a", stream("abc"), { size: 5 })).rejects.toMatchObject({ code: "bad-body" });
    await expect(store.write("/a", stream("abc"), { size: 0 })).rejects.toMatchObject({ code: "bad-body" });
    expect([...kept.files]).toEqual([["/dav/a", "old"]]);
  });

  test("a server that stores half of it and says 201 (SabreDAV on a full disk): the old file stays, and the quota says why", async () => {
    const kept = keeper();
    kept.files.set("/dav/a", "old");
    const quota: Say = {
      status: 207,
      body: '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/dav/</D:href><D:propstat><D:prop><D:quota-available-bytes>0</D:quota-available-bytes><D:quota-used-bytes>9</D:quota-used-bytes></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>',
    };
    let full = true;
    await using server = await scripted((asked) => {
      if (asked.body.includes("quota-used-bytes")) return full ? quota : { ...quota, body: (quota.body as string).replace(">0<", ">99999<") };
      return kept.answer(asked.method === "PUT" ? { ...asked, body: asked.body.subarray(0, 2) } : asked);
    });
    await using store = open(server, { server: "sabredav" });
    await expect(store.write("/a", "hello")).rejects.toMatchObject({ code: "no-space", applied: false });
    full = false;
    await expect(store.write("/a", "hello")).rejects.toMatchObject({ code: "integrity", applied: false });
    expect([...kept.files]).toEqual([["/dav/a", "old"]]);
  });

  test("the same on a server whose PUT is trusted: a body in memory tells a cut file from one that somebody else wrote", async () => {
    const kept = keeper();
    let stored = "he";
    await using server = await scripted((asked) => {
      if (asked.method === "GET") return { status: 200, headers: { "Last-Modified": "Sat, 21 Nov 2026 09:00:00 GMT" }, body: stored };
      return kept.answer(asked.method === "PUT" ? { ...asked, body: Buffer.from(stored) } : asked);
    });
    await using store = open(server);
    await expect(store.write("/a", "hello")).rejects.toMatchObject({ code: "integrity" });
    stored = "xy";
    await expect(store.write("/a", "hello")).rejects.toMatchObject({ code: "conflict", transient: true });
  });

  test("a lost answer to MOVE is settled by a look: the temporary file is gone and the target is ours", async () => {
    const kept = keeper();
    kept.files.set("/dav/a", "old");
    await using server = await scripted((asked) => {
      const say = kept.answer(asked);
      return asked.method === "MOVE" ? { ...say, hangUp: true } : say;
    });
    await using store = open(server, { server: "sabredav" });
    expect(await store.write("/a", "hello")).toMatchObject({ size: 5 });
    expect([...kept.files]).toEqual([["/dav/a", "hello"]]);
  });

  test("MOVE that never reached the server: the old file stays, nothing lies about, the outcome is unknown", async () => {
    const kept = keeper();
    kept.files.set("/dav/a", "old");
    await using server = await scripted((asked) => (asked.method === "MOVE" ? { status: 0, hangUp: true } : kept.answer(asked)));
    await using store = open(server, { server: "sabredav" });
    await expect(store.write("/a", "hello")).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
    expect([...kept.files]).toEqual([["/dav/a", "old"]]);
  });

  test("a MOVE that lost a race to another writer (SabreDAV: 404 while it deletes the target) is tried again", async () => {
    const kept = keeper();
    let lost = 2;
    await using server = await scripted((asked) => (asked.method === "MOVE" && lost-- > 0 ? missing : kept.answer(asked)));
    await using store = open(server, { server: "sabredav" });
    expect(await store.write("/a", "hello")).toMatchObject({ size: 5 });
    expect([...kept.files]).toEqual([["/dav/a", "hello"]]);
  });

  test("an abort after the last byte waits for the answer, and says that the change was done", async () => {
    const kept = keeper();
    const caller = new AbortController();
    await using server = await scripted(async (asked) => {
      const say = kept.answer(asked);
      if (asked.method === "PUT") {
        caller.abort(new Error("enough"));
        await new Promise((done) => setTimeout(done, 50));
      }
      return say;
    });
    await using store = open(server);
    await expect(store.write("/a", "hello", { signal: caller.signal })).rejects.toMatchObject({ code: "aborted", applied: true });
    expect(kept.files.get("/dav/a")).toBe("hello");
  });

  test("a directory at the target is found before any byte is sent: MOVE onto it would destroy it", async () => {
    const kept = keeper();
    kept.directories.add("/dav/a/");
    await using server = await scripted(kept.answer);
    await using store = open(server, { server: "sabredav" });
    await expect(store.write("/a", "hello")).rejects.toMatchObject({ code: "is-a-directory", applied: false });
    expect(server.lines).toEqual(["PROPFIND /dav/a"]);
  });

  test("create by MOVE: exactly the one whose MOVE came first", async () => {
    const kept = keeper();
    await using server = await scripted(kept.answer);
    await using store = open(server, { server: "lighttpd" });
    const won = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => store.write("/lock", `owner ${n}`, { ifAbsent: true })));
    const winners = won.flatMap(({ status }, n) => (status === "fulfilled" ? [n] : []));
    expect(winners).toHaveLength(1);
    expect([...kept.files]).toEqual([["/dav/lock", `owner ${winners[0]}`]]);
    for (const one of won) if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "already-exists" });
  });
});

describe("a gateway says 502 to what the server has done", () => {
  /** `after`: what somebody else does in the same moment. */
  const behindGateway = (kept: ReturnType<typeof keeper>, method: string, after = (): void => {}) => {
    let once = true;
    return (asked: Asked): Say => {
      const said = kept.answer(asked);
      if (asked.method !== method || !once) return said;
      once = false;
      after();
      return { status: 502 };
    };
  };

  test.each(["lighttpd", "rclone"] as const)("a create by MOVE on %s is settled by a look", async (name) => {
    const kept = keeper();
    await using server = await scripted(behindGateway(kept, "MOVE"));
    await using store = open(server, { server: name });
    expect(await store.write("/a", "ours", { ifAbsent: true })).toMatchObject({ size: 4 });
    expect([...kept.files]).toEqual([["/dav/a", "ours"]]);
    expect(server.lines.filter((line) => line.startsWith("MOVE"))).toHaveLength(1);
  });

  test("a create that somebody else replaces in the same moment: nobody knows", async () => {
    const kept = keeper();
    await using server = await scripted(behindGateway(kept, "MOVE", () => void kept.files.set("/dav/a", "theirs is longer")));
    await using store = open(server, { server: "lighttpd" });
    await expect(store.write("/a", "ours", { ifAbsent: true })).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
    expect([...kept.files]).toEqual([["/dav/a", "theirs is longer"]]);
  });

  test("a move is settled by a look; one whose target somebody else replaces is not called a source that is missing", async () => {
    const kept = keeper();
    kept.files.set("/dav/a", "ours");
    await using server = await scripted(behindGateway(kept, "MOVE"));
    await using store = open(server, { server: "lighttpd" });
    expect(await store.move("/a", "/b")).toMatchObject({ size: 4 });
    expect([...kept.files]).toEqual([["/dav/b", "ours"]]);
    await using contested = await scripted(behindGateway(kept, "MOVE", () => void kept.files.set("/dav/c", "theirs is longer")));
    await using other = open(contested, { server: "lighttpd" });
    await expect(other.move("/b", "/c")).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
  });

  test("a copy that must not replace meets itself: nobody knows", async () => {
    const kept = keeper();
    kept.files.set("/dav/a", "ours");
    await using server = await scripted(behindGateway(kept, "COPY"));
    await using store = open(server, { server: "lighttpd" });
    await expect(store.copy("/a", "/b", { ifAbsent: true })).rejects.toMatchObject({ code: "already-exists", applied: "unknown" });
    expect(kept.files.get("/dav/b")).toBe("ours");
  });
});

describe("connections", () => {
  test("one that the server closed while it was idle is replaced once, where sending twice does no harm", async () => {
    const kept = keeper();
    let cut = true;
    await using server = await scripted((asked) => {
      // The second request on a connection meets a server that is gone.
      if (asked.index > 0 && cut && asked.connection === 0) return { status: 0, hangUp: true };
      return kept.answer(asked);
    });
    await using store = open(server);
    await store.stat("/");
    expect(await store.write("/a", "x")).toMatchObject({ size: 1 });
    cut = false;
    expect(kept.files.get("/dav/a")).toBe("x");
  });

  test("a stream is not sent twice, whatever the connection did", async () => {
    const kept = keeper();
    await using server = await scripted((asked) => (asked.method === "PUT" ? { status: 0, hangUp: true } : kept.answer(asked)));
    await using store = open(server);
    await store.stat("/");
    await expect(store.write("/a", stream("abc"))).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
    expect(server.lines.filter((line) => line.startsWith("PUT"))).toHaveLength(1);
  });

  test("a reader that takes its time is no silent server", async () => {
    const clock = manualClock();
    const body = "x".repeat(4 << 20);
    await using server = await scripted(({ method }) =>
      method === "PROPFIND" ? root : { status: 200, headers: { "Last-Modified": "Sat, 21 Nov 2026 09:00:00 GMT" }, body },
    );
    await using store = open(server, { server: "nginx", clock, timeoutMs: 1000 });
    let bytes = 0;
    for await (const chunk of await store.read("/a")) {
      if (bytes === 0) await clock.advance(60_000);
      bytes += chunk.byteLength;
    }
    expect(bytes).toBe(body.length);
  });

  test("a new connection that breaks is no idle one: nothing is sent again behind the caller's back", async () => {
    await using server = await scripted(() => ({ status: 0, hangUp: true }));
    await using store = open(server);
    await expect(store.stat("/a")).rejects.toMatchObject({ code: "unavailable", transient: true });
    expect(server.lines).toHaveLength(1);
  });

  test("a request that may have been done is never sent twice", async () => {
    const kept = keeper();
    kept.files.set("/dav/a", "x");
    await using server = await scripted((asked) => (asked.method === "COPY" ? { status: 0, hangUp: true } : kept.answer(asked)));
    await using store = open(server);
    await expect(store.copy("/a", "/b")).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
    expect(server.lines.filter((line) => line.startsWith("COPY"))).toHaveLength(1);
  });

  test("a server that is not there: unavailable, nothing applied", async () => {
    await using store = webdav({ url: "http://127.0.0.1:1/dav" });
    await expect(store.write("/a", "x")).rejects.toMatchObject({ code: "unavailable", transient: true, applied: false });
    await expect(store.list("/").toArray()).rejects.toMatchObject({ code: "unavailable" });
  });

  test("silence ends in timeout, on the injected clock; a slow reader is no silence", async () => {
    const clock = manualClock();
    let release: (() => void) | undefined;
    await using server = await scripted(async () => {
      await new Promise<void>((done) => (release = done));
      return root;
    });
    await using store = open(server, { clock, timeoutMs: 5000 });
    const asked = store.stat("/").catch((error: unknown) => error);
    while (server.asked.length === 0) await new Promise((done) => setTimeout(done, 5));
    await clock.advance(4000);
    await clock.advance(2000);
    expect(await asked).toMatchObject({ code: "timeout", transient: true });
    release?.();
  });

  test("an abort before the first byte makes no request", async () => {
    await using server = await scripted(() => root);
    await using store = open(server);
    await expect(store.stat("/a", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
    expect(server.lines).toEqual([]);
  });
});

describe("what servers refuse", () => {
  const refusing =
    (status: number, headers: Readonly<Record<string, string>> = {}) =>
    ({ method, path }: Asked): Say =>
      method === "PUT" ? { status, headers } : path === "/dav/" ? root : missing;
  test.each([
    [413, {}, { code: "too-large", transient: false }],
    [423, {}, { code: "conflict", transient: true }],
    [429, { "Retry-After": "7" }, { code: "rate-limited", retryAfterMs: 7000, applied: false }],
    [503, { "Retry-After": "3" }, { code: "rate-limited", retryAfterMs: 3000, applied: false }],
    [503, {}, { code: "unavailable", transient: true }],
    [507, {}, { code: "no-space", transient: false, applied: false }],
    [502, {}, { code: "unavailable" }],
  ] as const)("CF92 CF93 %i %j", async (status, headers, expected) => {
    await using server = await scripted(refusing(status, headers));
    await using store = open(server);
    await expect(store.write("/a", "x")).rejects.toMatchObject({ ...expected, status });
    expect(server.lines.filter((line) => line.startsWith("PUT"))).toHaveLength(1);
  });
});

describe("what ends a write before the server has all of its body changes nothing, and says so", () => {
  /** Gives some bytes, and then nothing ever. */
  const stuck = (first: string): ReadableStream<Uint8Array> =>
    new ReadableStream({
      start: (controller) => (first === "" ? undefined : controller.enqueue(Buffer.from(first))),
      pull: () => new Promise(() => {}),
    });

  test.each([
    ["apache", "silence", ""],
    ["apache", "continue", "some"],
    ["sabredav", "silence", ""],
    ["sabredav", "continue", "some"],
    ["rclone", "silence", ""],
  ] as const)("the caller's signal: %s, %s to Expect, %o sent", async (name, expected, first) => {
    const kept = keeper();
    await using server = await scripted((asked) => kept.answer(asked), { expects: () => expected });
    await using store = open(server, { server: name });
    await store.write("/a", "old");
    for (const [reason, code] of [
      [new Error("enough"), "aborted"],
      [new DOMException("late", "TimeoutError"), "timeout"],
    ] as const) {
      const stop = new AbortController();
      setTimeout(() => stop.abort(reason), 150);
      await expect(store.write("/a", stuck(first), { signal: stop.signal })).rejects.toMatchObject({ code, applied: false, path: "/a", cause: reason });
    }
    expect(kept.files.get("/dav/a")).toBe("old");
  });

  test("a connection that breaks in the middle of the body", async () => {
    const kept = keeper();
    await using server = await scripted((asked) => kept.answer(asked), { breaks: ({ method }) => method === "PUT" });
    for (const name of ["apache", "sabredav"] as const) {
      await using store = open(server, { server: name });
      const slowly = async function* (): AsyncGenerator<Uint8Array> {
        yield Buffer.from("some");
        await new Promise((done) => setTimeout(done, 100));
        yield* stream("more", "and more");
      };
      await expect(store.write("/a", slowly(), { size: 16 })).rejects.toMatchObject({ code: "unavailable", transient: true, applied: false });
    }
    expect([...kept.files]).toEqual([]);
  });

  test("with the whole body sent and no answer nobody knows", async () => {
    await using server = await scripted((asked) => (asked.method === "PUT" ? { status: 201, hangUp: true } : asked.path === "/dav/" ? root : missing));
    await using store = open(server);
    for (const size of [undefined, 8])
      await expect(store.write("/a", stream("some", "more"), { size })).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
    await expect(store.write("/a", "in memory")).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
  });
});
