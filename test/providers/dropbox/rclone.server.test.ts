/**
 * CF76: Debian's rclone, whose back end speaks to the real Dropbox, against the emulator: led there by its real names through a CONNECT proxy, with a
 * certificate of a throw-away authority. What it writes our provider reads, and the other way round.
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dropbox } from "../../../src/providers/dropbox/index.ts";
import { readText } from "../../../src/store/index.ts";
import { scratch } from "../../scratch.ts";
import { HOSTS, startDropbox } from "../../servers/dropbox/index.ts";
import type { DropboxServer } from "../../servers/dropbox/index.ts";
import { dropboxRemote, rcloneOf } from "../../servers/rclone-remotes.ts";
import { certificateFor, leadTo } from "../../servers/real-names.ts";
import type { Certificate, Leading } from "../../servers/real-names.ts";

let home: string;
let certificate: Certificate;
let server: DropboxServer;
let proxy: Leading;

beforeAll(async () => {
  home = await mkdtemp(join(scratch(), "rclone-"));
  certificate = await certificateFor(HOSTS, home);
  server = await startDropbox(certificate);
  proxy = await leadTo(server.securePort, HOSTS);
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  if (home !== undefined) await rm(home, { recursive: true, force: true });
});

const rclone = (name: string, ...args: readonly string[]): Promise<string> =>
  rcloneOf({ home, proxy: proxy.url, ca: certificate.ca, remote: dropboxRemote(server.account(name).accessToken) }).text(...args);

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
