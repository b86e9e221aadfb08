/** What the package dropbox 10.47.0 does wrong (reference/peers.md 6.4): each as it is, and that it does not reach a store. */
import { Dropbox, DropboxAuth } from "dropbox";
import { expect, test } from "vitest";
import { MIB, bytes, dropboxAt, stream, withRefresh } from "./at.ts";
import type { At } from "./at.ts";

const client = (at: At): Dropbox => new Dropbox({ accessToken: at.account.accessToken, fetch: at.server.fetch() });

test("its hash is never sent; ours is, with every piece", async () => {
  await using at = await dropboxAt({ pieceBytes: 4 * MIB });
  await client(at).filesUpload({ path: "/theirs", contents: Buffer.from("x") });
  expect(at.server.log[0]?.args).not.toHaveProperty("content_hash");
  at.server.clear();
  await at.store.write("/ours", stream(bytes(9 * MIB)));
  for (const { args } of at.server.log) expect(args).toHaveProperty("content_hash");
});

test("its download is all in memory before anybody sees a byte; ours begins with the first chunk and stops when it is left", async () => {
  await using at = await dropboxAt();
  const content = bytes(48 * MIB);
  at.account.tree.put("/large", { chunks: [content], clientModified: "2020-01-01T00:00:00Z" });
  const theirs = (await client(at).filesDownload({ path: "/large" })).result as unknown as { fileBinary: Buffer };
  expect(theirs.fileBinary.byteLength).toBe(content.byteLength);
  let pulled = 0;
  const counting: typeof fetch = async (url, init) => {
    const response = await at.server.fetch()(url, init);
    const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
    const body = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          pulled += value.byteLength;
          controller.enqueue(value);
        },
        cancel: async (reason) => void (await reader.cancel(reason)),
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { status: response.status, headers: response.headers });
  };
  const store = at.open({ fetch: counting });
  for await (const chunk of await store.read("/large")) {
    expect(chunk.byteLength).toBeGreaterThan(0);
    break;
  }
  expect(pulled).toBeLessThan(4 * MIB);
});

test("an answer that is cut is handed on as text by the package, and is an error here", async () => {
  await using at = await dropboxAt();
  await at.store.write("/a", "x");
  const cut = '{"entries": [], "cur';
  at.server.fail({ route: "files/list_folder", times: 4 }, { status: 200, body: cut });
  expect((await client(at).filesListFolder({ path: "" })).result).toBe(cut);
  await expect(at.store.list("/").toArray()).rejects.toMatchObject({ code: "unavailable" });
  at.server.fail({ route: "files/get_metadata" }, { status: 200, body: "<html>login</html>" });
  await expect(at.store.stat("/a")).rejects.toMatchObject({ code: "unavailable", applied: false });
  at.server.fail({ route: "files/upload" }, { status: 200, body: "{" });
  await expect(at.store.write("/a", "y")).rejects.toMatchObject({ code: "unavailable", applied: "unknown" });
});

test("bytes without a word of whose they are: the package throws a TypeError, or gives them", async () => {
  await using at = await dropboxAt();
  at.server.fail({ route: "files/download", times: 2 }, { status: 200, body: "not the file", headers: { "content-type": "text/html" } });
  await expect(client(at).filesDownload({ path: "/a" })).rejects.toThrow(TypeError);
  await expect(at.store.read("/a")).rejects.toMatchObject({ code: "unavailable", applied: false });
});

test("a web stream cannot be sent by it (no duplex); ours goes up in pieces", async () => {
  await using at = await dropboxAt();
  const contents = new Blob([bytes(100)]).stream();
  await expect(client(at).filesUpload({ path: "/theirs", contents: contents as never })).rejects.toThrow();
  await at.store.write("/ours", new Blob([bytes(100)]).stream() as ReadableStream<Uint8Array>);
  expect((await at.store.stat("/ours")).size).toBe(100);
});

test("its renewal puts secrets into the address, and renews once per waiting call; ours does neither", async () => {
  await using at = await dropboxAt(withRefresh);
  const auth = new DropboxAuth({
    refreshToken: at.account.refreshToken,
    clientId: "appkey123",
    clientSecret: "appsecret456",
    fetch: at.server.fetch(),
  });
  const theirs = new Dropbox({ auth, fetch: at.server.fetch() });
  await Promise.all([theirs.filesListFolder({ path: "" }), theirs.filesListFolder({ path: "" })]);
  const renewals = at.server.log.filter(({ route }) => route === "oauth2/token");
  expect(renewals.length).toBe(2);
  expect(renewals[0]?.url).toContain("appsecret456");
  at.server.clear();
  await Promise.all([at.store.stat("/"), at.store.list("/").toArray()]);
  const ours = at.server.log.filter(({ route }) => route === "oauth2/token");
  expect(ours.map(({ url }) => url)).toEqual(["/api/oauth2/token"]);
});

test("it gives up on a 401; a store with a refresh token renews once", async () => {
  await using at = await dropboxAt(withRefresh);
  await at.store.stat("/");
  at.server.advance(5 * 3_600_000);
  const token = at.server.accounts.grant(at.account);
  const theirs = new Dropbox({
    accessToken: token,
    refreshToken: at.account.refreshToken,
    clientId: "appkey123",
    accessTokenExpiresAt: new Date(8e15),
    fetch: at.server.fetch(),
  });
  at.server.advance(5 * 3_600_000);
  await expect(theirs.filesListFolder({ path: "" })).rejects.toMatchObject({ status: 401 });
  await at.store.stat("/");
});

test("a 429 surfaces at once from it, without the wait as a number; here it has retryAfterMs", async () => {
  await using at = await dropboxAt({ maxWaitMs: 0 });
  at.server.fail({ times: 2 }, { status: 429, headers: { "retry-after": "9" }, body: "slow down" });
  await expect(client(at).filesListFolder({ path: "" })).rejects.not.toHaveProperty("retryAfterMs");
  await expect(at.store.stat("/a")).rejects.toMatchObject({ code: "rate-limited", retryAfterMs: 9000 });
});

test("it follows redirects wherever they lead; here they are config", async () => {
  await using at = await dropboxAt();
  at.server.fail({ times: 1 }, { status: 302, headers: { location: "http://127.0.0.1:1/" } });
  await expect(at.store.stat("/a")).rejects.toMatchObject({ code: "config", applied: false });
});
