/**
 * CF88: what the package @googleapis/drive 26.0.1 does wrong (reference/peers.md 6.2), and that the provider does not. Where the package itself can be shown
 * doing it, the first test does, so that a release that mends it is noticed.
 */
import { Readable } from "node:stream";
import { drive as driveSdk } from "@googleapis/drive";
import { expect, test } from "vitest";
import { StoreError } from "../../../src/index.ts";
import { addressOf, at, bytesOf, pieces, text } from "./at.ts";
import type { At } from "./at.ts";

/** The package as a user has it, with a token of the emulator. */
async function direct(): Promise<{ server: At["server"]; client: any; sdk: any }> {
  const { server } = await at();
  const { auth } = await import("@googleapis/drive");
  const client: any = new auth.OAuth2();
  client.setCredentials({ access_token: server.oauth.issue(), expiry_date: Date.now() + 3_600_000 });
  return { server, client, sdk: driveSdk({ version: "v3", auth: client, rootUrl: server.url }) };
}

test("the package sends uploads to Google's own host whatever its rootUrl says", async () => {
  const { sdk, client } = await direct();
  const hosts: string[] = [];
  const fetchImplementation = async (url: URL): Promise<Response> => {
    hosts.push(url.host);
    return Response.json({ id: "1", name: "f", mimeType: "text/plain" });
  };
  await sdk.files.create({ requestBody: { name: "f" }, media: { body: Readable.from(["x"]) } }, { fetchImplementation });
  expect(hosts).toEqual(["www.googleapis.com"]);
  void client;
});

test("uploads of the provider go to the host that it was given, whole ones and those in pieces", async () => {
  const { store, server } = await at();
  await store.write("/small", "small");
  await store.write("/large", pieces(bytesOf(700_000)));
  const uploads = server.requests.filter(({ path }) => path.startsWith("/upload/"));
  expect(uploads.map(text)).toEqual(["POST upload/files multipart", "POST upload/files resumable", "PUT upload/files resumable", "PUT upload/files resumable"]);
});

test("the package throws for bytes with properties", async () => {
  const { sdk, server } = await direct();
  await expect(sdk.files.create({ requestBody: { name: "f" }, media: { body: new Uint8Array(3) } }, { rootUrl: server.url })).rejects.toThrow(TypeError);
});

test("bytes, blobs, web streams and Node streams are all taken, with properties", async () => {
  const { store } = await at();
  const wanted = bytesOf(300_000, 7);
  for (const [name, body] of Object.entries({
    bytes: wanted,
    buffer: Buffer.from(wanted),
    blob: new Blob([wanted]),
    web: new Blob([wanted]).stream(),
    node: Readable.from(pieces(wanted)),
  })) {
    await store.write(`/${name}`, body, { contentType: "text/x-kept", metadata: { kept: "yes" } });
    await using result = await store.read(`/${name}`);
    expect(Buffer.compare(await result.bytes(), wanted), name).toBe(0);
    expect(await store.stat(`/${name}`)).toMatchObject({ contentType: "text/x-kept", metadata: { kept: "yes" } });
  }
});

test("a source that fails ends the call and not the process, and leaves nothing", async () => {
  const { store, raw, server } = await at();
  for (const size of [10, 900_000]) {
    const body = Readable.from(
      (async function* () {
        yield* pieces(bytesOf(size));
        throw new Error("the disk is gone");
      })(),
    );
    await expect(store.write("/f", body)).rejects.toMatchObject({ code: "bad-body", applied: false });
  }
  expect(await raw.list("/")).toEqual([]);
  expect(server.uploads.open).toBe(0);
});

test("a download streams: it can be left after its first bytes", async () => {
  const { store } = await at();
  const wanted = bytesOf(3_000_000);
  await store.write("/f", wanted);
  await using result = await store.read("/f");
  let first = 0;
  for await (const chunk of result) {
    first = chunk.byteLength;
    break;
  }
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(wanted.byteLength);
});

test("the package sends questions again by itself, and does not heed Retry-After", async () => {
  const { sdk, server } = await direct();
  server.fail({ status: 503, reason: "backendError", headers: { "retry-after": "3600" }, match: ({ path }) => path === "/drive/v3/files" });
  await sdk.files.list({ q: "trashed = false" }, { retryConfig: { retryDelay: 1 } });
  expect(server.requests.filter(({ path }) => path === "/drive/v3/files")).toHaveLength(2);
});

test("the provider asks once, and passes on how long to wait (CF93)", async () => {
  const { store, server, asked } = await at();
  await store.write("/f", "x");
  asked();
  server.fail({ status: 503, reason: "backendError", headers: { "retry-after": "7" } });
  await expect(store.stat("/f")).rejects.toMatchObject({ code: "rate-limited", transient: true, retryAfterMs: 7000 });
  expect(asked()).toHaveLength(1);
});

test("the package takes a cut answer for a success", async () => {
  const { sdk, server } = await direct();
  const cut = async (): Promise<Response> => new Response('{"files":[{"id":"1","na', { headers: { "content-type": "application/json" } });
  const { data } = await sdk.files.list({}, { fetchImplementation: cut, rootUrl: server.url });
  expect(typeof data).toBe("string");
});

test("a cut answer is an error of the provider, never an empty listing", async () => {
  let cut = false;
  const broken: typeof fetch = async (url, init) => {
    const answer = await fetch(url, init);
    if (!cut || !addressOf(url).includes("/files?")) return answer;
    const whole = await answer.text();
    return new Response(whole.slice(0, whole.length / 2), { headers: { "content-type": "application/json" } });
  };
  const { store } = await at({ fetch: broken, settleMs: 0 });
  await store.write("/d/f", "x");
  cut = true;
  await expect(store.list("/d").toArray()).rejects.toMatchObject({ code: "unavailable", applied: false });
  await expect(store.stat("/d/f")).rejects.toMatchObject({ code: "unavailable", applied: false });
});

test("the package renews its token after any 403, a rate limit too", async () => {
  const { server } = await at();
  const { auth } = await import("@googleapis/drive");
  const { clientId, clientSecret, refreshToken } = server.oauth;
  const client: any = new auth.OAuth2({ clientId, clientSecret, endpoints: { oauth2TokenUrl: server.tokenUrl } });
  client.setCredentials({ access_token: server.oauth.issue(), refresh_token: refreshToken });
  server.fail({ status: 403, reason: "userRateLimitExceeded", match: ({ path }) => path === "/drive/v3/files" });
  await driveSdk({ version: "v3", auth: client, rootUrl: server.url }).files.list({});
  expect(server.requests.map(text)).toEqual(["GET files", "POST /token", "GET files"]);
});

test("a rate limit said by 403 is one, and nothing is renewed for it (CF92)", async () => {
  const { store, server, asked } = await at();
  await store.write("/f", "x");
  asked();
  server.fail({ status: 403, reason: "userRateLimitExceeded", times: 1 });
  const error = await store.stat("/f").catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(StoreError);
  expect(error).toMatchObject({ code: "rate-limited", transient: true, applied: false, status: 403 });
  expect(asked()).toHaveLength(1);
});

test("no secret is in an error, also not in that of a token request", async () => {
  const { server, open } = await at();
  const { clientSecret, refreshToken } = server.oauth;
  server.oauth.refreshTokens.clear();
  const { inspect } = await import("node:util");
  const error = await open({ auth: { clientId: "client.apps.example", clientSecret, refreshToken } })
    .stat("/f")
    .catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: "unauthenticated" });
  const shown = inspect(error, { depth: 20, showHidden: true });
  for (const secret of [clientSecret, refreshToken]) expect(shown).not.toContain(secret);
});
