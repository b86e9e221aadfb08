/** CF88, CF87: paths over ids: names that are not unique, quotes in names, shortcuts, Google's own documents, shared drives, the trash, what is remembered. */
import { describe, expect, test } from "vitest";
import { readText } from "../../../src/index.ts";
import { at, bytesOf } from "./at.ts";
import type { At } from "./at.ts";

const FOLDER = "application/vnd.google-apps.folder";
const DOC = "application/vnd.google-apps.document";
const names = async (store: At["store"], path: string): Promise<string[]> => (await store.list(path).toArray()).map((entry) => entry.path).sort();

async function idOf({ raw }: At, path: string): Promise<string> {
  return ((await raw.find(path)) as { id: string }).id;
}

/** As another program does that does not look first. */
async function another(here: At, name: string, text: string, modifiedTime: string): Promise<string> {
  const { id } = await here.raw.ask("POST", "drive/v3/files", { name, parents: [await idOf(here, "/")], modifiedTime });
  here.server.state.put({ ...here.server.state.get(id), modifiedMs: Date.parse(modifiedTime) });
  const { contentOf } = await import("../../servers/drive/content.ts");
  const content = contentOf(Buffer.from(text));
  here.server.state.put({ ...here.server.state.get(id), content, headRevisionId: here.server.state.newRevision(id, content) });
  return id;
}

describe("CF88: several files of one name", () => {
  const told: { path: string; ids: readonly string[] }[] = [];
  const three = async (options: Parameters<typeof at>[0] = {}): Promise<At & { ids: string[] }> => {
    told.length = 0;
    const here = await at({ onDuplicates: (found) => told.push(found), ...options });
    await here.store.stat("/");
    const ids = [
      await another(here, "twin", "older", "2024-01-01T00:00:00Z"),
      await another(here, "twin", "newest", "2025-01-01T00:00:00Z"),
      await another(here, "twin", "oldest", "2023-01-01T00:00:00Z"),
    ];
    return { ...here, ids };
  };

  test("the newest is the file, for every verb, and all are told", async () => {
    const { store, ids } = await three();
    expect(await readText(store, "/twin")).toBe("newest");
    expect(told.at(-1)).toEqual({ path: "/twin", ids: [ids[1], ids[0], ids[2]] });
    expect(await store.stat("/twin")).toMatchObject({ id: ids[1], size: 6 });
    const listed = await store.list("/").toArray();
    expect(listed.map(({ path, id }) => [path, id])).toEqual([["/twin", ids[1]]]);
    expect(store.layers.drive.report().duplicates).toBeGreaterThanOrEqual(3);
  });

  test("a write replaces the newest and leaves the others alone", async () => {
    const { store, ids, server } = await three();
    await store.write("/twin", "written");
    expect(await readText(store, "/twin")).toBe("written");
    expect(ids.map((id) => server.state.get(id).content?.size)).toEqual([5, 7, 6]);
  });

  test("a delete takes all of them, so that none comes to light", async () => {
    const { store, ids, server } = await three();
    await store.delete("/twin");
    await expect(store.stat("/twin")).rejects.toMatchObject({ code: "not-found" });
    expect(ids.map((id) => server.state.get(id).explicitlyTrashed)).toEqual([true, true, true]);
  });

  test("a move takes all of them along", async () => {
    const { store } = await three();
    await store.move("/twin", "/d/moved");
    await expect(store.stat("/twin")).rejects.toMatchObject({ code: "not-found" });
    expect(await readText(store, "/d/moved")).toBe("newest");
  });

  test('with duplicates: "error" they are a conflict', async () => {
    const { store } = await three({ duplicates: "error" });
    await Promise.all(
      [store.stat("/twin"), store.list("/").toArray(), store.write("/twin", "x"), store.delete("/twin")].map((call) =>
        expect(call).rejects.toMatchObject({ code: "conflict", transient: false, applied: false }),
      ),
    );
  });

  test("folders of one name are one directory; new children go into the oldest", async () => {
    const here = await at();
    await here.store.write("/twins/a", "a");
    const parent = await idOf(here, "/");
    const { id } = await here.raw.ask("POST", "drive/v3/files", { name: "twins", mimeType: FOLDER, parents: [parent] });
    await here.raw.ask("POST", "drive/v3/files", { name: "b", parents: [id] });
    expect(await names(here.store, "/twins")).toEqual(["/twins/a", "/twins/b"]);
    expect(await names(here.store, "/")).toEqual(["/twins"]);
    await here.store.write("/twins/c", "c");
    expect((await here.raw.ask("GET", `drive/v3/files?q=${encodeURIComponent(`'${id}' in parents and trashed = false`)}`)).files).toHaveLength(1);
    await expect(here.store.delete("/twins")).rejects.toMatchObject({ code: "not-empty" });
    await here.store.delete("/twins", { recursive: true });
    await expect(here.store.stat("/twins")).rejects.toMatchObject({ code: "not-found" });
  });

  test("a folder hides a file of its name, in a listing too", async () => {
    const here = await at();
    await here.store.mkdir("/both");
    await another(here, "both", "hidden", "2099-01-01T00:00:00Z");
    expect((await here.store.stat("/both")).kind).toBe("directory");
    expect((await here.store.list("/").toArray()).map(({ kind }) => kind)).toEqual(["directory"]);
  });
});

test("CF88: names with quotes, backslashes, and what no path can hold", async () => {
  const here = await at();
  const { store, raw } = here;
  for (const name of [
    "it's",
    'say "hi"',
    "back\\slash",
    "\\'",
    "a' or name contains '",
    "100%",
    "%{2F}",
    " lead",
    "trail ",
    "new\nline",
    "🎈",
    "e\u0301",
    "\u00e9",
  ]) {
    await store.write(`/q/${name}`, name);
    expect(await readText(store, `/q/${name}`)).toBe(name);
    await store.write(`/q/${name}`, `${name}!`);
    expect((await store.list("/q").toArray()).map(({ path }) => path)).toEqual([`/q/${name}`]);
    await store.delete(`/q/${name}`);
  }
  const parent = await idOf(here, "/q");
  for (const name of ["a/b", ".", "..", "nul\0"]) await raw.ask("POST", "drive/v3/files", { name, parents: [parent] });
  expect(await names(store, "/q")).toEqual(["/q/%{2E}", "/q/%{2E}.", "/q/a%{2F}b", "/q/nul%{0}"]);
  expect((await store.stat("/q/a%{2F}b")).kind).toBe("file");
  await store.move("/q/%{2E}.", "/q/plain");
  await store.write("/q/a%{2F}b", "through its token");
  expect(await raw.list("/q")).toEqual(expect.arrayContaining(["a/b", ".", "plain"]));
});

test("names that differ only in case are two files, though Drive's search takes them for one", async () => {
  const { store } = await at();
  await store.write("/case", "lower");
  await store.write("/CASE", "upper");
  expect(await readText(store, "/case")).toBe("lower");
  expect(await readText(store, "/CASE")).toBe("upper");
  await store.delete("/case");
  expect(await names(store, "/")).toEqual(["/CASE"]);
});

describe("shortcuts", () => {
  const shortcut = async (here: At, name: string, target: string): Promise<string> =>
    (
      await here.raw.ask("POST", "drive/v3/files", {
        name,
        mimeType: "application/vnd.google-apps.shortcut",
        parents: [await idOf(here, "/")],
        shortcutDetails: { targetId: target },
      })
    ).id as string;

  test("are shown as what they lead to; delete and move act on themselves; nothing is written through them", async () => {
    const here = await at();
    const { store } = here;
    const target = await store.write("/dir/real", "bytes");
    const id = await shortcut(here, "link", target.id as string);
    expect(await store.stat("/link")).toMatchObject({ kind: "file", size: 5, id, etag: target.etag });
    expect(await readText(store, "/link")).toBe("bytes");
    expect((await store.list("/").toArray()).find(({ path }) => path === "/link")).toEqual(await store.stat("/link"));
    await expect(store.write("/link", "x")).rejects.toMatchObject({ code: "unsupported", applied: false });
    await store.move("/link", "/dir/link");
    await store.delete("/dir/link");
    expect(await readText(store, "/dir/real")).toBe("bytes");
  });

  test("to folders are directories; deleting one leaves the folder; circles end", async () => {
    const here = await at();
    const { store } = here;
    await store.write("/dir/sub/f", "f");
    await shortcut(here, "way", await idOf(here, "/dir"));
    await here.raw.ask("POST", "drive/v3/files", {
      name: "back",
      mimeType: "application/vnd.google-apps.shortcut",
      parents: [await idOf(here, "/dir")],
      shortcutDetails: { targetId: await idOf(here, "/dir") },
    });
    expect(await readText(store, "/way/sub/f")).toBe("f");
    await store.write("/way/new", "through");
    expect(await readText(store, "/dir/new")).toBe("through");
    const walked = (await store.list("/dir", { recursive: true }).toArray()).map(({ path }) => path).sort();
    expect(walked).toEqual(["/dir/back", "/dir/new", "/dir/sub", "/dir/sub/f"]);
    await store.delete("/way");
    expect(await readText(store, "/dir/sub/f")).toBe("f");
  });

  test("to nothing are there, and their bytes are not", async () => {
    const here = await at();
    const { store, raw } = here;
    const target = await store.write("/real", "x");
    await shortcut(here, "dead", target.id as string);
    await raw.ask("DELETE", `drive/v3/files/${target.id}`);
    expect(await store.stat("/dead")).toMatchObject({ kind: "file", size: null, etag: null });
    await expect(store.read("/dead")).rejects.toMatchObject({ code: "corrupt" });
    await store.delete("/dead");
    expect(await names(store, "/")).toEqual([]);
  });
});

describe("Google's own documents", () => {
  test("have no size and no bytes, are copied and moved, and never overwritten", async () => {
    const here = await at();
    const { store, raw } = here;
    await store.stat("/");
    await raw.ask("POST", "drive/v3/files", { name: "Letter", mimeType: DOC, parents: [await idOf(here, "/")] });
    expect(await store.stat("/Letter")).toMatchObject({ kind: "file", size: null, etag: null, contentType: DOC, hashes: {} });
    await expect(store.read("/Letter")).rejects.toMatchObject({ code: "unsupported" });
    await expect(store.write("/Letter", "x")).rejects.toMatchObject({ code: "unsupported", applied: false });
    await store.copy("/Letter", "/d/Copy");
    await store.move("/Letter", "/d/Moved");
    expect((await store.list("/d").toArray()).map(({ path, size }) => [path, size])).toEqual([
      ["/d/Copy", null],
      ["/d/Moved", null],
    ]);
  });

  test("are read as what `exports` says", async () => {
    const here = await at({ exports: { [DOC]: "text/plain" } });
    await here.store.stat("/");
    await here.raw.ask("POST", "drive/v3/files", { name: "Letter", mimeType: DOC, parents: [await idOf(here, "/")] });
    expect(await readText(here.store, "/Letter")).toBe("Letter as text/plain\n");
    await using part = await here.store.read("/Letter", { range: { offset: 7, length: 2 } });
    expect(await part.text()).toBe("as");
    expect((await here.store.stat("/Letter")).size).toBe(null);
  });

  test("a type of theirs is refused for a file", async () => {
    const { store, asked } = await at();
    await store.stat("/");
    asked();
    await expect(store.write("/f", "x", { contentType: DOC })).rejects.toMatchObject({ code: "unsupported", applied: false });
    expect(asked()).toEqual([]);
  });
});

describe("shared drives", () => {
  test("are a root of their own, and tell no space", async () => {
    const here = await at();
    const driveId = here.server.state.addDrive("Team");
    const store = here.open({ driveId, folder: undefined });
    await store.write("/a/b", "shared");
    await store.copy("/a/b", "/a/c");
    await store.move("/a", "/z");
    expect(await names(store, "/z")).toEqual(["/z/b", "/z/c"]);
    expect(await readText(store, "/z/b")).toBe("shared");
    await store.delete("/z", { recursive: true });
    expect(await names(store, "/")).toEqual([]);
    expect(await store.space()).toEqual({ used: null, free: null, total: null });
    expect([...here.server.state.files.values()].filter((file) => file.driveId === driveId && file.mimeType !== FOLDER)).toHaveLength(2);
  });

  test("one that is not there is config on every verb", async () => {
    const here = await at();
    const store = here.open({ driveId: "0AnotADriveAtAll", folder: undefined });
    await Promise.all(
      [store.stat("/"), store.stat("/f"), store.list("/").toArray(), store.write("/f", "x"), store.delete("/f"), store.mkdir("/d")].map((call) =>
        expect(call).rejects.toMatchObject({ code: "config", applied: false }),
      ),
    );
  });
});

describe("the root", () => {
  test("that is missing is config on every verb, and is not made by any", async () => {
    const here = await at({ createRoot: false });
    const { store } = here;
    await Promise.all(
      [store.stat("/"), store.stat("/f"), store.list("/").toArray(), store.write("/f", "x"), store.delete("/f"), store.mkdir("/d"), store.move("/a", "/b")].map(
        (call) => expect(call).rejects.toMatchObject({ code: "config", applied: false }),
      ),
    );
    expect(await here.raw.find("/")).toBeUndefined();
  });

  test("that goes to the trash while the store is open is config, never an empty listing or not-found", async () => {
    const here = await at({ createRoot: true });
    await here.store.write("/f", "x");
    const strict = here.open({ createRoot: false });
    await strict.stat("/f");
    await here.raw.ask("PATCH", `drive/v3/files/${await idOf(here, "/")}`, { trashed: true });
    await Promise.all(
      [strict.stat("/f"), strict.stat("/"), strict.list("/").toArray(), strict.write("/f", "y"), strict.write("/d/f", "y")].map((call) =>
        expect(call).rejects.toMatchObject({ code: "config" }),
      ),
    );
  });
});

describe("deleting", () => {
  test("puts into the trash, from where it can be taken", async () => {
    const { store, server } = await at();
    const { id } = await store.write("/f", "x");
    await store.delete("/f");
    expect(server.state.get(id as string).explicitlyTrashed).toBe(true);
    expect(store.capabilities.undelete).toBe("trash");
  });

  test("is for good where the options say so", async () => {
    const { store, server } = await at({ deletes: "permanent" });
    const { id } = await store.write("/d/f", "x");
    await store.delete("/d", { recursive: true });
    expect(server.state.files.has(id as string)).toBe(false);
    expect(store.capabilities.undelete).toBe(false);
  });

  test("what a copy or a move replaces goes to the trash as well, and comes back where that fails", async () => {
    const { store, server } = await at();
    await store.write("/from", "new");
    const { id } = await store.write("/to", "old");
    server.fail({ status: 403, reason: "insufficientFilePermissions", match: ({ method, path }) => method === "PATCH" && path.endsWith(id as string) });
    await expect(store.move("/from", "/to")).rejects.toMatchObject({ code: "permission-denied", applied: false });
    expect(await readText(store, "/from")).toBe("new");
    expect(await readText(store, "/to")).toBe("old");
    await store.move("/from", "/to");
    expect(await readText(store, "/to")).toBe("new");
    expect(server.state.get(id as string).explicitlyTrashed).toBe(true);
  });
});

describe("CF87: what is remembered of paths", () => {
  test("is right after a rename and a delete of a folder, at once", async () => {
    const { store } = await at({ settleMs: 30_000, indexTtlMs: 600_000 });
    await store.write("/a/b/c/f", "1");
    await store.move("/a/b", "/x");
    await expect(store.stat("/a/b/c/f")).rejects.toMatchObject({ code: "not-found" });
    expect(await readText(store, "/x/c/f")).toBe("1");
    await store.write("/a/b/c/f", "2");
    expect(await readText(store, "/x/c/f")).toBe("1");
    await store.delete("/x", { recursive: true });
    await expect(store.stat("/x/c/f")).rejects.toMatchObject({ code: "not-found" });
    await store.write("/x/c/f", "3");
    expect(await readText(store, "/x/c/f")).toBe("3");
    expect(await readText(store, "/a/b/c/f")).toBe("2");
  });

  test("costs one request for a file in a known folder", async () => {
    const { store, asked } = await at({ indexTtlMs: 600_000 });
    await store.write("/a/b/c/f", "1");
    await store.stat("/a/b/c/f");
    asked();
    await store.stat("/a/b/c/f");
    expect(asked()).toEqual(["GET files"]);
    await store.write("/a/b/c/f", "2");
    expect(asked()).toEqual(["GET files", "PATCH upload/files/ID multipart"]);
    await store.list("/a/b/c").toArray();
    expect(asked()).toEqual(["GET files"]);
  });

  test("others' renames are noticed where a path leads nowhere, and by writes into a folder in the trash", async () => {
    const here = await at({ indexTtlMs: 600_000 });
    const { store, raw } = here;
    await store.write("/a/b/f", "1");
    const other = here.open();
    await other.move("/a/b", "/elsewhere");
    await other.write("/a/b/g", "2");
    expect(await readText(store, "/a/b/g")).toBe("2");
    await raw.ask("PATCH", `drive/v3/files/${await idOf(here, "/a/b")}`, { trashed: true });
    await store.write("/a/b/h", "3");
    expect(await readText(store, "/a/b/h")).toBe("3");
    expect(await names(other, "/a/b")).toEqual(["/a/b/h"]);
  });

  test("concurrent writes make each folder once, and each file once", async () => {
    const { store, server, raw } = await at({ indexTtlMs: 600_000, settleMs: 1000 }, { lagMs: 300 });
    await Promise.all(Array.from({ length: 24 }, (_, i) => store.write(`/p/q/r${i % 3}/f${i % 6}`, `${i}`)));
    const live = [...server.state.files.values()].filter((file) => !server.state.trashed(file) && file.parents.length > 0);
    expect(live.map(({ name }) => name).sort()).toEqual(["f0", "f1", "f2", "f3", "f4", "f5", "here", "p", "q", "r0", "r1", "r2"]);
    expect(raw.all()).toHaveLength(12);
  });
});

describe("a search that lags", () => {
  test("own changes are seen at once all the same", async () => {
    const { store } = await at({ settleMs: 60_000, indexTtlMs: 60_000 }, { lagMs: 60_000 });
    await store.write("/d/a", "1");
    await store.write("/d/b", "2");
    expect(await names(store, "/d")).toEqual(["/d/a", "/d/b"]);
    await store.write("/d/a", "one");
    expect(await readText(store, "/d/a")).toBe("one");
    expect((await store.list("/d").toArray()).find(({ path }) => path === "/d/a")).toMatchObject({ size: 3 });
    await store.move("/d/a", "/e");
    expect(await names(store, "/d")).toEqual(["/d/b"]);
    await expect(store.stat("/d/a")).rejects.toMatchObject({ code: "not-found" });
    expect(await readText(store, "/e")).toBe("one");
    await expect(store.delete("/d")).rejects.toMatchObject({ code: "not-empty" });
    await store.delete("/d/b");
    await store.delete("/d");
    expect(await names(store, "/")).toEqual(["/e"]);
  });

  test("what others do to it afterwards is believed by id", async () => {
    const here = await at({ settleMs: 60_000, indexTtlMs: 60_000 }, { lagMs: 60_000 });
    const { id } = await here.store.write("/f", "1");
    await here.raw.ask("PATCH", `drive/v3/files/${id}`, { trashed: true });
    await expect(here.store.stat("/f")).rejects.toMatchObject({ code: "not-found" });
  });
});

test("account and space", async () => {
  const { store } = await at();
  await store.write("/f", bytesOf(1000));
  expect(await store.account()).toEqual({ provider: "drive", user: "ann@example.org", text: "Google Drive of Ann Example (ann@example.org)" });
  expect(await store.space()).toEqual({ used: 1000, free: Infinity, total: Infinity });
});

test("reads are pinned to the revision that was looked up", async () => {
  const { store, server } = await at();
  const before = await store.write("/f", bytesOf(50_000, 1));
  let replaced = false;
  server.before = async ({ query }) => {
    if (query.get("alt") !== "media" || replaced) return;
    replaced = true;
    await store.write("/f", bytesOf(60_000, 2));
  };
  await using result = await store.read("/f");
  expect(result.entry.etag).toBe(before.etag);
  expect(Buffer.compare(await result.bytes(), bytesOf(50_000, 1))).toBe(0);
});
