/** Debian's rclone, a client that nobody here wrote, against the emulator; and what it wrote is read by the provider, and the other way round. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { drive } from "../../../src/providers/drive/index.ts";
import type { Store } from "../../../src/index.ts";
import { startGoogle } from "../../servers/drive/google.ts";
import type { GoogleServer } from "../../servers/drive/google.ts";
import { driveRemote, rcloneOf } from "../../servers/rclone-remotes.ts";
import { bytesOf, pieces } from "./at.ts";

let google: GoogleServer;
let home: string;
let store: Store;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "stratus-drive-rclone-"));
  google = await startGoogle(home);
  const { Agent, fetch: undiciFetch } = await import("undici");
  // The provider of ours reaches the same listener directly, and trusts the same authority.
  const dispatcher = new Agent({ connect: { ca: await readFile(google.ca, "utf8"), servername: "www.googleapis.com" } });
  const { clientId, clientSecret, refreshToken } = google.drive.oauth;
  store = drive({
    auth: { clientId, clientSecret, refreshToken },
    rootUrl: google.drive.url,
    tokenUrl: google.drive.tokenUrl,
    settleMs: 0,
    indexTtlMs: 0,
    fetch: ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher })) as unknown as typeof fetch,
  });
});
afterAll(async () => {
  await store?.close();
  await google?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

const rclone = (...args: readonly string[]): Promise<string> =>
  rcloneOf({ home, proxy: google.proxy, ca: google.ca, remote: driveRemote(google.drive.oauth.issue()) }).text("--drive-pacer-min-sleep", "1ms", ...args);

const names = [
  "plain.txt",
  'it\'s a "name"',
  "back\\slash",
  "100% sure",
  " lead",
  "trail ",
  "ünïcode e\u0301 🎈",
  "' or name contains '",
  "#hash?query&x=1",
  "dir/deep/er/f",
  "dir/empty.bin",
];

test("copy, check, moveto and purge, with odd names, small files and one in pieces", async () => {
  const local = join(home, "local");
  for (const name of names) {
    await mkdir(join(local, name, ".."), { recursive: true });
    await writeFile(join(local, name), name === "dir/empty.bin" ? "" : `content of ${name}`);
  }
  await writeFile(join(local, "large"), bytesOf(9_500_000));
  await rclone("copy", local, "x:up");
  await rclone("check", local, "x:up");
  expect(google.drive.requests.some(({ method, query }) => method === "POST" && query.get("uploadType") === "resumable")).toBe(true);

  const listed = (await store.list("/up", { recursive: true }).toArray()).filter(({ kind }) => kind === "file");
  expect(listed.map(({ path }) => path.slice("/up/".length)).sort()).toEqual([...names, "large"].sort());
  for (const name of names) {
    await using result = await store.read(`/up/${name}`);
    expect(await result.text()).toBe(name === "dir/empty.bin" ? "" : `content of ${name}`);
  }
  await using large = await store.read("/up/large");
  expect(Buffer.compare(await large.bytes(), bytesOf(9_500_000))).toBe(0);

  await rclone("moveto", "x:up/plain.txt", "x:up/dir/moved's.txt");
  expect((await store.stat("/up/dir/moved's.txt")).size).toBe("content of plain.txt".length);
  await expect(store.stat("/up/plain.txt")).rejects.toMatchObject({ code: "not-found" });
  await rclone("moveto", "x:up/dir", "x:elsewhere");
  expect((await store.stat("/elsewhere/deep/er/f")).kind).toBe("file");
  await rclone("purge", "x:up");
  await expect(store.stat("/up")).rejects.toMatchObject({ code: "not-found" });
});

test("what the provider wrote is what rclone checks and copies down", async () => {
  const local = join(home, "mine");
  await mkdir(local, { recursive: true });
  for (const name of names.filter((one) => !one.includes("/"))) {
    await writeFile(join(local, name), `by stratus: ${name}`);
    await store.write(`/mine/${name}`, `by stratus: ${name}`);
  }
  const large = bytesOf(12_000_000, 5);
  await writeFile(join(local, "stream"), large);
  await store.write("/mine/stream", pieces(large, 1_000_000));
  await rclone("check", local, "x:mine");
  const copied = join(home, "copied");
  await rclone("copy", "x:mine", copied);
  expect(Buffer.compare(await readFile(join(copied, "stream")), large)).toBe(0);
  expect(JSON.parse(await rclone("about", "--json", "x:"))).toMatchObject({ used: expect.any(Number) });
  await rclone("delete", "x:mine", "--include", "stream");
  await expect(store.stat("/mine/stream")).rejects.toMatchObject({ code: "not-found" });
});
