/** Whose bytes a store has: layers that keep things on disk ask before they serve what they hold, or send what is pending. Accounts of one service are not one store. */
import { join } from "node:path";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, test } from "vitest";
import { StoreError, stack } from "../../src/index.ts";
import type { Store } from "../../src/index.ts";
import { drive } from "../../src/providers/drive/index.ts";
import { dropbox } from "../../src/providers/dropbox/index.ts";
import { sugarsync } from "../../src/providers/sugarsync/index.ts";
import { webdav } from "../../src/providers/webdav/index.ts";
import { identityOf } from "../../src/store/layer.ts";
import { caching } from "../../src/wrappers/index.ts";
import { dropboxAt } from "./dropbox/at.ts";

interface More {
  readonly account?: string;
}
const app = { clientId: "app", clientSecret: "app-secret" };
const keys = { accessKeyId: "key", privateAccessKey: "private" };
const makers: Readonly<Record<string, (token: string, more?: More) => Store>> = {
  "dropbox by a refresh token": (refreshToken, more) => dropbox({ ...app, refreshToken, ...more }),
  "dropbox by an access token": (accessToken, more) => dropbox({ accessToken, ...more }),
  "drive by a refresh token": (refreshToken, more) => drive({ auth: { ...app, refreshToken }, ...more }),
  "drive by a token": (token, more) => drive({ auth: { token }, ...more }),
  "drive by a service account": (client_email, more) => drive({ auth: { serviceAccount: { client_email, private_key: "x" } }, ...more }),
  "webdav by a token": (token, more) => webdav({ url: "https://dav.example.org/files", token, ...more }),
  "webdav by a user": (username, more) => webdav({ url: "https://dav.example.org/files", username, password: "secret", ...more }),
  sugarsync: (refreshToken, more) => sugarsync({ ...keys, refreshToken, ...more }),
};

describe.each(Object.entries(makers))("%s", (name, make) => {
  test("one account has one identity, another has another, and no token is in it", () => {
    expect(identityOf(make("ann-token"))).toBe(identityOf(make("ann-token")));
    expect(identityOf(make("ann-token"))).not.toBe(identityOf(make("bob-token")));
    if (!/service account|by a user/.test(name)) expect(identityOf(make("ann-token"))).not.toContain("ann-token");
  });

  test("a name that is given stays through a new sign-in", () => {
    expect(identityOf(make("old", { account: "ann" }))).toBe(identityOf(make("new", { account: "ann" })));
    expect(identityOf(make("old", { account: "ann" }))).not.toBe(identityOf(make("old", { account: "bob" })));
    for (const account of ["", 7 as unknown as string]) expect(() => make("old", { account })).toThrow(expect.objectContaining({ code: "config" }));
  });
});

test("the access token of the moment does not matter where there is a refresh token", () => {
  const one = (accessToken: string): string => identityOf(dropbox({ ...app, refreshToken: "r", accessToken }));
  expect(one("first")).toBe(one("second"));
});

test("folders and namespaces of one account are not one store", () => {
  const of = (more: object): string => identityOf(dropbox({ accessToken: "t", ...more }));
  expect(new Set([of({}), of({ root: "/a" }), of({ root: "/b" }), of({ namespace: "7" })]).size).toBe(4);
});

test("Drive: a function that gives tokens does not tell whose they are; a name, or the id of a folder, does", () => {
  const auth = { token: () => "t" };
  let thrown: unknown;
  try {
    identityOf(drive({ auth }));
  } catch (error) {
    thrown = error;
  }
  expect(StoreError.is(thrown) && thrown.code).toBe("config");
  expect(identityOf(drive({ auth, account: "ann" }))).not.toBe(identityOf(drive({ auth, account: "bob" })));
  expect(identityOf(drive({ auth, rootId: "0A" }))).not.toBe(identityOf(drive({ auth, rootId: "0B" })));
});

test("the cache of one account is not served to another", async () => {
  const directory = await mkdtemp(join(tmpdir(), "stratus-identity-"));
  try {
    await using at = await dropboxAt();
    const over = (store: Store): Store => stack(store, caching({ directory, durability: "process" }));
    {
      await using ann = over(at.open());
      await ann.write("/mine", "ann's");
      await ann.layers["caching"]?.flush();
    }
    await using bob = over(at.open({ accessToken: at.server.account("bob").accessToken }));
    await expect(bob.read("/mine")).rejects.toMatchObject({ code: "not-found" });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
