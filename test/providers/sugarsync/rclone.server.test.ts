/**
 * Debian's rclone, whose back end speaks to the real SugarSync, against the emulator: it reaches it by its real name through a CONNECT proxy, with a
 * certificate of a throw-away authority. What it wrote our provider reads, and the other way round.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type http from "node:http";
import https from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readText } from "../../../src/index.ts";
import { sugarsync } from "../../../src/providers/sugarsync/index.ts";
import { scratch } from "../../scratch.ts";
import { rcloneOf, sugarsyncRemote } from "../../servers/rclone-remotes.ts";
import { certificateFor, leadTo } from "../../servers/real-names.ts";
import type { Leading } from "../../servers/real-names.ts";
import { HOST, startSugarSync } from "../../servers/sugarsync/index.ts";
import type { SugarSync } from "../../servers/sugarsync/index.ts";

let home: string;
let server: SugarSync;
let proxy: Leading;
let account: ReturnType<SugarSync["account"]>;
let rclone: (...args: readonly string[]) => Promise<string>;

beforeAll(async () => {
  home = await mkdtemp(join(scratch(), "rclone-"));
  const { key, cert, ca } = await certificateFor([HOST], home);
  server = await startSugarSync({ base: `https://${HOST}`, listen: (listener) => https.createServer({ key, cert }, listener) });
  account = server.account("ann@example.org");
  proxy = await leadTo(Number(new URL(server.url).port), [HOST]);
  const remote = sugarsyncRemote({ refreshToken: account.refreshToken, access: server.access(account), user: `https://${HOST}/user/${account.userId}` });
  rclone = rcloneOf({ home, proxy: proxy.url, ca, remote }).text;
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  if (home !== undefined) await rm(home, { recursive: true, force: true });
});

/** Ours asks the emulator by its address; the links say the real name. */
function ours(): ReturnType<typeof sugarsync> {
  const { accessKeyId, privateAccessKey } = server.application;
  const port = new URL(server.url).port;
  return sugarsync({
    accessKeyId,
    privateAccessKey,
    refreshToken: account.refreshToken,
    cacheMs: 0,
    fetch: (input, init) => viaTls(input as string, port, init),
  });
}

/** `fetch` of Node takes no certificate: the request goes on by node:https. */
function viaTls(url: string, port: string, init: RequestInit = {}): Promise<Response> {
  const { pathname, search } = new URL(url);
  return new Promise((done, fail) => {
    const request = https.request(
      {
        host: "127.0.0.1",
        port,
        servername: HOST,
        rejectUnauthorized: false,
        method: init.method,
        path: pathname + search,
        headers: init.headers as http.OutgoingHttpHeaders,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          const status = answer.statusCode ?? 0;
          const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
          done(new Response(status === 204 ? null : Buffer.concat(chunks), { status, headers }));
        });
      },
    );
    request.on("error", fail);
    request.end(init.body as string | Uint8Array | undefined);
  });
}

const FILES: Readonly<Record<string, string>> = {
  "plain.txt": "plain",
  "sub/empty.bin": "",
  "sub/deep/er/file": "deep",
  "odd/a&b<c>.txt": "markup",
  "odd/ lead and trail": "spaces",
  "odd/ümlaut 🙂": "unicode",
  "odd/100% + # ? = %20": "reserved",
  'odd/"quoted" \'s': "quotes",
};

async function filled(): Promise<string> {
  const from = await mkdtemp(join(home, "from-"));
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(join(from, path, ".."), { recursive: true });
    await writeFile(join(from, path), text);
  }
  return from;
}

test("rclone copy, check, moveto and purge, with odd names; our provider reads what it wrote", async () => {
  const from = await filled();
  await rclone("copy", from, "x:Sync/up");
  await rclone("check", "--download", from, "x:Sync/up");
  await using store = ours();
  for (const [path, text] of Object.entries(FILES)) expect(await readText(store, `/Sync/up/${path}`), path).toBe(text);
  await rclone("moveto", "x:Sync/up/odd", "x:Sync/moved");
  await rclone("moveto", "x:Sync/up/plain.txt", "x:Sync/moved/plain too.txt");
  expect((await store.list("/Sync/up", { fresh: true }).toArray()).map(({ path }) => path)).toEqual(["/Sync/up/sub"]);
  expect(await readText(store, "/Sync/moved/plain too.txt")).toBe("plain");
  await rclone("purge", "x:Sync/up");
  await expect(store.stat("/Sync/up", { fresh: true })).rejects.toMatchObject({ code: "not-found" });
});

test("what our provider wrote rclone lists and reads", async () => {
  await using store = ours();
  for (const [path, text] of Object.entries(FILES)) await store.write(`/Ours/${path}`, text);
  const to = await mkdtemp(join(home, "to-"));
  await rclone("copy", "x:Ours", to);
  for (const [path, text] of Object.entries(FILES)) expect(await readFile(join(to, path), "utf8"), path).toBe(text);
  const from = await filled();
  await rclone("check", "--download", from, "x:Ours");
  // Overwritten by one, read by the other.
  await writeFile(join(from, "plain.txt"), "by rclone");
  await rclone("copyto", "--ignore-times", join(from, "plain.txt"), "x:Ours/plain.txt");
  expect(await readText(store, "/Ours/plain.txt", { fresh: true })).toBe("by rclone");
  await store.write("/Ours/plain.txt", "by us");
  expect(await rclone("cat", "x:Ours/plain.txt")).toBe("by us");
});
