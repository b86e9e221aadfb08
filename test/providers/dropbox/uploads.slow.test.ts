/** CF76, CF77, CF78: how bytes go up: one request or a session, what is sent again and what is not, conditions, copies beside a conflict, the time of a file. */
import { expect, test } from "vitest";
import { hasCode } from "../../../src/store/index.ts";
import { MIB, bytes, dropboxAt, stream } from "./at.ts";

const PIECE = { pieceBytes: 4 * MIB } as const;

test("what fits into a piece is one request, with its hash", async () => {
  await using at = await dropboxAt(PIECE);
  const content = bytes(4 * MIB);
  const entry = await at.store.write("/one", content);
  expect(at.server.routes).toEqual(["files/upload"]);
  expect(at.server.log[0]?.args).toMatchObject({ content_hash: entry.hashes.dropbox, mode: { ".tag": "overwrite" } });
});

test("CF77: larger bodies go in pieces, the last one with the commit", async () => {
  await using at = await dropboxAt(PIECE);
  const content = bytes(9 * MIB + 5);
  await at.store.write("/large", stream(content));
  expect(at.asked()).toEqual(["files/upload_session/start", "files/upload_session/append_v2", "files/upload_session/finish"]);
  expect(Buffer.compare(await (await at.store.read("/large")).bytes(), content)).toBe(0);
});

test("a body that ends with a piece has no empty one after it", async () => {
  await using at = await dropboxAt(PIECE);
  await at.store.write("/even", stream(bytes(8 * MIB)));
  expect(at.server.log.map(({ bytes: sent }) => sent)).toEqual([4 * MIB, 4 * MIB]);
});

test("CF77: a piece that was refused is sent again, the others are not", async () => {
  await using at = await dropboxAt(PIECE);
  at.server.fail({ route: "files/upload_session/append_v2" }, { status: 503, headers: { "retry-after": "0" } });
  const content = bytes(13 * MIB);
  await at.store.write("/again", stream(content));
  expect(at.asked().filter((route) => route.endsWith("append_v2"))).toHaveLength(3);
  expect(Buffer.compare(await (await at.store.read("/again")).bytes(), content)).toBe(0);
});

test("CF77: a piece whose answer was lost is not sent again: the service is asked how far it got", async () => {
  await using at = await dropboxAt(PIECE);
  at.server.fail({ route: "files/upload_session/append_v2" }, { cut: "after" });
  const content = bytes(13 * MIB);
  await at.store.write("/lost", stream(content));
  const appended = at.server.log.filter(({ route }) => route.endsWith("append_v2")).map(({ bytes: sent }) => sent);
  expect(appended).toEqual([4 * MIB, 0, 4 * MIB]);
  expect(Buffer.compare(await (await at.store.read("/lost")).bytes(), content)).toBe(0);
});

test("CF77: the same where a failure was answered after it had arrived", async () => {
  await using at = await dropboxAt(PIECE);
  at.server.fail({ route: "files/upload_session/append_v2" }, { status: 502, body: "bad gateway", done: true });
  const content = bytes(13 * MIB);
  await at.store.write("/failed", stream(content));
  const appended = at.server.log.filter(({ route }) => route.endsWith("append_v2")).map(({ bytes: sent }) => sent);
  expect(appended).toEqual([4 * MIB, 0, 4 * MIB]);
  expect(Buffer.compare(await (await at.store.read("/failed")).bytes(), content)).toBe(0);
});

test("CF77: one that did not arrive is sent again from its own offset", async () => {
  await using at = await dropboxAt(PIECE);
  at.server.fail({ route: "files/upload_session/append_v2" }, { cut: "before" });
  const content = bytes(9 * MIB);
  await at.store.write("/cut", stream(content));
  const appended = at.server.log.filter(({ route }) => route.endsWith("append_v2")).map(({ bytes: sent }) => sent);
  expect(appended).toEqual([4 * MIB, 0, 4 * MIB]);
  expect(Buffer.compare(await (await at.store.read("/cut")).bytes(), content)).toBe(0);
});

test("a session that the service has lost is a conflict, and nothing is stored", async () => {
  await using at = await dropboxAt(PIECE);
  at.server.fail({ route: "files/upload_session/append_v2" }, { status: 409, body: { error_summary: "not_found/..", error: { ".tag": "not_found" } } });
  await expect(at.store.write("/gone", stream(bytes(13 * MIB)))).rejects.toMatchObject({ code: "conflict", applied: false });
  await expect(at.store.stat("/gone")).rejects.toMatchObject({ code: "not-found" });
});

test("a body that fails on the way stores nothing", async () => {
  await using at = await dropboxAt(PIECE);
  await at.store.write("/kept", "old");
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield bytes(9 * MIB);
    throw new Error("the disk is gone");
  }
  await expect(at.store.write("/kept", failing())).rejects.toMatchObject({ code: "bad-body", applied: false });
  expect(at.server.routes).not.toContain("files/upload_session/finish");
  expect(await (await at.store.read("/kept")).text()).toBe("old");
});

test("the answer to the commit of a large file was lost: a look settles it", async () => {
  await using at = await dropboxAt(PIECE);
  at.server.fail({ route: "files/upload_session/finish" }, { cut: "after" });
  const content = bytes(5 * MIB);
  expect((await at.store.write("/settled", stream(content))).size).toBe(content.length);
  expect(at.asked().slice(-2)).toEqual(["files/upload_session/finish", "files/get_metadata"]);
  at.server.fail({ route: "files/upload_session/finish" }, { cut: "before" });
  await expect(at.store.write("/settled", stream(bytes(5 * MIB, 7)))).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
  expect(at.asked().filter((route) => route.endsWith("finish"))).toHaveLength(1);
});

test("a create whose answer was lost never says that it was not done", async () => {
  await using at = await dropboxAt();
  at.server.fail({ route: "files/upload" }, { cut: "after" });
  await expect(at.store.write("/lock", "mine", { ifAbsent: true })).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
  expect(at.asked()).toEqual(["files/upload"]);
});

test("equal bytes are a conflict too: a lock file is had once", async () => {
  await using at = await dropboxAt();
  await at.store.write("/lock", "same", { ifAbsent: true });
  await expect(at.store.write("/lock", "same", { ifAbsent: true })).rejects.toMatchObject({ code: "already-exists", applied: false });
  await expect(at.store.write("/LOCK", "same", { ifAbsent: true })).rejects.toMatchObject({ code: "already-exists" });
});

test("equal bytes with another time: the file gets the time, by one request or by a session", async () => {
  await using at = await dropboxAt(PIECE);
  for (const content of [bytes(100), bytes(5 * MIB)]) {
    const modifiedMs = Date.UTC(2001, 1, 3);
    await at.store.write("/timed", content, { modifiedMs: Date.UTC(2000, 0, 1) });
    expect((await at.store.write("/timed", content, { modifiedMs })).modifiedMs).toBe(modifiedMs);
    expect((await at.store.stat("/timed")).modifiedMs).toBe(modifiedMs);
  }
});

test("a time that the service did not take is never reported as stored", async () => {
  await using at = await dropboxAt(PIECE);
  at.server.fail({ route: "files/upload_session/finish" }, { instead: (file) => ({ ...file, client_modified: "2020-01-01T00:00:00Z" }) });
  await expect(at.store.write("/timed", bytes(5 * MIB), { modifiedMs: 0 })).rejects.toMatchObject({ code: "conflict", transient: true });
});

test("if the time cannot be given, the file that stood there stands there again", async () => {
  await using at = await dropboxAt();
  await at.store.write("/timed", "x", { modifiedMs: 0 });
  at.server.fail({ route: "files/upload", when: ({ strict_conflict: strict }) => strict === true }, { status: 500, body: "no" });
  const failed = at.store.write("/timed", "x", { modifiedMs: 86_400_000 });
  await expect(failed).rejects.toMatchObject({ code: "unavailable" });
  expect(await at.store.stat("/timed")).toMatchObject({ size: 1, modifiedMs: 0 });
});

test("the service stored other bytes: they go, and the version before comes back", async () => {
  await using at = await dropboxAt();
  await at.store.write("/file", "good");
  at.server.fail({ route: "files/upload" }, { instead: (file) => ({ ...file, content_hash: "0".repeat(64) }) });
  await expect(at.store.write("/file", "other")).rejects.toMatchObject({ code: "integrity", applied: false });
  expect(await (await at.store.read("/file")).text()).toBe("good");
});

test("where nothing may have been there before, a file that was deleted long ago does not come back", async () => {
  await using at = await dropboxAt();
  await at.store.write("/file", "long ago");
  await at.store.delete("/file");
  at.server.fail({ route: "files/upload" }, { instead: (file) => ({ ...file, content_hash: "0".repeat(64) }) });
  await expect(at.store.write("/file", "other", { ifAbsent: true })).rejects.toMatchObject({ code: "integrity", applied: false });
  await expect(at.store.stat("/file")).rejects.toMatchObject({ code: "not-found" });
});

test("bytes damaged on the way are refused by the service, and may be sent again", async () => {
  await using at = await dropboxAt({ fetch: undefined });
  const damaged = at.open({
    fetch: (url, init) => at.server.fetch()(url, init?.body instanceof Uint8Array ? { ...init, body: new Uint8Array(init.body.length).fill(1) } : init),
  });
  await expect(damaged.write("/damaged", "precious")).rejects.toMatchObject({ code: "integrity", applied: false, transient: true });
});

test('CF78: with conflicts "copy" the bytes that lose are kept beside, and the error names them', async () => {
  await using at = await dropboxAt({ conflicts: "copy" });
  const first = await at.store.write("/a/report.txt", "one");
  await at.open().write("/a/report.txt", "two");
  const failure: unknown = await at.store.write("/a/report.txt", "mine", { ifMatch: first.etag as string }).catch((error: unknown) => error);
  expect(hasCode(failure, "precondition-failed") && failure.entry?.path).toBe("/a/report (conflicted copy).txt");
  expect(await (await at.store.read("/a/report (conflicted copy).txt")).text()).toBe("mine");
  expect(await (await at.store.read("/a/report.txt")).text()).toBe("two");
  // The default keeps nothing.
  await expect(at.open().write("/a/report.txt", "other", { ifMatch: first.etag as string })).rejects.toMatchObject({
    code: "precondition-failed",
    entry: null,
  });
  expect(await at.store.list("/a").toArray()).toHaveLength(2);
});

test("CF78: the same of a write if nothing is there, and of one in pieces", async () => {
  await using at = await dropboxAt({ conflicts: "copy", ...PIECE });
  await at.store.write("/report.txt", "theirs");
  const small: unknown = await at.store.write("/report.txt", "mine", { ifAbsent: true }).catch((error: unknown) => error);
  expect(hasCode(small, "already-exists") && small.applied).toBe(false);
  // Dropbox counts where a file was to be new.
  expect(hasCode(small, "already-exists") && small.entry?.path).toBe("/report (1).txt");
  const content = bytes(9 * MIB);
  const large: unknown = await at.store.write("/report.txt", stream(content), { ifMatch: "0123456789abcdef" }).catch((error: unknown) => error);
  const kept = hasCode(large, "precondition-failed") ? large.entry?.path : undefined;
  expect(kept).toMatch(/^\/report \(conflicted copy.*\)\.txt$/);
  expect(Buffer.compare(await (await at.store.read(kept as string)).bytes(), content)).toBe(0);
  expect(await (await at.store.read("/report.txt")).text()).toBe("theirs");
});

test("an etag that is none of Dropbox's matches nothing, and costs nothing", async () => {
  await using at = await dropboxAt();
  await expect(at.store.write("/file", "x", { ifMatch: "W/nonsense" })).rejects.toMatchObject({ code: "precondition-failed", applied: false });
  expect(at.asked()).toEqual([]);
});

test("a full account is no-space, a file above is not-a-directory", async () => {
  await using at = await dropboxAt();
  at.account.allocated = 10;
  await expect(at.store.write("/big", bytes(11))).rejects.toMatchObject({ code: "no-space", applied: false });
  await at.store.write("/file", "x");
  await expect(at.store.write("/file/below", "x")).rejects.toMatchObject({ code: "not-a-directory", applied: false });
});
