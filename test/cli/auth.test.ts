/** `stratus auth`: signs in by the loopback address with PKCE, or by SugarSync's own way; secrets are asked for and stand in one private file (CF91). */
import { mkdtempSync } from "node:fs";
import http from "node:http";
import { PassThrough } from "node:stream";
import { join } from "node:path";
import { expect, test } from "vitest";
import { auth } from "../../src/cli/auth.ts";
import type { AuthParts } from "../../src/cli/auth.ts";
import { services } from "../../src/cli/auth-oauth.ts";
import { askOn } from "../../src/cli/auth-prompt.ts";
import { sugarsync } from "../../src/providers/sugarsync/index.ts";
import { readTokens } from "../../src/tokens/index.ts";
import { scratch } from "../scratch.ts";
import { startOAuth } from "../servers/oauth/index.ts";
import type { OAuth } from "../servers/oauth/index.ts";
import { startSugarSync } from "../servers/sugarsync/index.ts";

const fresh = (): string => mkdtempSync(join(scratch(), "auth-"));

interface Ran {
  readonly code: number;
  readonly said: string;
}
/** Answers are given in order; `hidden` says which of them were asked without echo. */
async function run(args: readonly string[], answers: readonly string[], parts: Partial<AuthParts>, hidden: boolean[] = []): Promise<Ran> {
  let said = "";
  const left = [...answers];
  const code = await auth(args, {
    ask: async (_question, options) => {
      hidden.push(options?.hidden === true);
      const answer = left.shift();
      if (answer === undefined) throw new Error("one question more than expected");
      return answer;
    },
    out: (text) => void (said += text),
    err: (text) => void (said += text),
    browse: () => {},
    ...parts,
  });
  expect(left).toEqual([]);
  return { code, said };
}
const at = (server: OAuth, port = 0): AuthParts["services"] => ({
  dropbox: { ...services.dropbox, authorizeUrl: server.authorizeUrl, tokenUrl: server.tokenUrl, port },
  drive: { ...services.drive, authorizeUrl: server.authorizeUrl, tokenUrl: server.tokenUrl, port },
});

test("drive: code and verifier become a refresh token in a private file; secrets go in bodies alone", async () => {
  await using server = await startOAuth({
    clientId: "app",
    clientSecret: "app-secret",
    need: { access_type: "offline", prompt: "consent", scope: "https://www.googleapis.com/auth/drive" },
  });
  const directory = fresh();
  const pages: Promise<string>[] = [];
  const hidden: boolean[] = [];
  const { code, said } = await run(
    ["drive", "--directory", directory, "--client-id", "app", "--account", "work"],
    ["app-secret"],
    {
      services: at(server),
      browse: (url) => void pages.push(server.approve(url)),
    },
    hidden,
  );
  expect(code).toBe(0);
  expect(hidden).toEqual([true]);
  expect(await pages[0]).toContain("Signed in");
  const stored = await readTokens("drive", { directory, account: "work" });
  expect(stored).toEqual({ clientId: "app", clientSecret: "app-secret", refreshToken: server.refreshTokens[0] });
  for (const secret of [stored.clientSecret, stored.refreshToken]) expect(said).not.toContain(secret);
  expect(server.asked.map(({ url }) => url)).toEqual(["/token"]);
});

test("dropbox: without a secret, for offline use, the app key asked for", async () => {
  await using server = await startOAuth({ clientId: "key", need: { token_access_type: "offline" } });
  const directory = fresh();
  const { code } = await run(["dropbox", "--directory", directory], ["key"], { services: at(server), browse: (url) => void server.approve(url) });
  expect(code).toBe(0);
  expect(await readTokens("dropbox", { directory })).toEqual({ clientId: "key", refreshToken: server.refreshTokens[0] });
});

test("who says no in the browser is told so, and nothing is stored", async () => {
  await using server = await startOAuth({ clientId: "key", need: {} });
  const directory = fresh();
  const { code, said } = await run(["dropbox", "--directory", directory, "--client-id", "key"], [], {
    services: at(server),
    browse: (url) => void server.approve(url, "no"),
  });
  expect(code).toBe(1);
  expect(said).toContain("refused in the browser");
  await expect(readTokens("dropbox", { directory })).rejects.toMatchObject({ code: "unauthenticated" });
});

test("another state, another host name and other paths change nothing: the sign-in goes on", async () => {
  await using server = await startOAuth({ clientId: "key", need: {} });
  const statuses: number[] = [];
  const get = (url: string, host?: string): Promise<number> =>
    new Promise((done, fail) =>
      http.get(url, host === undefined ? {} : { headers: { host } }, (answer) => (answer.resume(), done(answer.statusCode ?? 0))).on("error", fail),
    );
  const browse = async (url: string): Promise<void> => {
    const asked = new URL(url).searchParams;
    const redirect = asked.get("redirect_uri") as string;
    statuses.push(
      await get(`${redirect}?state=guessed&code=stolen`),
      await get(`${redirect}favicon.ico`),
      await get(`${redirect}?state=${asked.get("state")}&code=x`, "evil.example"),
    );
    await server.approve(url);
  };
  const { code } = await run(["dropbox", "--directory", fresh(), "--client-id", "key"], [], { services: at(server), browse: (url) => void browse(url) });
  expect(statuses).toEqual([400, 404, 404]);
  expect(code).toBe(0);
});

test("a code of another run is worth nothing: the verifier does not fit", async () => {
  await using server = await startOAuth({ clientId: "key", need: {} });
  const first: string[] = [];
  const other = run(["dropbox", "--directory", fresh(), "--client-id", "key", "--minutes", "1"], [], {
    services: at(server),
    browse: (url) => void first.push(url),
  });
  await expect.poll(() => first.length).toBe(1);
  const { code, said } = await run(["dropbox", "--directory", fresh(), "--client-id", "key"], [], {
    services: at(server),
    // The user of the other run says yes to this one's address, but the code was made for that one's challenge.
    browse: (url) => {
      const mixed = new URL(url);
      mixed.searchParams.set("code_challenge", new URL(first[0] as string).searchParams.get("code_challenge") as string);
      void server.approve(mixed.href);
    },
  });
  expect([code, said.includes("invalid_grant")]).toEqual([1, true]);
  await server.approve(first[0] as string);
  expect((await other).code).toBe(0);
});

test("a wrong secret, no refresh token, a service that is not there: said plainly, without secrets", async () => {
  await using server = await startOAuth({ clientId: "app", clientSecret: "right", need: { access_type: "never" } });
  const parts: Partial<AuthParts> = { services: at(server), browse: (url) => void server.approve(url) };
  const wrong = await run(["drive", "--directory", fresh(), "--client-id", "app"], ["wrong-secret"], parts);
  expect([wrong.code, wrong.said.includes("invalid_client"), wrong.said.includes("wrong-secret")]).toEqual([1, true, false]);
  const none = await run(["drive", "--directory", fresh(), "--client-id", "app"], ["right"], parts);
  expect([none.code, none.said.includes("no refresh token")]).toEqual([1, true]);
  const gone = { ...at(server).drive, tokenUrl: "http://127.0.0.1:1/token" };
  const away = await run(["drive", "--directory", fresh(), "--client-id", "app"], ["right"], { ...parts, services: { ...at(server), drive: gone } });
  expect([away.code, away.said.includes("cannot be reached")]).toEqual([2, true]);
});

test("a port that is taken is named, and can be chosen", async () => {
  await using server = await startOAuth({ clientId: "key", need: {} });
  const taken = Number(new URL(server.tokenUrl).port);
  const { code, said } = await run(["dropbox", "--directory", fresh(), "--client-id", "key", "--port", String(taken)], [], { services: at(server) });
  expect([code, said.includes("--port")]).toEqual([2, true]);
});

test("sugarsync: everything but the user's name is asked without echo; the stored tokens open the account", async () => {
  await using server = await startSugarSync();
  const user = server.account("ann@example.org");
  const { application, accessKeyId, privateAccessKey } = server.application;
  const directory = fresh();
  const hidden: boolean[] = [];
  const parts = { sugarsyncUrl: server.url };
  const { code, said } = await run(
    ["sugarsync", "--directory", directory],
    [application, accessKeyId, privateAccessKey, user.username, user.password],
    parts,
    hidden,
  );
  expect(code).toBe(0);
  expect(hidden).toEqual([true, true, true, false, true]);
  await using store = sugarsync({ ...(await readTokens("sugarsync", { directory })), url: server.url });
  expect((await store.account()).user).toBe("ann@example.org");
  const wrong = await run(["sugarsync", "--directory", fresh()], [application, accessKeyId, privateAccessKey, user.username, "not-the-password&<"], parts);
  expect(wrong.code).toBe(1);
  for (const secret of [user.password, privateAccessKey, "not-the-password"]) expect(said + wrong.said).not.toContain(secret);
  expect((await run(["list", "--directory", directory], [], {})).said).toBe("sugarsync default\n");
});

test("lines of a pipe are answers; one that is missing is said", async () => {
  const input = new PassThrough() as unknown as NodeJS.ReadStream;
  let shown = "";
  const ask = askOn(input, { write: (text: string) => ((shown += text), true) } as unknown as NodeJS.WritableStream);
  (input as unknown as PassThrough).end("one\nsecret\n");
  expect([await ask("first"), await ask("second", { hidden: true })]).toEqual(["one", "secret"]);
  expect(shown).toBe("first: \nsecond: \n");
  await expect(ask("third")).rejects.toThrow("the input ended");
  ask.close();
});

test("a terminal in raw mode: nothing of a hidden answer is shown, keys of editing work, Ctrl-C gives up", async () => {
  const modes: boolean[] = [];
  const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (mode: boolean) => (modes.push(mode), terminal) });
  let shown = "";
  const ask = askOn(terminal as unknown as NodeJS.ReadStream, { write: (text: string) => ((shown += text), true) } as unknown as NodeJS.WritableStream);
  const typed = async (keys: string, hidden: boolean): Promise<string> => {
    const answer = ask("q", { hidden });
    terminal.write(keys);
    return answer;
  };
  expect(await typed("secrex\u007ft\r", true)).toBe("secret");
  expect(shown).toBe("q: \n");
  expect(await typed("open\r", false)).toBe("open");
  expect(shown).toBe("q: \nq: open\n");
  await expect(typed("abc\u0003", true)).rejects.toThrow("given up");
  expect(modes).toEqual([true, false, true, false, true, false]);
});

test("what cannot be meant is a usage error", async () => {
  for (const args of [[], ["ftp"], ["drive", "dropbox"], ["drive", "--secret", "x"], ["drive", "--port", "x"], ["drive", "--minutes", "0"]])
    await expect(auth(args, { ask: async () => "x", out: () => {}, err: () => {} }), args.join(" ")).rejects.toThrow();
});
