/** What others do is seen within the time that `consistency` tells, whatever is remembered: names in twin folders, rivals of own files, folders on the way, twin roots. */
import { expect, test } from "vitest";
import { manualClock, readText } from "../../../src/index.ts";
import { Paths } from "../../../src/providers/drive/paths.ts";
import { parsePath } from "../../../src/store/index.ts";
import { at } from "./at.ts";
import type { At } from "./at.ts";

const FOLDER = "application/vnd.google-apps.folder";
const YEARS_LATER = "2099-01-01T00:00:00Z";

async function made({ raw, server }: At, parent: string, name: string, content?: string): Promise<string> {
  const { id } = await raw.ask("POST", "drive/v3/files", { name, parents: [parent], ...(content === undefined && { mimeType: FOLDER }) });
  if (content === undefined) return id as string;
  const url = `${server.url}upload/drive/v3/files/${id}?uploadType=media`;
  const answer = await fetch(url, { method: "PATCH", headers: { authorization: `Bearer ${server.oauth.issue()}` }, body: content });
  expect(answer.status).toBe(200);
  await raw.ask("PATCH", `drive/v3/files/${id}`, { modifiedTime: YEARS_LATER });
  return id as string;
}
const idOf = async ({ raw }: At, path: string): Promise<string> => (await raw.find(path))?.id as string;

test("a name is looked for in each of several folders of one name: the newest counts, and a delete takes all", async () => {
  const here = await at();
  const { store } = here;
  await store.write("/w/f", "ours");
  await store.write("/w/d/a", "ours");
  const twin = await made(here, await idOf(here, "/"), "w");
  await made(here, twin, "f", "theirs");
  await made(here, await made(here, twin, "d"), "g", "deeper");
  expect(await readText(store, "/w/f")).toBe("theirs");
  expect(await readText(store, "/w/d/g")).toBe("deeper");
  expect((await store.list("/w/d").toArray()).map(({ path }) => path).sort()).toEqual(["/w/d/a", "/w/d/g"]);
  await store.delete("/w/f");
  await expect(store.stat("/w/f")).rejects.toMatchObject({ code: "not-found" });
});

test("a file that another client makes beside one of ours is seen, however often ours is written meanwhile", async () => {
  const clock = manualClock();
  const here = await at({ clock, settleMs: 60_000, indexTtlMs: 10_000 });
  const { store, asked } = here;
  await store.write("/f", "ours");
  const rival = await made(here, await idOf(here, "/"), "f", "theirs");
  await clock.advance(9_000);
  asked();
  await store.write("/f", "ours again");
  // By its id: what the last search showed is believed for so long.
  expect(asked()).toEqual(["GET files/ID", "PATCH upload/files/ID multipart"]);
  await clock.advance(1_000);
  expect((await store.stat("/f")).id).toBe(rival);
  // It is no file of ours, so that each further look searches.
  expect((await store.stat("/f")).id).toBe(rival);
  await store.delete("/f");
  expect(here.raw.all().filter((name) => name === "f")).toEqual([]);
});

test("a folder is not believed for longer than the one above it", async () => {
  const clock = manualClock();
  const paths = new Paths(clock, 1000);
  const place = (id: string) => ({ ids: [id], chain: [id] });
  paths.set(parsePath("/a"), place("a"));
  await clock.advance(900);
  paths.set(parsePath("/a/b"), place("b"));
  expect(paths.get(parsePath("/a/b"))).toEqual(place("b"));
  await clock.advance(100);
  expect(paths.get(parsePath("/a/b"))).toBeUndefined();
  // The answer about it came when nothing was known of the one above it any more.
  paths.set(parsePath("/a/b"), place("b"));
  expect(paths.get(parsePath("/a/b"))).toBeUndefined();
  paths.set(parsePath("/a"), place("a"));
  paths.set(parsePath("/a/b"), place("b"));
  expect(paths.get(parsePath("/a/b"))).toEqual(place("b"));
});

test("a root that another process made too is seen as long as it may come to light", async () => {
  const clock = manualClock();
  const here = await at({ clock, settleMs: 10_000, indexTtlMs: 4_000 });
  const { store, server, asked } = here;
  await store.write("/d/ours", "1");
  const drive = server.state.rootId;
  await made(here, await made(here, drive, "here"), "theirs", "2");
  await clock.advance(4_000);
  expect(await readText(store, "/theirs")).toBe("2");
  // Made by a process that did not see ours for all of settleMs, and seen by us as late again.
  await clock.advance(13_000);
  await store.stat("/d");
  const third = await made(here, drive, "here");
  await made(here, await made(here, third, "d"), "last", "3");
  await clock.advance(3_000);
  expect(await readText(store, "/d/last")).toBe("3");
  expect((await store.list("/d").toArray()).map(({ path }) => path).sort()).toEqual(["/d/last", "/d/ours"]);
  // From then on it is believed.
  await clock.advance(100_000);
  asked();
  await store.stat("/theirs");
  expect(asked()).toEqual(["GET files", "GET files", "GET files"]);
});

test("a folder that was believed until now is looked up once for all calls that meet it", async () => {
  const clock = manualClock();
  const { store, asked } = await at({ clock, indexTtlMs: 10_000 });
  const files = Array.from({ length: 8 }, (_, i) => `/a/b/f${i}`);
  for (const file of files) await store.write(file, "1");
  await clock.advance(10_000);
  asked();
  await Promise.all(files.map((file) => store.stat(file)));
  expect(asked()).toEqual(Array.from({ length: 2 + files.length }, () => "GET files"));
  await store.delete("/a", { recursive: true });
  await clock.advance(10_000);
  await Promise.all(files.map((file) => expect(store.stat(file)).rejects.toMatchObject({ code: "not-found" })));
});
