/** Takes names through every verb, all of them in one directory at the same time, so that a name that answers for another is seen. */
import { byCodePoint, equal, fail, listAll, names as namesOf, ok, pattern, readAll, rejects, sameBytes } from "../assert.ts";
import type { CheckContext } from "../check.ts";
import { base, stats } from "./base.ts";
import { each } from "./each.ts";
import { accepted, folded, spell } from "./spelling.ts";

/** Bytes that no other name of the list has, of a length that no neighbour has. */
function content(name: string, index: number): Uint8Array {
  return pattern(40 + index, name);
}

/**
 * Every name is stored as a file and (beyond the smoke tier) as a directory, told by `stat` and `read`, listed, copied, moved and deleted, each under
 * exactly its own name; or it is refused with `invalid-path`, exactly where the capabilities say so. Of names that the service folds, the first is taken.
 */
export async function travels(t: CheckContext, names: readonly string[]): Promise<void> {
  const d = await base(t);
  const files = `${d}/files`;
  const good = await refuseOthers(t, files, names);
  // All refused: that was the proof.
  if (good.length === 0) return;
  await each(t, good, spell, async (name, index) => {
    const entry = await t.store.write(`${files}/${name}`, content(name, index));
    equal(entry.path as string, `${files}/${name}`, "the entry of a write has the path as it was asked for");
  });
  await told(t, files, good, good);
  await each(t, good, spell, async (name, index) => {
    const entry = await stats(t, `${files}/${name}`, (found) => equal(found.size, 40 + index, "stat tells the size of this file and of no other"));
    equal(entry.path as string, `${files}/${name}`, "the entry of stat has the path as it was asked for");
    equal(entry.kind, "file", "stat tells a file");
  });
  // The smoke tier asks the first questions only: each further verb costs requests for every name.
  if (t.tier === "smoke") return deleted(t, files, good);
  await directories(t, `${d}/directories`, good);
  if (t.capabilities.copy !== false) {
    await each(t, good, spell, async (name) => void (await t.store.copy(`${files}/${name}`, `${d}/copies/${name}`)));
    await told(t, `${d}/copies`, good, good);
  }
  if (t.capabilities.move !== false) {
    await each(t, good, spell, async (name) => void (await t.store.move(`${files}/${name}`, `${d}/moved/${name}`)));
    await told(t, `${d}/moved`, good, good);
    await each(t, good, spell, async (name) => missing(t, `${files}/${name}`, "after a move nothing is at the source"));
  }
  await deleted(t, t.capabilities.move === false ? files : `${d}/moved`, good);
}

/** Those that are accepted, one of each that the service folds together; the others are proved to be refused. */
async function refuseOthers(t: CheckContext, dir: string, names: readonly string[]): Promise<readonly string[]> {
  const good = new Map<string, string>();
  const bad: string[] = [];
  for (const name of names) {
    if (!accepted(t.capabilities, `${dir}/${name}`)) bad.push(name);
    else if (!good.has(folded(t.capabilities, name))) good.set(folded(t.capabilities, name), name);
  }
  await each(t, bad, spell, async (name) => refused(t, `${dir}/${name}`));
  return [...good.values()];
}

/** No verb takes this path, which is legal by the rules of the contract but not for this service. */
export async function refused(t: CheckContext, path: string): Promise<void> {
  const body = pattern(10, "refused");
  await rejects("invalid-path", () => t.store.write(path, body), "a write to a name beyond the declared characters or lengths");
  if (t.capabilities.mkdir !== false) await rejects("invalid-path", () => t.store.mkdir(path), "mkdir of a name beyond the declared characters or lengths");
  await rejects(["invalid-path", "not-found"], () => t.store.stat(path), "stat of a name beyond the declared characters or lengths");
  await rejects(["invalid-path", "not-found"], () => t.store.read(path), "read of a name beyond the declared characters or lengths");
}

/** Each name gives its own bytes, and the listing of the directory has exactly these names, as they are or as the service folds them. */
async function told(t: CheckContext, dir: string, present: readonly string[], all: readonly string[]): Promise<void> {
  const exact = t.capabilities.caseSensitive && t.capabilities.normalisation === "kept";
  const form = (name: string): string => (exact ? name : folded(t.capabilities, name));
  await t.settled("list", async () => {
    const entries = await listAll(t.store, dir);
    const found = namesOf(entries).map(form).sort(byCodePoint);
    const expected = present.map(form).sort(byCodePoint);
    sameNames(found, expected, `the listing of ${dir}`);
    for (const entry of entries) ok(entry.path.startsWith(`${dir}/`), "an entry of a listing lies in the directory listed", entry.path);
  });
  await each(t, present, spell, async (name) => {
    await t.settled("read", async () => sameBytes(await readAll(t.store, `${dir}/${name}`), content(name, all.indexOf(name)), "this name gives its own bytes"));
  });
}

export function sameNames(found: readonly string[], expected: readonly string[], what: string): void {
  const there = new Set(found);
  const wanted = new Set(expected);
  const missing = expected.filter((name) => !there.has(name));
  const foreign = found.filter((name) => !wanted.has(name));
  const twice = found.filter((name, index) => found.indexOf(name) !== index);
  const differences = [
    ...missing.map((name) => `${spell(name)} is missing`),
    ...foreign.map((name) => `${spell(name)} is foreign`),
    ...twice.map((name) => `${spell(name)} is there twice`),
  ];
  if (differences.length > 0)
    fail(`${what} has exactly the names stored, each once`, `${expected.length} names`, `${found.length} names: ${differences.slice(0, 12).join(", ")}`);
}

async function directories(t: CheckContext, dir: string, names: readonly string[]): Promise<void> {
  await each(t, names, spell, async (name, index) => void (await t.store.write(`${dir}/${name}/inside`, content(name, index))));
  await t.settled("list", async () => {
    const entries = await listAll(t.store, dir);
    equal(
      entries.filter((entry) => entry.kind !== "directory").map((entry) => entry.path),
      [],
      "a name that holds a file is a directory",
    );
    sameNames(
      namesOf(entries).map((name) => folded(t.capabilities, name)),
      names.map((name) => folded(t.capabilities, name)),
      `the listing of ${dir}`,
    );
  });
  await each(t, names, spell, async (name, index) => {
    await t.settled("list", async () => equal(namesOf(await listAll(t.store, `${dir}/${name}`)), ["inside"], "a directory of this name lists what is in it"));
    await t.settled("read", async () => sameBytes(await readAll(t.store, `${dir}/${name}/inside`), content(name, index), "a file in a directory of this name"));
  });
}

async function missing(t: CheckContext, path: string, what: string): Promise<void> {
  await t.settled("read", () => rejects("not-found", () => t.store.stat(path), what));
}

/** Every second one first: the others stay. */
async function deleted(t: CheckContext, dir: string, names: readonly string[]): Promise<void> {
  const going = names.filter((_, index) => index % 2 === 0);
  const staying = names.filter((_, index) => index % 2 === 1);
  await each(t, going, spell, async (name) => t.store.delete(`${dir}/${name}`));
  await each(t, going, spell, async (name) => missing(t, `${dir}/${name}`, "a deleted file is gone"));
  if (staying.length > 0) await told(t, dir, staying, names);
  await each(t, staying, spell, async (name) => t.store.delete(`${dir}/${name}`));
  await each(t, staying, spell, async (name) => missing(t, `${dir}/${name}`, "a deleted file is gone"));
}
