/** CF89: nothing outside of the directory is read, listed, written or removed, whatever links stand in it. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { expect, test } from "vitest";
import { readText } from "../../../src/store/index.ts";
import type { Store } from "../../../src/store/index.ts";
import { code, fresh, onDisk, paths } from "./at.ts";

/** Each verb on a path below `dir`, and what it says. */
async function verbsBelow(store: Store, dir: string): Promise<Record<string, string>> {
  await store.write("/mine", "mine");
  return {
    stat: await code(store.stat(`${dir}/secret`)),
    read: await code(store.read(`${dir}/secret`)),
    list: await code(store.list(`${dir}/sub`).toArray()),
    write: await code(store.write(`${dir}/new`, "x")),
    overwrite: await code(store.write(`${dir}/secret`, "x")),
    deep: await code(store.write(`${dir}/a/b/c`, "x")),
    mkdir: await code(store.mkdir(`${dir}/made`)),
    delete: await code(store.delete(`${dir}/secret`)),
    deleteTree: await code(store.delete(`${dir}/sub`, { recursive: true })),
    copyFrom: await code(store.copy(`${dir}/secret`, "/stolen")),
    copyTo: await code(store.copy("/mine", `${dir}/mine`)),
    moveFrom: await code(store.move(`${dir}/secret`, "/stolen")),
    moveTo: await code(store.move("/mine", `${dir}/mine`)),
  };
}

test("through a link to a directory outside: every verb is refused, and outside nothing changes", async () => {
  const { store, outside, at } = fresh();
  fs.mkdirSync(`${outside}/sub`);
  fs.symlinkSync(outside, at("/out"));
  for (const [verb, said] of Object.entries(await verbsBelow(store, "/out"))) expect.soft([verb, said]).toEqual([verb, "unsupported"]);
  expect(onDisk(outside)).toEqual(["secret", "sub"]);
  expect(fs.readFileSync(`${outside}/secret`, "utf8")).toBe("secret");
  expect(await paths(store)).toEqual(["/mine"]);
});

test("the same when the link comes after the store has used the directory", async () => {
  const { store, outside, at } = fresh();
  fs.mkdirSync(`${outside}/sub`);
  await store.write("/dir/secret", "mine");
  expect(await readText(store, "/dir/secret")).toBe("mine");
  fs.renameSync(at("/dir"), at("/old"));
  fs.symlinkSync(outside, at("/dir"));
  for (const [verb, said] of Object.entries(await verbsBelow(store, "/dir"))) expect.soft([verb, said]).toEqual([verb, "unsupported"]);
  expect(onDisk(outside)).toEqual(["secret", "sub"]);
  expect(fs.readFileSync(`${outside}/secret`, "utf8")).toBe("secret");
});

test("a link in the middle of a path, a relative one, and one that leads out and in again", async () => {
  const { store, at, outside } = fresh();
  fs.mkdirSync(at("/d"));
  fs.symlinkSync("../../outside", at("/d/rel"));
  fs.symlinkSync(at("/d"), `${outside}/back`);
  fs.symlinkSync(outside, at("/out"));
  await store.write("/d/file", "x");
  expect(await code(store.stat("/d/rel/secret"))).toBe("unsupported");
  expect(await code(store.read("/out/back/file"))).toBe("unsupported");
  expect(await code(store.write("/out/back/new", "x"))).toBe("unsupported");
  expect(fs.existsSync(at("/d/new"))).toBe(false);
});

test("a sibling whose name starts like the root's is outside", async () => {
  const { store, root, at } = fresh();
  fs.mkdirSync(`${root}-twin`);
  fs.writeFileSync(`${root}-twin/f`, "x");
  fs.symlinkSync(`${root}-twin`, at("/l"));
  expect(await code(store.read("/l/f"))).toBe("unsupported");
  expect(await paths(store)).toEqual([]);
});

test.each([
  ["a file outside", (at: (path: string) => string, outside: string) => fs.symlinkSync(`${outside}/secret`, at("/odd"))],
  ["a directory outside", (at: (path: string) => string, outside: string) => fs.symlinkSync(outside, at("/odd"))],
  ["nothing", (at: (path: string) => string) => fs.symlinkSync(at("/gone"), at("/odd"))],
  ["nothing outside", (at: (path: string) => string, outside: string) => fs.symlinkSync(`${outside}/new`, at("/odd"))],
  ["itself", (at: (path: string) => string) => fs.symlinkSync("odd", at("/odd"))],
  ["the directory it is in", (at: (path: string) => string) => fs.symlinkSync(".", at("/odd"))],
  ["a pipe", (at: (path: string) => string) => execFileSync("mkfifo", [at("/odd")])],
])("a link to, or in place of a file, %s: not listed, stat and read refused, write and delete concern the thing itself", async (_, make) => {
  const { store, at, outside } = fresh();
  make(at, outside);
  expect(await paths(store)).toEqual([]);
  expect(await paths(store, "/", true)).toEqual([]);
  expect(await code(store.stat("/odd"))).toBe("unsupported");
  expect(await code(store.read("/odd"))).toBe("unsupported");
  expect(await code(store.copy("/odd", "/copy"))).toBe("unsupported");
  expect(await code(store.move("/odd", "/moved"))).toBe("unsupported");
  expect(await code(store.write("/odd", "x", { ifAbsent: true }))).toBe("already-exists");
  expect(await code(store.mkdir("/odd"))).toBe("already-exists");
  expect(await code(store.mkdir("/odd", { existOk: true }))).toBe("already-exists");
  await store.write("/odd", "mine");
  expect(fs.lstatSync(at("/odd")).isFile()).toBe(true);
  expect(await readText(store, "/odd")).toBe("mine");
  fs.rmSync(at("/odd"));
  make(at, outside);
  await store.delete("/odd");
  expect(onDisk(at(""))).toEqual([]);
  expect(onDisk(outside)).toEqual(["secret"]);
  expect(fs.readFileSync(`${outside}/secret`, "utf8")).toBe("secret");
});

test("below a link that leads nowhere nothing is, and nothing is made", async () => {
  const { store, at, outside } = fresh();
  fs.symlinkSync(`${outside}/new`, at("/odd"));
  expect(await code(store.stat("/odd/x"))).toBe("not-found");
  expect(await code(store.delete("/odd/x"))).toBe("nothing");
  expect(await code(store.write("/odd/x", "x"))).toBe("not-a-directory");
  expect(await code(store.mkdir("/odd/x/y"))).toBe("not-a-directory");
  expect(onDisk(outside)).toEqual(["secret"]);
});

test("links in the store are what they lead to", async () => {
  const { store, at } = fresh();
  await store.write("/d/file", "in d");
  await store.write("/far/away/file", "far");
  fs.symlinkSync("d/file", at("/f"));
  fs.symlinkSync(at("/far"), at("/d/dir"));
  expect(await readText(store, "/f")).toBe("in d");
  expect(await store.stat("/f")).toMatchObject({ path: "/f", kind: "file", size: 4 });
  expect(await paths(store)).toEqual(["/d", "/f", "/far"]);
  expect(await paths(store, "/d/dir/away")).toEqual(["/d/dir/away/file"]);
  expect(await store.stat("/d/dir")).toMatchObject({ path: "/d/dir", kind: "directory" });
  await store.write("/d/dir/away/more", "through");
  expect(await readText(store, "/far/away/more")).toBe("through");
  await store.copy("/f", "/copy");
  expect(fs.lstatSync(at("/copy")).isFile()).toBe(true);
  // Writing over a link replaces the link; what it led to stays.
  await store.write("/f", "new");
  expect(await readText(store, "/d/file")).toBe("in d");
  // Deleting removes the link, never what it leads to; a directory that is a link is not "not empty".
  await store.delete("/d/dir");
  expect(await readText(store, "/far/away/file")).toBe("far");
});

test("a recursive delete removes links and does not follow them", async () => {
  const { store, at, outside } = fresh();
  await store.write("/keep/file", "x");
  await store.write("/tree/a/b", "x");
  fs.symlinkSync(at("/keep"), at("/tree/inside"));
  fs.symlinkSync(outside, at("/tree/a/out"));
  fs.symlinkSync("..", at("/tree/a/up"));
  await store.delete("/tree", { recursive: true });
  expect(await paths(store, "/", true)).toEqual(["/keep", "/keep/file"]);
  expect(onDisk(outside)).toEqual(["secret"]);
});

test("links in circles end: a directory that the path has come through already is no part of it", async () => {
  const { store, at } = fresh();
  await store.write("/a/file", "x");
  await store.write("/b/file", "x");
  fs.symlinkSync(at("/b"), at("/a/to-b"));
  fs.symlinkSync(at("/a"), at("/b/to-a"));
  fs.symlinkSync(at(""), at("/a/root"));
  expect(await paths(store, "/", true)).toEqual(["/a", "/a/file", "/a/to-b", "/a/to-b/file", "/b", "/b/file", "/b/to-a", "/b/to-a/file"]);
  expect(await code(store.stat("/a/to-b/to-a"))).toBe("unsupported");
  expect(await code(store.list("/a/to-b/to-a").toArray())).toBe("unsupported");
  expect(await code(store.read("/a/root/a/file"))).toBe("unsupported");
  await store.copy("/a", "/copy");
  expect(await paths(store, "/copy", true)).toEqual(["/copy/file", "/copy/to-b", "/copy/to-b/file"]);
});

test("a link is moved as a link to the same place", async () => {
  const { store, at } = fresh();
  await store.write("/d/file", "x");
  await store.mkdir("/d/e/f");
  fs.symlinkSync("file", at("/d/link"));
  fs.symlinkSync("e", at("/d/dir"));
  await store.move("/d/link", "/d/e/f/link");
  await store.move("/d/dir", "/dir", { ifAbsent: true });
  expect(fs.lstatSync(at("/d/e/f/link")).isSymbolicLink()).toBe(true);
  expect(await readText(store, "/d/e/f/link")).toBe("x");
  expect(await paths(store, "/dir")).toEqual(["/dir/f"]);
  expect(await code(store.stat("/d/link"))).toBe("not-found");
  expect(await code(store.stat("/d/dir"))).toBe("not-found");
});

test("dot-dot never reaches the disk", async () => {
  const { store } = fresh();
  for (const path of ["/../outside/secret", "/a/../../outside/secret", "/..", "/.", "/a/./b", "//x", "relative", ""])
    expect(await code(store.read(path))).toBe("invalid-path");
  for (const path of ["/..\\..\\outside\\secret", "/%2e%2e/secret", "/...", "/%{2E}%{2E}", "/%{2E}."]) expect(await code(store.read(path))).toBe("not-found");
});
