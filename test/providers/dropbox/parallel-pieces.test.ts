/** CF77: several pieces of one upload at once: when, how many, what is sent again; and that the emulator holds to the service's rules for such sessions. */
import { expect, test } from "vitest";
import { MIB, bytes, dropboxAt, stream } from "./at.ts";
import type { At } from "./at.ts";

const TWO = { pieceBytes: 4 * MIB, parallelPieces: 2 } as const;
const START = "files/upload_session/start";
const APPEND = "files/upload_session/append_v2";
const FINISH = "files/upload_session/finish";

const holds = async (at: At, path: string, content: Uint8Array): Promise<void> =>
  expect(Buffer.compare(await (await at.store.read(path)).bytes(), content)).toBe(0);
/** Offset and size of each piece that was sent. */
const pieces = (at: At): [offset: number, bytes: number][] =>
  at.server.log.filter(({ route }) => route === APPEND).map(({ args, bytes: sent }) => [(args["cursor"] as { offset: number }).offset / MIB, sent / MIB]);

test("a body of known size that is larger than the pieces of one round: so many at once, the last one closes", async () => {
  let running = 0;
  let most = 0;
  await using at = await dropboxAt(TWO);
  const store = at.open({
    ...TWO,
    async fetch(url, init) {
      if (!(typeof url === "string" && url.endsWith(APPEND))) return at.server.fetch()(url, init);
      most = Math.max(most, ++running);
      // Later ones overtake earlier ones.
      if (running === 1) await new Promise((done) => setTimeout(done, 20));
      return at.server
        .fetch()(url, init)
        .finally(() => running--);
    },
  });
  for (const content of [bytes(17 * MIB + 5), bytes(20 * MIB, 3)]) {
    for (const [name, body] of Object.entries({ memory: content, stream: stream(content, 3 * MIB + 1) })) {
      await store.write(`/${name}`, body, { size: content.byteLength });
      expect(at.server.routes).toEqual([START, ...Array.from({ length: 5 }, () => APPEND), FINISH]);
      expect(at.server.log.filter(({ args }) => args["close"] === true).map(({ args }) => args["cursor"])).toMatchObject([{ offset: 16 * MIB }]);
      for (const { args, route } of at.server.log) if (route === APPEND) expect(args).toHaveProperty("content_hash");
      at.server.clear();
      await holds(at, `/${name}`, content);
      at.server.clear();
    }
  }
  expect(most).toBe(2);
});

test("smaller ones and those of unknown size go one after the other, in two requests less", async () => {
  await using at = await dropboxAt(TWO);
  await at.store.write("/round", bytes(8 * MIB));
  expect(at.asked()).toEqual([START, FINISH]);
  await at.store.write("/unknown", stream(bytes(13 * MIB)));
  expect(at.asked()).toEqual([START, APPEND, APPEND, FINISH]);
  await at.open({ ...TWO, parallelPieces: 1 }).write("/never", bytes(13 * MIB));
  expect(at.asked()).toEqual([START, APPEND, APPEND, FINISH]);
});

test("a piece that was refused, and one whose answer was lost, are sent again, and no other", async () => {
  await using at = await dropboxAt(TWO);
  for (const failure of [{ status: 503, headers: { "retry-after": "0" } }, { cut: "after" }, { cut: "before" }] as const) {
    const content = bytes(17 * MIB, 5);
    at.server.fail({ route: APPEND, when: ({ cursor }) => (cursor as { offset: number }).offset === 4 * MIB }, failure);
    await at.store.write("/again", stream(content), { size: content.byteLength });
    expect(pieces(at).sort(([one], [other]) => one - other)).toEqual([
      [0, 4],
      [4, 4],
      [4, 4],
      [8, 4],
      [12, 4],
      [16, 1],
    ]);
    await holds(at, "/again", content);
    at.server.clear();
  }
});

test("the answer to the piece that closes was lost: that it is closed says that it arrived", async () => {
  await using at = await dropboxAt(TWO);
  const content = bytes(9 * MIB);
  for (const failure of [{ cut: "after" }, { status: 502, body: "bad gateway", done: true }] as const) {
    at.server.fail({ route: APPEND, when: ({ close }) => close === true }, failure);
    await at.store.write("/closed", content);
    expect(at.asked()).toEqual([START, APPEND, APPEND, APPEND, APPEND, FINISH]);
    await holds(at, "/closed", content);
    at.asked();
  }
  // Refused as closed without having been lost, it is somebody else's session.
  at.server.fail({ route: APPEND, when: ({ close }) => close === true }, { status: 409, body: { error_summary: "closed/.", error: { ".tag": "closed" } } });
  await expect(at.store.write("/closed", bytes(9 * MIB, 9))).rejects.toMatchObject({ code: "conflict", applied: false });
});

test("a piece that fails for good, a body that fails and a caller that gives up store nothing", async () => {
  await using at = await dropboxAt(TWO);
  await at.store.write("/kept", "old");
  at.server.fail(
    { route: APPEND, when: ({ cursor }) => (cursor as { offset: number }).offset === 0 },
    { status: 409, body: { error: { ".tag": "not_found" } } },
  );
  await expect(at.store.write("/kept", stream(bytes(17 * MIB)), { size: 17 * MIB })).rejects.toMatchObject({ code: "conflict", applied: false });
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield bytes(9 * MIB);
    throw new Error("the disk is gone");
  }
  await expect(at.store.write("/kept", failing(), { size: 17 * MIB })).rejects.toMatchObject({ code: "bad-body", applied: false });
  const giveUp = new AbortController();
  async function* left(): AsyncGenerator<Uint8Array> {
    yield bytes(9 * MIB);
    giveUp.abort();
    yield bytes(8 * MIB);
  }
  await expect(at.store.write("/kept", left(), { size: 17 * MIB, signal: giveUp.signal })).rejects.toMatchObject({ code: "aborted", applied: false });
  expect(at.asked()).not.toContain(FINISH);
  expect(await (await at.store.read("/kept")).text()).toBe("old");
});

test("conditions and times are those of any other write", async () => {
  await using at = await dropboxAt(TWO);
  const content = bytes(9 * MIB);
  const first = await at.store.write("/file", content, { ifAbsent: true, modifiedMs: 1_000_000_000_000 });
  await expect(at.store.write("/file", content, { ifAbsent: true })).rejects.toMatchObject({ code: "already-exists", applied: false });
  const again = await at.store.write("/file", content, { modifiedMs: 1_100_000_000_000 });
  expect(again).toMatchObject({ modifiedMs: 1_100_000_000_000, hashes: first.hashes });
  await expect(at.store.write("/file", content, { ifMatch: first.etag as string })).rejects.toMatchObject({ code: "precondition-failed", applied: false });
  at.server.fail({ route: FINISH }, { cut: "after" });
  expect((await at.store.write("/lost", content)).size).toBe(content.byteLength);
});

test("the emulator refuses what the service refuses of such sessions", async () => {
  await using at = await dropboxAt();
  const ask = async (route: string, args: object, body = new Uint8Array(0)): Promise<unknown> => {
    const headers = { authorization: `Bearer ${at.account.accessToken}`, "content-type": "application/octet-stream", "dropbox-api-arg": JSON.stringify(args) };
    const response = await fetch(`${at.server.origin}/content/2/files/upload_session/${route}`, { method: "POST", headers, body });
    if (response.status === 400) return response.text();
    const answer = (await response.json()) as { error?: { ".tag": string }; session_id?: string } | null;
    return response.ok ? (answer?.session_id ?? "done") : (answer?.error?.[".tag"] ?? response.status);
  };
  const concurrent = { session_type: "concurrent" };
  expect(await ask("start", concurrent, bytes(1))).toBe("concurrent_session_data_not_allowed");
  expect(await ask("start", { ...concurrent, close: true })).toBe("concurrent_session_close_not_allowed");
  expect(await ask("start", { session_type: "neither" })).toMatch(/not a valid UploadSessionType/);
  const session_id = await ask("start", concurrent);
  const append = (offset: number, size: number, close = false): Promise<unknown> => ask("append_v2", { cursor: { session_id, offset }, close }, bytes(size));
  const finish = (offset: number, size = 0): Promise<unknown> => ask("finish", { cursor: { session_id, offset }, commit: { path: "/f" } }, bytes(size));
  expect(await append(1, 4 * MIB)).toBe("concurrent_session_invalid_offset");
  expect(await append(0, 4 * MIB + 1)).toBe("concurrent_session_invalid_data_size");
  expect(await append(8 * MIB, 4 * MIB)).toBe("done");
  expect(await append(8 * MIB, 4 * MIB)).toBe("done");
  expect(await append(4 * MIB, 8 * MIB)).toBe("concurrent_session_invalid_offset");
  expect(await append(0, 4 * MIB)).toBe("done");
  expect(await finish(12 * MIB)).toBe("concurrent_session_not_closed");
  expect(await append(12 * MIB, 7, true)).toBe("done");
  expect(await append(4 * MIB, 4 * MIB)).toBe("closed");
  expect(await finish(12 * MIB + 7)).toBe("concurrent_session_missing_data");
  expect(await finish(12 * MIB + 7, 1)).toBe("concurrent_session_data_not_allowed");
});
