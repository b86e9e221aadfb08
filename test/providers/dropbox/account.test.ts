/** CF76, CF92-CF94: tokens that are renewed or revoked, the pause of an account, one commit at a time, space, and whose account it is. */
import { expect, test } from "vitest";
import { manualClock } from "../../../src/store/index.ts";
import type { StoreError } from "../../../src/store/index.ts";
import { dropbox } from "../../../src/providers/dropbox/index.ts";
import { retry } from "../../../src/wrappers/index.ts";
import { stack } from "../../../src/store/index.ts";
import { bytes, dropboxAt, withRefresh } from "./at.ts";

const HOUR_MS = 3_600_000;

test("a refresh token alone is enough: one renewal however many calls wait for it", async () => {
  await using at = await dropboxAt(withRefresh);
  await Promise.all([at.store.write("/a", "1"), at.store.write("/b", "2"), at.store.write("/c", "3")]);
  expect(at.asked().filter((route) => route === "oauth2/token")).toHaveLength(1);
});

test("an access token that expired is renewed once, and the request is sent again", async () => {
  await using at = await dropboxAt(withRefresh);
  await at.store.write("/a", "1");
  at.server.advance(5 * HOUR_MS);
  at.asked();
  expect((await at.store.write("/a", "22")).size).toBe(2);
  expect(at.asked()).toEqual(["files/upload", "oauth2/token", "files/upload"]);
});

test("a token whose end is known is renewed before it", async () => {
  const clock = manualClock(Date.now());
  const told: number[] = [];
  await using at = await dropboxAt((account) => ({ ...withRefresh(account), clock, onToken: ({ expiresMs }) => void told.push(expiresMs) }));
  await at.store.stat("/");
  await clock.advance(4 * HOUR_MS - 200_000);
  at.asked();
  await at.store.stat("/");
  expect(at.asked()[0]).toBe("oauth2/token");
  expect(told).toHaveLength(2);
});

test("secrets are in no address", async () => {
  await using at = await dropboxAt(withRefresh);
  await at.store.stat("/");
  for (const { url } of at.server.log) expect(url).not.toMatch(/refresh|appsecret|sl\./);
});

test("a revoked sign-in says so, and is not tried again before reconnect", async () => {
  await using at = await dropboxAt(withRefresh);
  await at.store.write("/a", "1");
  at.server.accounts.revoke(at.account);
  at.asked();
  const failure = at.store.write("/a", "2");
  await expect(failure).rejects.toMatchObject({ code: "unauthenticated", applied: false, transient: false });
  await expect(failure).rejects.toThrow(/revoked/);
  const before = at.asked();
  expect(before).toEqual(["files/upload", "oauth2/token"]);
  await expect(at.store.stat("/a")).rejects.toMatchObject({ code: "unauthenticated" });
  expect(at.asked()).toEqual([]);
  await at.store.reconnect();
  await expect(at.store.stat("/a")).rejects.toMatchObject({ code: "unauthenticated" });
  expect(at.asked()).toEqual(["oauth2/token"]);
});

test("an expired access token without a refresh token is unauthenticated, after one request", async () => {
  await using at = await dropboxAt();
  const token = at.server.accounts.grant(at.account);
  const store = at.open({ accessToken: token });
  await store.stat("/");
  at.server.advance(5 * HOUR_MS);
  at.asked();
  await expect(store.stat("/")).rejects.toThrow(/expired/);
  expect(at.asked()).toHaveLength(1);
});

test("neither errors nor the text of a store hold a secret", async () => {
  await using at = await dropboxAt(withRefresh);
  at.server.accounts.revoke(at.account);
  const failure: unknown = await at.store.stat("/").catch((error: unknown) => error);
  const shown = `${String(failure)} ${JSON.stringify(failure)} ${String((failure as StoreError).cause)} ${at.store.toString()}`;
  expect(shown).not.toMatch(/refresh\.ann|appsecret|sl\./);
});

test("a permission that the token lacks is permission-denied, and the token stays good", async () => {
  await using at = await dropboxAt();
  const body = { error_summary: "missing_scope/..", error: { ".tag": "missing_scope", required_scope: "files.content.write" } };
  at.server.fail({ route: "files/upload" }, { status: 401, body });
  await expect(at.store.write("/a", "1")).rejects.toMatchObject({ code: "permission-denied", applied: false });
  await at.store.write("/a", "1");
});

test("CF92: 429 is rate-limited with the wait, and all calls of the account wait for it", async () => {
  const clock = manualClock();
  await using at = await dropboxAt({ clock });
  const other = at.open({ clock });
  await Promise.all([at.store.stat("/"), other.stat("/")]);
  at.server.fail(
    { route: "files/upload" },
    { status: 429, headers: { "retry-after": "7" }, body: { error: { reason: { ".tag": "too_many_requests" }, retry_after: 7 } } },
  );
  await expect(at.store.write("/a", "1")).rejects.toMatchObject({ code: "rate-limited", retryAfterMs: 7000, applied: false, transient: true });
  at.asked();
  let done = false;
  const waiting = other.write("/b", "2").then(() => (done = true));
  await clock.advance(6900);
  expect([done, at.asked()]).toEqual([false, []]);
  await clock.advance(200);
  await waiting;
  expect(at.asked()).toEqual(["files/upload"]);
});

test("CF94: a longer wait than calls may is told at once, without a request", async () => {
  const clock = manualClock();
  await using at = await dropboxAt({ clock, maxWaitMs: 1000 });
  at.server.fail({}, { status: 429, headers: { "retry-after": "300" } });
  await expect(at.store.stat("/a")).rejects.toMatchObject({ code: "rate-limited", retryAfterMs: 300_000 });
  at.asked();
  await expect(at.store.stat("/a")).rejects.toMatchObject({ code: "rate-limited", retryAfterMs: 300_000, applied: false });
  expect(at.asked()).toEqual([]);
});

test("CF93: what no wait cures makes one request", async () => {
  await using at = await dropboxAt();
  const store = stack(at.store, retry());
  at.account.allocated = 1;
  await expect(store.write("/a", bytes(2))).rejects.toMatchObject({ code: "no-space" });
  at.server.fail({ route: "files/upload" }, { status: 400, body: "Error in call" });
  await expect(store.write("/a", "1")).rejects.toMatchObject({ code: "unknown", status: 400, applied: false });
  expect(at.asked()).toEqual(["files/upload", "files/upload"]);
});

test("the lock of a namespace is never met by one process: commits go one after the other, by two stores as well", async () => {
  await using at = await dropboxAt();
  const other = at.open();
  await Promise.all(Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? at.store : other).write(`/d/${i}`, bytes(i))));
  await Promise.all([at.store.move("/d/1", "/e/1"), other.delete("/d/2"), at.store.mkdir("/f"), other.copy("/d/3", "/g/3")]);
  expect(at.server.log.filter(({ status }) => status === 429)).toEqual([]);
});

test("somebody else's lock is rate-limited, in both forms in which Dropbox says it", async () => {
  await using at = await dropboxAt();
  at.account.locked = true;
  await expect(at.store.write("/a", "1")).rejects.toMatchObject({ code: "rate-limited", status: 429, retryAfterMs: 1000, applied: false });
  at.account.locked = false;
  const body = { error_summary: "path/too_many_write_operations/..", error: { ".tag": "path", reason: { ".tag": "too_many_write_operations" } } };
  const second = at.open({ clock: manualClock() });
  at.server.fail({ route: "files/upload" }, { status: 409, body });
  await expect(second.write("/a", "1")).rejects.toMatchObject({ code: "rate-limited", status: 409, applied: false, transient: true });
});

test("space of a person, of a member of a team, and of a member with a limit of his own", async () => {
  await using at = await dropboxAt();
  at.account.allocated = 1000;
  await at.store.write("/a", bytes(100));
  expect(await at.store.space()).toEqual({ used: 100, free: 900, total: 1000 });
  at.account.team = { usedByOthers: 500, member: 0 };
  expect(await at.store.space()).toEqual({ used: 600, free: 400, total: 1000 });
  at.account.team = { usedByOthers: 500, member: 80 };
  expect(await at.store.space()).toEqual({ used: 100, free: 0, total: 80 });
});

test("the account is asked for once", async () => {
  await using at = await dropboxAt();
  expect(await at.store.account()).toEqual({ provider: "dropbox", user: "ann@example.org", text: "Dropbox of ann Tester, ann@example.org" });
  await at.store.account();
  expect(at.asked()).toEqual(["users/get_current_account"]);
});

test("a namespace goes with every request", async () => {
  await using at = await dropboxAt({ namespace: "42" });
  await at.store.stat("/");
  expect(at.server.log[0]?.headers["dropbox-api-path-root"]).toBe('{".tag":"namespace_id","namespace_id":"42"}');
});

test("options that cannot be meant are config, and no secret is quoted", () => {
  const wrong: unknown[] = [
    undefined,
    {},
    { accessToken: "" },
    { refreshToken: "r" },
    { accessToken: "a", clientId: "k" },
    { accessToken: "a", root: "Backup" },
    { accessToken: "a", root: "/a/../b" },
    { accessToken: "a", pieceBytes: 5_000_000 },
    { accessToken: "a", conflicts: "merge" },
    { accessToken: "a", namespace: "home" },
    { accessToken: "a", timeoutMs: 1 },
    { accessToken: "a", surprise: 1 },
    { accessToken: "secret value" },
  ];
  for (const options of wrong) {
    let failure: unknown;
    try {
      dropbox(options as never);
    } catch (error) {
      failure = error;
    }
    expect(failure, JSON.stringify(options)).toMatchObject({ code: "config" });
    expect(String(failure)).not.toContain("secret value");
  }
});
