/** Listings: pages by index, while somebody takes things out; half a page is no page. */
import { expect, test } from "vitest";
import { readText } from "../../../src/index.ts";
import type { Node } from "../../servers/sugarsync/index.ts";
import { at } from "./at.ts";
import type { At } from "./at.ts";

async function filled(a: At, count: number): Promise<Node> {
  await a.store.mkdir("/top");
  const { tree } = a.account;
  const top = tree.children(null).find(({ name }) => name === "top") as Node;
  for (let i = 0; i < count; i++) tree.addVersion(tree.create("file", `f${String(i).padStart(5, "0")}`, top), [Buffer.from(String(i))]);
  return top;
}
const pagesAsked = (a: At): number => a.server.requests.filter(({ path }) => path.includes("/contents?")).length;

test("1,300 entries come in three pages, each once", async () => {
  await using a = await at();
  await filled(a, 1300);
  a.server.clear();
  const entries = await a.store.list("/top").toArray();
  expect(new Set(entries.map(({ path }) => path)).size).toBe(1300);
  expect(entries).toHaveLength(1300);
  expect(pagesAsked(a)).toBe(3);
});

test("what is taken out between two pages hides nothing of what stays", async () => {
  await using a = await at();
  const top = await filled(a, 1300);
  let taken = false;
  a.server.fail(({ path }) => {
    if (path.includes("start=499") && !taken) {
      taken = true;
      for (const node of a.account.tree.children(top).slice(0, 100)) a.account.tree.remove(node);
    }
    return undefined;
  });
  const entries = await a.store.list("/top").toArray();
  expect(taken).toBe(true);
  // Everything that was there the whole time.
  const found = new Set(entries.map(({ path }) => path));
  for (let i = 100; i < 1300; i++) expect(found).toContain(`/top/f${String(i).padStart(5, "0")}`);
});

test("a folder that never holds still is a conflict, not a short listing", async () => {
  await using a = await at();
  const top = await filled(a, 2000);
  a.server.fail(({ path }) => {
    if (/start=(?!0&)/.test(path)) for (const node of a.account.tree.children(top).slice(0, 60)) a.account.tree.remove(node);
    return undefined;
  });
  await expect(a.store.list("/top").toArray()).rejects.toMatchObject({ code: "conflict", transient: true });
});

test("a later page that fails is asked for again, at most three times (CF94)", async () => {
  await using a = await at({ random: () => 0 });
  await filled(a, 600);
  let failures = 2;
  a.server.fail(({ path }) => (path.includes("start=499") && failures-- > 0 ? { status: 503, headers: { "retry-after": "0" } } : undefined));
  expect(await a.store.list("/top").toArray()).toHaveLength(600);
  failures = 100;
  a.server.clear();
  await expect(a.store.list("/top").toArray()).rejects.toMatchObject({ code: "rate-limited", transient: true });
  expect(a.server.requests.filter(({ path }) => path.includes("start=499"))).toHaveLength(3);
});

test("temporary files of writers and names that no path can hold are left out", async () => {
  await using a = await at();
  const top = await filled(a, 1);
  for (const name of [".stratus-0123456789abcdefghij.tmp", "a/b", "..", "."]) a.account.tree.create("file", name, top);
  expect((await a.store.list("/top").toArray()).map(({ path }) => path)).toEqual(["/top/f00000"]);
  await a.store.delete("/top/f00000");
  await expect(a.store.delete("/top")).rejects.toMatchObject({ code: "not-empty" });
});

test("odd names come back as they were written, and others see them as they are", async () => {
  await using a = await at();
  const names = [
    "a&b<c>\"d'",
    " lead",
    "trail ",
    "ümlaut",
    "u\u0308mlaut",
    "🙂",
    "%{9}",
    "100%",
    "tab\tline\n",
    "\u0001",
    "]]>",
    "&amp;",
    "-->",
    ".stratus-0123456789abcdefghij.tmp",
  ];
  for (const name of names) await a.store.write(`/top/${name}`, name);
  const entries = await a.store.list("/top", { fresh: true }).toArray();
  expect(entries.map(({ path }) => path).sort()).toEqual(names.map((name) => `/top/${name}`).sort());
  for (const name of names) expect(await readText(a.other(), `/top/${name}`)).toBe(name);
});
