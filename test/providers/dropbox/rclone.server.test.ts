/**
 * CF76: Debian's rclone, whose back end speaks to the real Dropbox, against the emulator: led there by its real names through a CONNECT proxy, with a
 * certificate of a throw-away authority. What it writes our provider reads, and the other way round.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dropbox } from "../../../src/providers/dropbox/index.ts";
import { readText } from "../../../src/store/index.ts";
import { scratch } from "../../scratch.ts";
import { startDropbox } from "../../servers/dropbox/index.ts";
import type { DropboxServer } from "../../servers/dropbox/index.ts";
import { missing } from "../../servers/rclone.ts";

const run = promisify(execFile);
const HOSTS = ["api.dropboxapi.com", "content.dropboxapi.com", "notify.dropboxapi.com"];
let home: string;
let server: DropboxServer;
let proxy: Server;

beforeAll(async () => {
  const why = missing();
  if (why !== undefined) throw new Error(why);
  home = await mkdtemp(join(scratch(), "rclone-"));
  const openssl = (...args: readonly string[]): Promise<unknown> => run("openssl", args, { cwd: home });
  await openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=throw-away", "-days", "2");
  await openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=api.dropboxapi.com");
  await writeFile(join(home, "san"), `subjectAltName=${HOSTS.map((host) => `DNS:${host}`).join(",")}\n`);
  await openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "leaf.pem", "-days", "2", "-extfile", "san");
  const [key = "", cert = ""] = await Promise.all(["leaf.key", "leaf.pem"].map((name) => readFile(join(home, name), "utf8")));
  server = await startDropbox({ key, cert });
  proxy = createServer().on("connect", (request, socket) => {
    // To the emulator, and nowhere else.
    if (!HOSTS.some((host) => request.url === `${host}:443`)) return void socket.destroy();
    const upstream = connect(server.securePort, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    for (const one of [upstream, socket]) one.on("error", () => upstream.destroy());
    socket.on("close", () => upstream.destroy());
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
});
afterAll(async () => {
  proxy?.close().closeAllConnections();
  await server?.[Symbol.asyncDispose]();
  if (home !== undefined) await rm(home, { recursive: true, force: true });
});

/** Secrets by the environment, not by the process list. */
async function rclone(name: string, ...args: readonly string[]): Promise<string> {
  const token = { access_token: server.account(name).accessToken, token_type: "bearer", expiry: "2099-01-01T00:00:00Z" };
  const { stdout } = await run("rclone", ["--ca-cert", join(home, "ca.pem"), "--retries", "1", "--low-level-retries", "1", ...args], {
    env: {
      PATH: "/usr/bin:/bin",
      HOME: home,
      LANG: "C.UTF-8",
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      RCLONE_CONFIG: join(home, "none.conf"),
      RCLONE_CONFIG_X_TYPE: "dropbox",
      RCLONE_CONFIG_X_TOKEN: JSON.stringify(token),
    },
  });
  return stdout;
}

const ours = (name: string): ReturnType<typeof dropbox> => dropbox({ accessToken: server.account(name).accessToken, fetch: server.fetch() });

const FILES: Readonly<Record<string, string>> = {
  "plain.txt": "plain",
  "sub/empty.bin": "",
  "sub/deep/er/file": "deep",
  "odd/a&b<c>.txt": "markup",
  "odd/ leads with a space": "spaces",
  "odd/ümlaut 🙂 日本": "unicode",
  "odd/100% + # ? = %20": "reserved",
  'odd/"quoted" \'s': "quotes",
  "odd/colon: star* pipe|": "signs",
};

async function filled(): Promise<string> {
  const from = await mkdtemp(join(home, "from-"));
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(join(from, path, ".."), { recursive: true });
    await writeFile(join(from, path), text);
  }
  return from;
}

test("copy, check, moveto and purge; our provider reads what rclone wrote", async () => {
  const from = await filled();
  await rclone("one", "copy", from, "x:dest");
  await rclone("one", "check", "--download", from, "x:dest");
  await rclone("one", "check", from, "x:dest"); // By content_hash.
  await using store = ours("one");
  for (const [path, text] of Object.entries(FILES)) expect(await readText(store, `/dest/${path}`), path).toBe(text);
  await rclone("one", "moveto", "x:dest/plain.txt", "x:dest/moved/to here.txt");
  expect(await readText(store, "/dest/moved/to here.txt")).toBe("plain");
  await rclone("one", "moveto", "x:dest/moved/to here.txt", "x:dest/moved/TO HERE.txt");
  expect((await store.list("/dest/moved").toArray()).map(({ path }) => path)).toEqual(["/dest/moved/TO HERE.txt"]);
  await rclone("one", "purge", "x:dest");
  expect(await store.list("/").toArray()).toEqual([]);
});

test("what our provider wrote rclone reads, lists and checks, time and hash included", async () => {
  const from = await filled();
  {
    await using store = ours("two");
    for (const [path, text] of Object.entries(FILES)) await store.write(`/mine/${path}`, text, { modifiedMs: Date.UTC(2001, 2, 3, 4, 5, 6) });
    await store.mkdir("/mine/empty");
  }
  await rclone("two", "check", from, "x:mine");
  const listed = JSON.parse(await rclone("two", "lsjson", "-R", "--hash", "x:mine")) as {
    Path: string;
    IsDir: boolean;
    ModTime: string;
    Hashes?: Record<string, string>;
  }[];
  expect(
    listed
      .filter(({ IsDir }) => !IsDir)
      .map(({ Path }) => Path)
      .sort(),
  ).toEqual(Object.keys(FILES).sort());
  expect(listed.find(({ Path }) => Path === "empty")?.IsDir).toBe(true);
  expect(listed.find(({ Path }) => Path === "plain.txt")).toMatchObject({ ModTime: "2001-03-03T04:05:06Z", Hashes: { dropbox: expect.any(String) as string } });
  const back = await mkdtemp(join(home, "back-"));
  await rclone("two", "copy", "x:mine", back);
  expect((await readdir(back, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())).toHaveLength(Object.keys(FILES).length);
  expect(await rclone("two", "about", "--json", "x:")).toContain('"used"');
});
