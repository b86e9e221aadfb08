/** CF88: what a listing says of names that several bear, over pages, pages that are asked for twice, and listings that begin anew. */
import { expect, test } from "vitest";
import type { DriveOptions } from "../../../src/providers/drive/index.ts";
import { at } from "./at.ts";
import type { At } from "./at.ts";

const FOLDER = "application/vnd.google-apps.folder";

/** A folder /d of so many files, 0001, 0002 …, made as another client makes them. */
async function filled(
  count: number,
  options: Partial<DriveOptions> = {},
): Promise<At & { readonly told: string[]; put(name: string, parent?: string): string }> {
  const told: string[] = [];
  const here = await at({ onDuplicates: ({ path }) => void told.push(path), ...options });
  const { store, server } = here;
  await store.write("/d/0000", "x");
  const folder = (await store.stat("/d")).id as string;
  const one = server.state.get((await store.stat("/d/0000")).id as string);
  const put = (name: string, parent = folder): string => server.state.put({ ...one, id: server.state.newId(), name, parents: [parent] }).id;
  for (let i = 1; i < count; i++) put(String(i).padStart(4, "0"));
  return { ...here, told, put };
}
const forgetPlace = ({ server }: At): void => server.fail({ status: 400, reason: "invalid", match: ({ query }) => query.has("pageToken") });
const paths = async ({ store }: At): Promise<string[]> => (await store.list("/d").toArray()).map(({ path }) => path);

test.each(["newest", "error"] as const)("folders of one name are one directory, listed once and nobody's trouble (duplicates: %s)", async (duplicates) => {
  const here = await filled(1, { duplicates });
  const parent = (await here.store.stat("/d")).id as string;
  for (let i = 0; i < 2; i++) await here.raw.ask("POST", "drive/v3/files", { name: "twins", mimeType: FOLDER, parents: [parent] });
  expect((await paths(here)).sort()).toEqual(["/d/0000", "/d/twins"]);
  expect((await here.store.stat("/d/twins")).kind).toBe("directory");
  expect(here.told).toEqual([]);
});

test.each(["newest", "error"] as const)("a listing that begins anew tells no duplicates of what it shows again (duplicates: %s)", async (duplicates) => {
  const here = await filled(2100, { duplicates });
  forgetPlace(here);
  const found = await paths(here);
  expect(found).toHaveLength(2100);
  expect(new Set(found).size).toBe(2100);
  expect(here.told).toEqual([]);
  expect(here.store.layers.drive.report().duplicates).toBe(0);
});

test("nor does one of a directory of several folders", async () => {
  const here = await filled(1100, { duplicates: "error" });
  const [d] = here.server.state.get((await here.store.stat("/d")).id as string).parents;
  const { id: twin } = await here.raw.ask("POST", "drive/v3/files", { name: "d", mimeType: FOLDER, parents: [d] });
  here.put("other", twin as string);
  forgetPlace(here);
  expect(new Set(await paths(here)).size).toBe(1101);
  expect(here.told).toEqual([]);
});

test("two files of one name on two pages are told, and a conflict where that is wanted, also by a listing that began anew", async () => {
  for (const isForgotten of [false, true]) {
    const here = await filled(1000);
    // The last of the first page, and the first of the second.
    here.put("0999");
    const other = here.open({ duplicates: "error" });
    if (isForgotten) forgetPlace(here);
    expect(await paths(here)).toHaveLength(1000);
    expect(here.told).toEqual(["/d/0999"]);
    if (isForgotten) forgetPlace(here);
    await expect(other.list("/d").toArray()).rejects.toMatchObject({ code: "conflict", transient: false, applied: false });
  }
});

test("a file that is deleted and made anew while the listing goes on is no duplicate of itself", async () => {
  const here = await filled(1100, { duplicates: "error", settleMs: 60_000 });
  const found: string[] = [];
  for await (const { path } of here.store.list("/d")) {
    found.push(path);
    if (path !== "/d/0005") continue;
    await here.store.delete(path);
    await here.store.write(path, "anew");
  }
  expect(found).toHaveLength(1100);
  expect(new Set(found).size).toBe(1100);
  expect(here.told).toEqual([]);
});
