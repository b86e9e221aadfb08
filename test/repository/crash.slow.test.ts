/** A repository stops before and after every single step of the catalogue: what it acknowledged is there afterwards, and nothing else is left behind. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listBackups } from "../../src/catalogue/index.ts";
import { Repository, restoreRepository } from "../../src/repository/index.ts";
import type { FileInfo, FileState } from "../../src/repository/index.ts";
import { stopping } from "../catalogue/stopping.ts";
import { lab } from "./lab.ts";
import type { Lab } from "./lab.ts";

/** What is known of files by their key: one of these states with this text; "gone": no row. */
type Known = Map<string, { readonly states: readonly (FileState | "gone")[]; readonly text: string }>;

/** Acknowledged once the next one begins. While one runs both what was and what will be is right. */
class Model {
  readonly known: Known = new Map();
  next: Known = new Map();

  async step<T>(key: string, next: FileState | "gone", text: string, work: () => Promise<T>): Promise<T> {
    return await this.steps([[key, next, text]], work);
  }
  async steps<T>(changes: readonly (readonly [key: string, next: FileState | "gone", text: string])[], work: () => Promise<T>): Promise<T> {
    this.next = new Map(changes.map(([key, next, text]) => [key, { states: [next], text }]));
    const result = await work();
    for (const [key, value] of this.next) this.known.set(key, value);
    this.next = new Map();
    return result;
  }
}

async function program(repo: Repository, l: Lab, model: Model): Promise<void> {
  const a = await model.step("/a", "unpublished", "", () => repo.addFile("/p", { key: "/a" }));
  await model.step("/a", "unpublished", "one", () => repo.write(a, "one"));
  await repo.upload(a);
  await model.step("/a", "unpublished", "one two", () => repo.append(a, " two"));
  await model.step("/a", "published", "one two", () => repo.publish(a));
  const b = await model.step("/b", "unpublished", "moved", () => repo.addLocalFile("/p", join(l.base, "moved"), { key: "/b", move: true }));
  await model.step("/b", "published", "moved", () => repo.publish(b));
  await repo.tagFile(b, "tag");
  await repo.backup();
  await repo.unlink(b);
  await repo.text(b);
  await model.step("/a", "expired", "one two", () => repo.expire(a));
  await model.step("/a", "purged", "one two", () => repo.purge(a));
  await model.steps(
    [
      ["/c", "published", "c"],
      ["/d", "published", "d"],
      ["/b", "expired", "moved"],
    ],
    () =>
      repo.transaction(async (t) => {
        for (const name of ["c", "d"]) {
          const id = await t.addFile("/p", { key: `/${name}` });
          await t.write(id, name);
          await t.publish(id);
        }
        t.expire(b);
      }),
  );
  await repo
    .transaction(async (t) => {
      const id = await t.addFile("/e", { key: "/e" });
      await t.write(id, "e");
      await t.publish(id);
      throw new Error("rolled back");
    })
    .catch((error: unknown) => expect(String(error)).toContain("rolled back"));
  await repo.maintainHost();
  await repo.backup({ keep: 1 });
  await model.step("/a", "gone", "", () => repo.collect({ graceMs: 0 }));
  await model.step("/c", "expired", "c", () => repo.maintainDatabase({ graceMs: 0 }));
  const [c] = await repo.find({ key: "/c" });
  await model.step("/c", "published", "c", () => repo.publish(c as FileInfo));
}

async function afterwards(l: Lab, model: Model): Promise<void> {
  const repo = await l.open();
  expect(repo.opened.missing).toEqual([]);
  // Until what a dead request may still do is over.
  await l.clock.advance(300_000);
  for (const key of new Set([...model.known.keys(), ...model.next.keys()])) {
    const either = [model.known.get(key), model.next.get(key)].filter((each) => each !== undefined);
    const [found] = await repo.find({ key });
    const states = [...either.flatMap(({ states }) => states), ...(model.known.has(key) ? [] : ["gone", "unpublished"])];
    expect(states, `state of ${key}`).toContain(found?.state ?? "gone");
    if (found === undefined || found.state === "purged") continue;
    const texts = [...either.map(({ text }) => text), ...(model.known.has(key) ? [] : [""])];
    const text = found.sha256 === null ? "" : await repo.text(found);
    expect(texts, `text of ${key}`).toContain(text);
  }
  expect(
    (await repo.find()).every(({ key }) => model.known.has(key) || model.next.has(key)),
    "a file that nobody spoke of",
  ).toBe(true);
  // Either the source or the file has the bytes.
  if (!existsSync(join(l.base, "moved"))) expect(await repo.find({ key: "/b" })).toHaveLength(1);
  await repo.maintainHost();
  await repo.maintainDatabase({ graceMs: 0 });
  const report = await repo.verify({ deep: true });
  expect(report).toMatchObject({ missing: [], wrong: [], unknown: [], unsent: [] });
  expect(await repo.status()).toMatchObject({ objects: { stored: report.objects, sending: 0, removing: 0, bad: 0 } });
  expect(await l.main.objects()).toHaveLength(report.objects);
  expect(readdirSync(join(l.base, "hosts/one/incoming"))).toEqual([]);
  const local = (await repo.find()).filter((file) => file.local);
  expect(l.localFiles()).toHaveLength(local.length);
  for (const file of local) expect(readFileSync(await repo.localPath(file)).length).toBe(file.size);
  await repo.close();
  await backupsAreWhole(l);
}

/** Each that is seen can be put back, and where one counts there is one. */
async function backupsAreWhole(l: Lab): Promise<void> {
  const all = await listBackups({ store: l.other.base, label: "repository" });
  for (const { name } of all) {
    await using db = l.catalogueOf(`from ${name}`);
    await restoreRepository({ catalogue: db, backupStore: l.other.base, name });
    expect(await db.query("select 1 as x from repo_file where key = '/a'")).toHaveLength(1);
  }
  await using db = l.catalogueOf();
  // Of those that count the older ones are rotated out.
  if ((await db.query("select 1 as x from repo_backup where finished_ms is not null")).length > 0) expect(all.length).toBeGreaterThan(0);
  expect(await l.other.files()).toHaveLength(all.length);
}

test("stopped before and after every single step of a long program", { timeout: 900_000 }, async () => {
  let last = Infinity;
  let runs = 0;
  for (let at = 1; at <= last; at++) {
    for (const after of [false, true]) {
      await using l = await lab();
      l.source("moved", "moved");
      await (await l.create()).close();
      const inner = l.catalogueOf();
      const { catalogue, stopped, steps, isStopped } = stopping(inner, at, after);
      for (const store of [l.main, l.other]) store.fault = () => (isStopped() ? { hang: true } : undefined);
      const model = new Model();
      const options = {
        catalogue,
        store: l.main.store,
        backupStore: l.other.store,
        directory: join(l.base, "hosts", "one"),
        host: "one",
        clock: l.clock,
        random: () => 0.5,
      };
      const done = Repository.open(options)
        .then(async (repo) => program(repo, l, model))
        .then(
          () => "done" as const,
          (error: unknown) => (isStopped() ? ("done" as const) : Promise.reject(error)),
        );
      if ((await Promise.race([done, stopped])) === "done") last = Math.min(last, steps());
      runs++;
      await inner.close();
      for (const store of [l.main, l.other]) store.fault = undefined;
      try {
        await afterwards(l, model);
      } catch (error) {
        throw new Error(`stopped ${after ? "after" : "before"} step ${at}: ${String(error)}`, { cause: error });
      }
    }
  }
  expect(runs).toBeGreaterThan(200);
});
