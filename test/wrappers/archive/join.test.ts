/** The index: learning in any order, and forgetting, gives what a rebuild of the rest gives, table by table. */
import { describe, expect, test } from "vitest";
import type { StorePath } from "../../../src/store/index.ts";
import { archiveId } from "../../../src/wrappers/archive/format/names.ts";
import type { ArchiveRecord, Manifest } from "../../../src/wrappers/archive/format/records.ts";
import { Index } from "../../../src/wrappers/archive/index/index.ts";
import { rules } from "../../../src/wrappers/archive/rules.ts";

const WRITERS = ["aaaaaaaaaa", "bbbbbbbbbb"];
const PATHS = ["/p", "/q", "/d", "/d/x", "/d/y", "/d/y/z"] as StorePath[];

function random(seed: number): (below: number) => number {
  let state = seed + 1;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function manifests(next: (below: number) => number): Manifest[] {
  const all: Manifest[] = [];
  const made: ArchiveRecord[] = [];
  for (let count = 1; count <= 6; count++) {
    const writer = WRITERS[next(2)] as string;
    const timeMs = 100 + count * 3 + next(3);
    const id = archiveId(timeMs, writer, count);
    const records: ArchiveRecord[] = [];
    const tombstones: Manifest["tombstones"][number][] = [];
    for (const path of PATHS) {
      const stamp = [timeMs, writer] as const;
      const kind = next(6);
      const file = { path, stamp, modifiedMs: timeMs, offset: 512, size: next(5), sha256: "A".repeat(43), extra: undefined };
      if (kind === 0) records.push({ kind: "file", ...file });
      else if (kind === 1) records.push({ kind: "reference", at: (all[next(all.length + 1)] ?? { id }).id, ...file });
      else if (kind === 2) records.push({ kind: "directory", path, stamp, modifiedMs: timeMs });
      else if (kind === 3) {
        const old = made.filter((one) => one.path === path);
        const again = old[next(old.length)];
        if (again !== undefined) records.push(again);
      }
      if (next(4) === 0) tombstones.push({ path, upTo: [timeMs - 1 - next(6), WRITERS[next(2)] as string], bornMs: timeMs });
    }
    made.push(...records);
    all.push({ id, writer, timeMs, records, tombstones, claims: [] });
  }
  return all;
}

function learn(index: Index, manifest: Manifest): void {
  index.learn({ manifest, object: `${manifest.id}.5.tar`, bytes: 5000, dataEnd: 4000, learnedMs: 1 });
}

/** Every table, with paths and ids for numbers. */
function dump(index: Index): unknown {
  const name = (id: unknown): string => index.archives.byId(id as number)?.name ?? "";
  const rows = (table: string): string[] =>
    index.db
      .all<Record<string, unknown>>(`select * from ${table}`)
      .map((row) => {
        const path = index.view.pathOf(row as { dir: number; name: string });
        const { dir: _dir, name: _name, home, at, archive, ...rest } = row;
        return JSON.stringify({ path, home: name(home), at: name(at), archive: name(archive), ...rest });
      })
      .sort();
  const archives = index.archives.all().map(({ name: id, records, payload, liveRecords, liveBytes }) => ({ id, records, payload, liveRecords, liveBytes }));
  const children = index.db
    .all<{ id: number; children: number }>("select id, children from dir where children > 0")
    .map(({ id, children: n }) => `${index.view.pathOfDir(id)} ${n}`)
    .sort();
  return { entry: rows("entry"), shadow: rows("shadow"), tomb: rows("tomb"), archives, children };
}

async function fresh(): Promise<Index> {
  return Index.inMemory(rules, (writer) => writer === WRITERS[0]);
}

describe("the join", () => {
  test.each(Array.from({ length: 60 }, (_, seed) => seed))("seed %i: any order, with forgetting, equals a rebuild", async (seed) => {
    const next = random(seed);
    const all = manifests(next);
    const kept = all.filter(() => next(4) > 0);
    const rebuilt = await fresh();
    for (const one of kept) learn(rebuilt, one);
    const shuffled = await fresh();
    for (const one of [...all].sort(() => next(3) - 1)) learn(shuffled, one);
    for (const one of all) if (next(2) === 0) learn(shuffled, one);
    for (const one of all.filter((other) => !kept.includes(other)).sort(() => next(3) - 1)) shuffled.forget(shuffled.archives.byName(one.id)?.id ?? -1);
    expect(dump(shuffled)).toEqual(dump(rebuilt));
    shuffled.rehome();
    expect(dump(shuffled)).toEqual(dump(rebuilt));
    // A directory is shown exactly if something live lies below it, or it has a live record.
    for (const { path, row } of shuffled.view.below("/" as StorePath)) if (row.kind === 3) expect(row.children, path).toBeGreaterThan(0);
    rebuilt.close();
    shuffled.close();
  });

  test("a draft leaves nothing behind", async () => {
    const index = await fresh();
    for (const one of manifests(random(3))) learn(index, one);
    const before = dump(index);
    index.draft({ id: archiveId(999, "aaaaaaaaaa", 99), writer: "aaaaaaaaaa", timeMs: 999 }, (draft) => {
      draft.addRecord({ kind: "directory", path: "/new/deep" as StorePath, stamp: [999, "aaaaaaaaaa"], modifiedMs: 1 });
      draft.addTombstone({ path: "/p" as StorePath, upTo: [500, "a"], bornMs: 1 });
      expect(index.view.row("/new/deep" as StorePath)).toBeDefined();
      expect(index.view.row("/p" as StorePath)).toBeUndefined();
    });
    expect(dump(index)).toEqual(before);
    expect(index.view.row("/new" as StorePath)).toBeUndefined();
    index.close();
  });
});
