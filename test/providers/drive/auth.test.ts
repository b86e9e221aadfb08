/** Tokens: renewed without anybody (CF91 in part: a second start needs no login), by refresh token and by service account; a revoked one says so. */
import { expect, test } from "vitest";
import { manualClock } from "../../../src/index.ts";
import { drive } from "../../../src/providers/drive/index.ts";
import { at, bytesOf } from "./at.ts";

test("a token is got once for all, and kept until shortly before its end", async () => {
  const clock = manualClock(Date.now());
  const { store, server } = await at({ clock });
  await Promise.all(Array.from({ length: 5 }, (_, i) => store.write(`/f${i}`, "x")));
  expect(server.oauth.granted).toBe(2); // one for the raw client of the test
  await clock.advance(3_500_000);
  await store.stat("/f1");
  expect(server.oauth.granted).toBe(2);
  await clock.advance(60_000);
  await store.stat("/f1");
  expect(server.oauth.granted).toBe(3);
});

test("one that ends early is renewed once, also in the middle of an upload", async () => {
  const { store, server } = await at();
  await store.stat("/");
  let puts = 0;
  server.before = ({ method }) => {
    if (method === "PUT" && ++puts === 2) server.oauth.expire();
  };
  const bytes = bytesOf(900_000);
  await store.write("/f", bytes);
  await using result = await store.read("/f");
  expect(Buffer.compare(await result.bytes(), bytes)).toBe(0);
  server.oauth.expire();
  await Promise.all([store.stat("/f"), store.stat("/f"), store.stat("/f")]);
});

test("a revoked sign-in says so, once asked and then without a request, until reconnect", async () => {
  const { store, server, asked } = await at();
  await store.write("/f", "x");
  const [token] = server.oauth.refreshTokens;
  server.oauth.refreshTokens.clear();
  server.oauth.expire();
  await expect(store.stat("/f")).rejects.toMatchObject({
    code: "unauthenticated",
    transient: false,
    applied: false,
    reason: expect.stringContaining("sign in again"),
  });
  asked();
  await expect(store.write("/f", "y")).rejects.toMatchObject({ code: "unauthenticated", applied: false });
  expect(asked()).toEqual([]);
  server.oauth.refreshTokens.add(token as string);
  await store.reconnect();
  await store.stat("/f");
});

test("a service account signs for itself, and may act for a user", async () => {
  const { server, open } = await at();
  const store = open({ auth: { serviceAccount: server.oauth.serviceAccount(), subject: "ann@example.org" } });
  await store.write("/f", "x");
  expect((await store.stat("/f")).size).toBe(1);
  const { generateKeyPairSync } = await import("node:crypto");
  const private_key = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  const stranger = open({ auth: { serviceAccount: { ...server.oauth.serviceAccount(), private_key } } });
  await expect(stranger.stat("/f")).rejects.toMatchObject({ code: "unauthenticated" });
  await expect(open({ auth: { serviceAccount: { client_email: "a@b", private_key: "no key" } } }).stat("/")).rejects.toMatchObject({ code: "config" });
});

test("a token of the caller's own is used as it is; a function is asked again when it was refused", async () => {
  const { server, open } = await at();
  const fixed = open({ auth: { token: server.oauth.issue() } });
  await fixed.write("/f", "x");
  server.oauth.expire();
  await expect(fixed.stat("/f")).rejects.toMatchObject({ code: "unauthenticated" });
  let given = 0;
  const asked = open({ auth: { token: () => (given++, server.oauth.issue()) } });
  await asked.stat("/f");
  server.oauth.expire();
  await asked.stat("/f");
  expect(given).toBe(2);
});

test("a token endpoint that cannot answer now is unavailable", async () => {
  const { store, server } = await at();
  server.fail({ status: 503, reason: "backendError", match: ({ path }) => path === "/token" });
  await expect(store.stat("/")).rejects.toMatchObject({ code: "unavailable", transient: true });
  await store.stat("/");
});

test("nothing is asked of anybody before the first call, and wrong options are config at once", () => {
  const auth = { token: "t" };
  drive({ auth, rootUrl: "http://127.0.0.1:1/" });
  for (const wrong of [
    {},
    { auth: {} },
    { auth: { clientId: "a", clientSecret: "b" } },
    { auth, folder: "no/slash" },
    { auth, folder: "/a/../b" },
    { auth, chunkBytes: 1000 },
    { auth, multipartBytes: 5_000_001 },
    { auth, deletes: "never" },
    { auth, duplicates: "oldest" },
    { auth, rootUrl: "ftp://x" },
    { auth, driveId: "0A'", folder: "/x" },
    { auth, driveId: "0A", rootId: "1B" },
    { auth, settleMs: -1 },
    { auth, unknown: 1 },
  ])
    expect(() => drive(wrong as never), JSON.stringify(wrong)).toThrow(expect.objectContaining({ code: "config" }));
});
