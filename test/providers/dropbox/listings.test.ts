/** CF76: listings in pages that change under way, begin anew, break off, and come in any order. */
import { expect, test } from "vitest";
import { backendOf } from "../../../src/conformance/backend-of.ts";
import { calls, manualClock, parsePath, stack } from "../../../src/store/index.ts";
import type { Page } from "../../../src/store/index.ts";
import { metadataCache } from "../../../src/wrappers/index.ts";
import { expireCursors } from "../../servers/dropbox/index.ts";
import { dropboxAt } from "./at.ts";
import type { At } from "./at.ts";

const MANY = 4500;

function fill({ account }: At, dir: string): string[] {
  const names = Array.from({ length: MANY }, (_, i) => `f${String(i).padStart(5, "0")}`);
  for (const name of names) account.tree.put(`${dir}/${name}`, { chunks: [], clientModified: "2020-01-01T00:00:00Z" });
  return names;
}
const sorted = (paths: readonly string[]): string[] => [...paths].sort();

test("2,000 a page, each path once, although files come, change and go between the pages", async () => {
  await using at = await dropboxAt();
  const names = fill(at, "/d");
  const seen: string[] = [];
  let page = 0;
  for await (const entries of at.store.list("/d").pages()) {
    seen.push(...entries.map(({ path }) => path.slice(3)));
    if (page++ > 0) continue;
    at.account.tree.put("/d/f00000", { chunks: [Buffer.from("changed")], clientModified: "2020-01-01T00:00:00Z" });
    at.account.tree.put("/d/new", { chunks: [], clientModified: "2020-01-01T00:00:00Z" });
    at.account.tree.remove("/d/f00001");
  }
  expect(sorted(seen)).toEqual(sorted([...names, "new"]));
  expect(at.asked()).toEqual(["files/list_folder", ...Array.from({ length: 3 }, () => "files/list_folder/continue")]);
});

test("a cursor that has expired begins anew, and nothing is given twice", async () => {
  await using at = await dropboxAt();
  const names = fill(at, "/d");
  const seen: string[] = [];
  let page = 0;
  for await (const entries of at.store.list("/d").pages()) {
    seen.push(...entries.map(({ path }) => path.slice(3)));
    if (page++ === 0) expireCursors(at.account.tree);
  }
  expect(sorted(seen)).toEqual(names);
});

test("a page that fails is tried again, and one that goes on failing is an error, never the end", async () => {
  await using at = await dropboxAt();
  const names = fill(at, "/d");
  at.server.fail({ route: "files/list_folder/continue", times: 2 }, { status: 500, body: "no" });
  expect(await at.store.list("/d").toArray()).toHaveLength(names.length);
  at.server.fail({ route: "files/list_folder/continue", times: 3 }, { status: 500, body: "no" });
  await expect(at.store.list("/d").toArray()).rejects.toMatchObject({ code: "unavailable" });
});

test("a page without the word about more is not the last one", async () => {
  await using at = await dropboxAt();
  await at.store.write("/d/a", "x");
  at.server.fail({ route: "files/list_folder", times: 3 }, { instead: ({ entries }) => ({ entries }) });
  await expect(at.store.list("/d").toArray()).rejects.toMatchObject({ code: "unavailable" });
});

test("recursive: one listing, folders before what they hold, in the spelling of each folder itself", async () => {
  await using at = await dropboxAt();
  await at.store.write("/Top/Mid/a", "1");
  await at.store.write("/TOP/MID/b", "2");
  await at.store.write("/top/c", "3");
  at.asked();
  const paths: string[] = (await at.store.list("/top", { recursive: true }).toArray()).map(({ path }) => path);
  expect(at.asked()).toEqual(["files/list_folder"]);
  expect(sorted(paths)).toEqual(["/top/Mid", "/top/Mid/a", "/top/Mid/b", "/top/c"]);
  expect(paths.indexOf("/top/Mid")).toBeLessThan(paths.indexOf("/top/Mid/a"));
});

test("recursive over pages: the folder may come last, and what lies in a hidden one is hidden", async () => {
  await using at = await dropboxAt();
  const names = fill(at, "/d/in");
  at.account.tree.put("/d/.stratus-0123456789abcdefghij.tmp/x", { chunks: [], clientModified: "2020-01-01T00:00:00Z" });
  const paths = (await at.store.list("/d", { recursive: true }).toArray()).map(({ path }) => path);
  expect(paths[0]).toBe("/d/in");
  expect(sorted(paths)).toEqual(sorted(["/d/in", ...names.map((name) => `/d/in/${name}`)]));
});

test("recursive: a folder that the service leaves out is asked for before anything is left out here", async () => {
  await using at = await dropboxAt();
  await at.store.write("/d/in/a", "x");
  at.server.fail(
    { route: "files/list_folder" },
    { instead: (page) => ({ ...page, entries: (page["entries"] as readonly { name: string }[]).filter(({ name }) => name !== "in") }) },
  );
  expect((await at.store.list("/d", { recursive: true }).toArray()).map(({ path }) => path)).toEqual(["/d/in", "/d/in/a"]);
});

test("CF79: an unchanged directory costs one not-modified answer; any change, expired cursors and etags of others give the listing", async () => {
  await using at = await dropboxAt();
  await at.store.write("/d/a", "1");
  await at.store.write("/d/sub/inside", "1");
  await at.store.mkdir("/other");
  const backend = backendOf(at.store);
  const listing = async (dir: string, ifNoneMatch?: string, recursive = false): Promise<Page> =>
    backend.list(calls.list(parsePath(dir), { ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }), recursive }));
  const first = (await listing("/d")).etag as string;
  at.asked();
  await expect(listing("/d", first)).rejects.toMatchObject({ code: "not-modified" });
  expect(at.asked()).toEqual(["files/list_folder/continue"]);

  // What happens in a directory below is not in this listing, but in one of everything.
  const all = (await listing("/d", undefined, true)).etag as string;
  await at.store.write("/d/sub/another", "2");
  await expect(listing("/d", first)).rejects.toMatchObject({ code: "not-modified" });
  expect((await listing("/d", all, true)).entries).toHaveLength(4);

  let etag = first;
  for (const change of [
    async () => void (await at.store.write("/d/a", "longer")),
    async () => void (await at.store.move("/d/a", "/d/A")),
    async () => void (await at.store.delete("/d/A")),
    async () => void (await at.store.mkdir("/d/new")),
  ]) {
    await change();
    const next = await listing("/d", etag);
    expect(next.entries.map(({ path }) => path).sort()).toEqual((await at.store.list("/d").toArray()).map(({ path }) => path).sort());
    expect(next.etag).not.toBe(etag);
    etag = next.etag as string;
    await expect(listing("/d", etag)).rejects.toMatchObject({ code: "not-modified" });
  }
  // An etag of another directory, of another kind of listing, of nobody.
  for (const foreign of [(await listing("/other")).etag as string, all, "x", "one:/d:x", ""]) expect((await listing("/d", foreign)).entries).toHaveLength(2);
  expireCursors(at.account.tree);
  expect((await listing("/d", etag)).entries).toHaveLength(2);
  const gone = (await listing("/d")).etag as string;
  await at.store.delete("/d", { recursive: true });
  await expect(listing("/d", gone)).rejects.toMatchObject({ code: "not-found" });
});

test("CF79: a metadata cache asks so, and hears of a change by another client", async () => {
  await using at = await dropboxAt();
  await at.store.write("/d/a", "1");
  const clock = manualClock();
  const cached = stack(at.store, metadataCache({ clock, ttlMs: 1000 }));
  const names = async (): Promise<string[]> => (await cached.list("/d").toArray()).map(({ path }) => path);
  expect(await names()).toEqual(["/d/a"]);
  await clock.advance(2000);
  at.asked();
  expect(await names()).toEqual(["/d/a"]);
  expect(at.asked()).toEqual(["files/list_folder/continue"]);
  at.account.tree.put("/d/b", { chunks: [], clientModified: "2020-01-01T00:00:00Z" });
  await clock.advance(2000);
  expect(await names()).toEqual(["/d/a", "/d/b"]);
});
