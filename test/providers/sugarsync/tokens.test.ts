/** Access tokens renew themselves; a revoked refresh token says so (CF91: a stored token is all a start needs). */
import { expect, test } from "vitest";
import { manualClock, readText } from "../../../src/index.ts";
import { sugarsync } from "../../../src/providers/sugarsync/index.ts";
import { at } from "./at.ts";

const renewals = (lines: readonly string[]): number => lines.filter((line) => line === "POST /authorization").length;

test("one access token serves all calls, also those that begin together", async () => {
  await using a = await at();
  await Promise.all([a.store.stat("/"), a.store.space(), a.store.account(), a.store.list("/").toArray()]);
  expect(renewals(a.server.lines)).toBe(1);
});

test("a token is renewed before its end, by the service's clock", async () => {
  const clock = manualClock(Date.UTC(1999, 0, 1));
  await using a = await at({ clock });
  await a.store.stat("/");
  await clock.advance(54 * 60_000);
  await a.store.stat("/");
  expect(renewals(a.server.lines)).toBe(1);
  // An hour from the service's now, whatever our clock says; five minutes earlier there is a new one.
  await clock.advance(2 * 60_000);
  await a.store.stat("/");
  expect(renewals(a.server.lines)).toBe(2);
});

test("a token that ended early is replaced once, and the call goes on", async () => {
  await using a = await at();
  await a.store.mkdir("/d");
  a.server.expire(a.account);
  a.server.clear();
  await a.store.write("/d/a", "x");
  expect(renewals(a.server.lines)).toBe(1);
  expect(await readText(a.store, "/d/a")).toBe("x");
});

test("a body that can be read only once cannot be sent again with a new token: that says so, and what comes next has one", async () => {
  await using a = await at();
  await a.store.write("/d/a", "old");
  a.server.fail(({ method, path }) => {
    if (method === "PUT" && path.endsWith("/data")) a.server.expire(a.account);
    return undefined;
  });
  a.server.clear();
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from("new");
  };
  await expect(a.store.write("/d/a", body())).rejects.toMatchObject({ code: "unavailable", applied: false, transient: false, status: 401 });
  // The temporary file goes with a new token at once: no second request is refused.
  expect(a.server.lines.slice(-3)).toEqual(["PUT /file/data", "POST /authorization", "DELETE /file"]);
  a.server.fail(undefined);
  a.server.clear();
  await a.store.write("/d/a", body());
  expect(renewals(a.server.lines)).toBe(0);
  expect(await readText(a.store, "/d/a")).toBe("new");
});

test("a revoked refresh token is unauthenticated and says what to do; nothing more is asked until reconnect", async () => {
  await using a = await at();
  await a.store.stat("/");
  a.server.revoke(a.account);
  await expect(a.store.stat("/")).rejects.toMatchObject({ code: "unauthenticated", reason: expect.stringContaining("stratus auth sugarsync") as string });
  a.server.clear();
  await expect(a.store.write("/d/a", "x")).rejects.toMatchObject({ code: "unauthenticated", applied: false });
  expect(a.server.lines).toEqual([]);
  await a.store.reconnect();
  await expect(a.store.stat("/")).rejects.toMatchObject({ code: "unauthenticated" });
  expect(a.server.lines).toEqual(["POST /authorization"]);
});

test("a service that does not answer the renewal is unavailable, not a wrong token, and nothing was applied", async () => {
  await using a = await at();
  a.server.fail(({ path }) => (path === "/authorization" ? { status: 502 } : undefined));
  await expect(a.store.mkdir("/d")).rejects.toMatchObject({ code: "unavailable", applied: false });
  a.server.fail(undefined);
  await a.store.mkdir("/d");
});

test("no secret is in what is thrown or printed", async () => {
  await using a = await at();
  const { privateAccessKey } = a.server.application;
  a.server.revoke(a.account);
  const error: unknown = await a.store.stat("/").catch((thrown: unknown) => thrown);
  const said = `${String(error)} ${String((error as Error).cause)} ${String(a.store)} ${JSON.stringify(error)}`;
  for (const secret of [privateAccessKey, a.account.refreshToken]) expect(said).not.toContain(secret);
});

test("a service that names another address gets no token sent there", async () => {
  await using a = await at({}, { base: "https://elsewhere.example" });
  await expect(a.store.list("/").toArray()).rejects.toMatchObject({ code: "config" });
});

test("wrong options are config, and nothing is asked", () => {
  const right = { accessKeyId: "a", privateAccessKey: "b", refreshToken: "c" };
  for (const wrong of [
    {},
    { ...right, refreshToken: "" },
    { ...right, url: "ftp://x" },
    { ...right, url: "https://x/y" },
    { ...right, url: "https://u:p@x" },
    { ...right, cacheMs: -1 },
    { ...right, cacheMs: 5000, settleMs: 4000 },
    { ...right, timeoutMs: 1 },
    { ...right, colour: "red" },
  ])
    expect(() => sugarsync(wrong as never)).toThrow(expect.objectContaining({ code: "config" }));
});
