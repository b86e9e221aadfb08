/** `stratus auth` and the renewal of its tokens at an OAuth 2 server that no one here wrote (oauth2-mock-server): code, PKCE, refresh, refusal (CF91). */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { OAuth2Server } from "oauth2-mock-server";
import { expect, test } from "vitest";
import { auth } from "../../src/cli/auth.ts";
import { services, signIn } from "../../src/cli/auth-oauth.ts";
import { drive } from "../../src/providers/drive/index.ts";
import { readTokens } from "../../src/tokens/index.ts";
import { scratch } from "../scratch.ts";
import { startDrive } from "../servers/drive/index.ts";

interface Independent extends AsyncDisposable {
  readonly server: OAuth2Server;
  readonly url: string;
}
async function independent(): Promise<Independent> {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  await server.start(0, "127.0.0.1");
  return { server, url: `http://127.0.0.1:${server.address().port}`, [Symbol.asyncDispose]: () => server.stop() };
}
/** What a browser does where the user agrees: that server agrees at once. */
async function browse(url: string): Promise<string> {
  return (await fetch(url)).text();
}

test("a sign-in is accepted by it, and what it gave renews access", async () => {
  await using oauth = await independent();
  const directory = mkdtempSync(join(scratch(), "auth-"));
  const pages: Promise<string>[] = [];
  const code = await auth(["drive", "--directory", directory, "--client-id", "app"], {
    ask: async () => "app-secret",
    out: () => {},
    err: () => {},
    browse: (url) => void pages.push(browse(url)),
    services: { ...services, drive: { ...services.drive, authorizeUrl: `${oauth.url}/authorize`, tokenUrl: `${oauth.url}/token` } },
  });
  expect(code).toBe(0);
  expect(await pages[0]).toContain("Signed in");
  const { refreshToken, ...stored } = await readTokens("drive", { directory });
  expect(stored).toEqual({ clientId: "app", clientSecret: "app-secret" });

  // Its access tokens are none of the emulator's, so here they are made to be: what is tried is the renewal.
  await using service = await startDrive();
  const asked: unknown[] = [];
  oauth.server.service.on("beforeResponse", (response: { body: Record<string, unknown>; statusCode: number }, request: { body?: unknown }) => {
    asked.push(request.body);
    response.body["access_token"] = service.oauth.issue();
  });
  await using store = drive({
    auth: { clientId: "app", clientSecret: "app-secret", refreshToken },
    rootUrl: service.url,
    tokenUrl: `${oauth.url}/token`,
  });
  await store.write("/a", new Uint8Array([1, 2, 3]));
  expect(await (await store.read("/a")).bytes()).toEqual(new Uint8Array([1, 2, 3]));
  expect(asked).toEqual([{ grant_type: "refresh_token", refresh_token: refreshToken, client_id: "app", client_secret: "app-secret" }]);
});

test("it refuses a code with another verifier, as PKCE wants", async () => {
  await using oauth = await independent();
  const service = { ...services.drive, authorizeUrl: `${oauth.url}/authorize`, tokenUrl: `${oauth.url}/token` };
  const sign = (fetch: typeof globalThis.fetch): Promise<string> =>
    signIn({ service, clientId: "app", clientSecret: undefined, fetch, show: (url) => void browse(url), signal: AbortSignal.timeout(60_000) });
  expect(await sign(globalThis.fetch)).not.toBe("");
  const another: typeof globalThis.fetch = (url, init) => {
    const body = new URLSearchParams(init?.body as URLSearchParams);
    body.set("code_verifier", "x".repeat(64));
    return globalThis.fetch(url, { ...init, body });
  };
  await expect(sign(another)).rejects.toMatchObject({ code: "unauthenticated" });
});

test("a revoked sign-in says so, and no secret with it", async () => {
  await using oauth = await independent();
  await using service = await startDrive();
  oauth.server.service.on("beforeResponse", (response: { body: unknown; statusCode: number }) => {
    response.body = { error: "invalid_grant", error_description: "Token has been expired or revoked." };
    response.statusCode = 400;
  });
  await using store = drive({
    auth: { clientId: "app", clientSecret: "app-secret", refreshToken: "a-refresh-token" },
    rootUrl: service.url,
    tokenUrl: `${oauth.url}/token`,
  });
  const error: unknown = await store.stat("/a").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "unauthenticated" });
  expect(String(error)).toContain("sign in again");
  expect(String(error)).not.toMatch(/app-secret|a-refresh-token/);
});
