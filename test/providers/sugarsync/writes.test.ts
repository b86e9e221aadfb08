/** Writes, deletions and moves when something goes wrong half way: what was there is there, or the error says where it lies. */
import { expect, test } from "vitest";
import { readText } from "../../../src/index.ts";
import type { Failure, Request } from "../../servers/sugarsync/index.ts";
import { at } from "./at.ts";
import type { At } from "./at.ts";
import { temporaryIn } from "./subject.ts";

const calm = { random: () => 0 };
/** Nothing of a writer is left, and the tree is as told. */
async function stands(a: At, files: Readonly<Record<string, string>>): Promise<void> {
  a.server.fail(undefined);
  expect(temporaryIn(a.account)).toEqual([]);
  const found: Record<string, string> = {};
  for (const { path, kind } of await a.other().list("/", { recursive: true }).toArray()) if (kind === "file") found[path] = await readText(a.other(), path);
  expect(found).toEqual(files);
}
/** The nth request of this kind, from 1. */
function nth(line: RegExp, n: number, failure: Failure): (request: Request) => Failure | undefined {
  let seen = 0;
  return ({ method, path }) => (line.test(`${method} ${path}`) && ++seen === n ? failure : undefined);
}

test("requests of each verb, for a folder that is known", async () => {
  await using a = await at({ cacheMs: 60_000 });
  await a.store.write("/top/d/old", "x");
  await a.store.list("/top/d").toArray();
  const cost = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    a.server.clear();
    await work();
    return a.server.lines;
  };
  expect(await cost(() => a.store.stat("/top/d/old"))).toEqual(["GET /file"]);
  expect(await cost(() => readText(a.store, "/top/d/old"))).toEqual(["GET /file/data"]);
  expect(await cost(() => a.store.list("/top/d").toArray())).toEqual(["GET /folder/contents"]);
  expect(await cost(() => a.store.write("/top/d/new", "x"))).toEqual(["POST /folder", "PUT /file/data", "GET /file", "PUT /file"]);
  expect(await cost(() => a.store.write("/top/d/new", "y"))).toEqual(["POST /folder", "PUT /file/data", "GET /file", "GET /file", "PUT /file", "PUT /file"]);
  expect(await cost(() => a.store.copy("/top/d/new", "/top/d/copied"))).toEqual(["GET /file", "POST /folder", "GET /file"]);
  expect(await cost(() => a.store.move("/top/d/copied", "/top/d/moved"))).toEqual(["GET /file", "PUT /file"]);
  expect(await cost(() => a.store.delete("/top/d/moved"))).toEqual(["GET /file", "PUT /file"]);
  expect(await cost(() => a.store.mkdir("/top/d/e"))).toEqual(["POST /folder"]);
  expect(await cost(() => a.store.delete("/top/d/e"))).toEqual(["GET /folder", "GET /folder/contents", "PUT /folder"]);
  expect(await cost(() => a.store.delete("/top/d", { recursive: true }))).toEqual(["GET /folder", "PUT /folder"]);
});

test("a body that fails leaves the old file, and no directory of a new one", async () => {
  await using a = await at();
  await a.store.write("/top/file", "old");
  // eslint-disable-next-line require-yield
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(70_000);
    throw new Error("the source broke");
  }
  for (const path of ["/top/file", "/top/x/y/new", "/other/x/new"])
    await expect(a.store.write(path, body())).rejects.toMatchObject({ code: "bad-body", applied: false });
  await stands(a, { "/top/file": "old" });
  expect((await a.other().list("/", { recursive: true }).toArray()).map(({ path }) => path).sort()).toEqual(["/top", "/top/file"]);
});

test("a question that fails before anything was changed: the change says that it did not happen (CF94)", async () => {
  await using a = await at({ ...calm, cacheMs: 0 });
  await a.store.write("/top/file", "old");
  await a.store.write("/top/d/other", "other");
  const changes: Readonly<Record<string, () => Promise<unknown>>> = {
    write: () => a.store.write("/top/d/new", "new"),
    replace: () => a.store.write("/top/file", "new"),
    mkdir: () => a.store.mkdir("/top/new/d"),
    delete: () => a.store.delete("/top/file"),
    "delete a tree": () => a.store.delete("/top/d", { recursive: true }),
    copy: () => a.store.copy("/top/file", "/top/d/copied"),
    move: () => a.store.move("/top/file", "/top/d/moved"),
  };
  for (const [name, change] of Object.entries(changes)) {
    a.server.fail(({ method }) => (method === "GET" ? { status: 500 } : undefined));
    await expect(change(), name).rejects.toMatchObject({ code: "unavailable", applied: false });
  }
  await stands(a, { "/top/file": "old", "/top/d/other": "other" });
});

test("a service that keeps fewer bytes than it got: integrity, and the old file stays", async () => {
  await using a = await at();
  await a.store.write("/top/file", "old");
  a.server.fail(({ method, path }) => {
    if (method !== "GET" || path.includes("contents") || !path.startsWith("/file")) return undefined;
    for (const node of a.account.tree.nodes.values())
      if (node.name.startsWith(".stratus-")) node.versions.splice(0, 1, { id: "0", bytes: [], size: 1, modifiedMs: 0 });
    return undefined;
  });
  await expect(a.store.write("/top/file", "newer")).rejects.toMatchObject({ code: "integrity", applied: false, transient: true });
  await stands(a, { "/top/file": "old" });
});

test("the new name is refused: the old file comes back from Deleted Files", async () => {
  await using a = await at();
  await a.store.write("/top/file", "old");
  // The second PUT of a file's own resource in this write: the first took the old one away.
  a.server.fail(nth(/^PUT \/file\/[^/]*$/, 2, { status: 403, reason: "no" }));
  await expect(a.store.write("/top/file", "new")).rejects.toMatchObject({ code: "permission-denied", applied: false });
  await stands(a, { "/top/file": "old" });
});

test("and where it cannot come back, the error says where it lies", async () => {
  await using a = await at(calm);
  await a.store.write("/top/file", "old");
  let puts = 0;
  a.server.fail(({ method, path }) => (method === "PUT" && /^\/file\/[^/]*$/.test(path) && ++puts > 1 ? { status: 403 } : undefined));
  await expect(a.store.write("/top/file", "new")).rejects.toMatchObject({
    code: "conflict",
    applied: "partly",
    reason: expect.stringContaining("Deleted Files") as string,
  });
  expect(a.account.tree.children(a.account.tree.deleted).map(({ name }) => name)).toEqual(["file"]);
});

test.each(["before", "after"] as const)("an answer that is lost, request by request (%s the service did it): old or new, never neither", async (hangUp) => {
  for (let index = 0; index < 6; index++) {
    await using a = await at({ ...calm, cacheMs: 60_000 });
    await a.store.write("/top/file", "old");
    let seen = 0;
    a.server.fail(() => (seen++ === index ? { hangUp } : undefined));
    const outcome = await a.store.write("/top/file", "new").then(
      () => true as const,
      (error: { readonly applied: unknown }) => error.applied,
    );
    a.server.fail(undefined);
    const there = await readText(a.other(), "/top/file");
    if (outcome === true) expect(there, `request ${index}`).toBe("new");
    else if (outcome === false) expect(there, `request ${index}`).toBe("old");
    else expect(["old", "new"], `request ${index}`).toContain(there);
    await stands(a, { "/top/file": there });
  }
});

test.each(["before", "after"] as const)("a change whose answer is lost (%s the service did it) is settled by a look", async (hangUp) => {
  await using a = await at({ ...calm, cacheMs: 60_000 });
  await a.store.write("/top/file", "bytes");
  for (const path of ["/top/d/x", "/top/gone", "/top/erased"]) await a.store.write(path, "x");
  const changes: readonly (readonly [RegExp, () => Promise<unknown>])[] = [
    [/^PUT/, () => a.store.move("/top/file", "/top/moved")],
    [/^PUT/, () => a.store.move("/top/d", "/top/e")],
    [/^PUT/, () => a.store.delete("/top/gone")],
    [/^DELETE/, () => a.other({ hardDelete: true }).delete("/top/erased")],
    [/^POST \/folder/, () => a.store.mkdir("/top/new", { existOk: true })],
  ];
  for (const [line, change] of changes) {
    a.server.fail(nth(line, 1, { hangUp }));
    const outcome: unknown = await change().catch((error: unknown) => error);
    // What a look does not show may still land.
    if (hangUp === "before") expect(outcome, String(change)).toMatchObject({ code: "unavailable", applied: "unknown" });
    else expect(outcome, String(change)).not.toBeInstanceOf(Error);
  }
  await stands(
    a,
    hangUp === "before" ? { "/top/file": "bytes", "/top/d/x": "x", "/top/gone": "x", "/top/erased": "x" } : { "/top/moved": "bytes", "/top/e/x": "x" },
  );
});

test("the quota: no-space, after one upload, whatever status says it (CF93)", async () => {
  for (const overQuotaStatus of [413, 403]) {
    await using a = await at({}, { quotaBytes: 1000, overQuotaStatus });
    await a.store.write("/top/small", "x".repeat(600));
    a.server.clear();
    await expect(a.store.write("/top/large", "x".repeat(600))).rejects.toMatchObject({ code: "no-space", applied: false, transient: false });
    expect(a.server.lines.filter((line) => line === "PUT /file/data")).toHaveLength(1);
    expect(await a.store.space()).toEqual({ used: 600, total: 1000, free: 400 });
    await stands(a, { "/top/small": "x".repeat(600) });
  }
});

test("a 400 that nobody expects makes one call, and is not tried again (CF93)", async () => {
  await using a = await at();
  await a.store.mkdir("/top");
  a.server.clear();
  a.server.fail(({ method, path }) => (method === "PUT" && path.endsWith("/data") ? { status: 400 } : undefined));
  await expect(a.store.write("/top/a", "x")).rejects.toMatchObject({ transient: false, applied: false });
  expect(a.server.lines.filter((line) => line === "PUT /file/data")).toHaveLength(1);
  await stands(a, {});
});

test("deleting puts into Deleted Files; hardDelete deletes for good, trees child by child", async () => {
  await using a = await at();
  const { tree } = a.account;
  await a.store.write("/top/a", "1");
  await a.store.delete("/top/a");
  expect(tree.children(tree.deleted)).toHaveLength(1);
  const hard = a.other({ hardDelete: true });
  await hard.write("/top/d/e/a", "1");
  await hard.write("/top/d/e/a", "2");
  await hard.delete("/top/d", { recursive: true });
  expect(tree.children(tree.deleted)).toHaveLength(1);
  // Nothing is orphaned: what is left is in the tree.
  expect([...tree.nodes.values()].map(({ name }) => name).sort()).toEqual(["DeletedFiles", "a", "top"]);
});

test("a sync folder goes with what is in it kept in Deleted Files", async () => {
  await using a = await at();
  await a.store.write("/top/d/file", "precious");
  await expect(a.store.delete("/top")).rejects.toMatchObject({ code: "not-empty" });
  await a.store.delete("/top", { recursive: true });
  expect(await a.other().list("/").toArray()).toEqual([]);
  expect(a.account.tree.children(a.account.tree.deleted).map(({ name }) => name)).toEqual(["d"]);
});

test("a directory into which a file is being written is not deleted as empty", async () => {
  await using a = await at();
  await a.store.mkdir("/top/d");
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    started.resolve();
    await promise;
    yield new Uint8Array(10);
  }
  const writing = a.store.write("/top/d/file", body());
  await started.promise;
  await expect(a.other().delete("/top/d")).rejects.toMatchObject({ code: "conflict", applied: false });
  resolve();
  await writing;
});

test("a file that was never written to is empty; one whose bytes are still elsewhere is unavailable, not empty", async () => {
  await using a = await at();
  await a.store.mkdir("/top");
  const { tree } = a.account;
  const top = tree.children(null).find(({ name }) => name === "top") as never;
  tree.create("file", "never", top);
  expect((await a.store.stat("/top/never")).size).toBe(0);
  expect(await readText(a.store, "/top/never")).toBe("");
});
