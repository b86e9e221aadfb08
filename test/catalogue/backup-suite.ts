/** Backups of a catalogue, the same for both databases. `place` gives an empty one each time. */
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { BackupError, backupCatalogue, listBackups, restoreCatalogue } from "../../src/catalogue/index.ts";
import type { BackupComponent, BackupErrorCode, Catalogue } from "../../src/catalogue/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { borrow, byteStream, layer, manualClock, readBytes, stack, uniform } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { fault } from "../../src/wrappers/index.ts";
import { START, colours, component, everything, filled, things } from "./backup-things.ts";

export type EmptyCatalogue = () => Catalogue;

const newer: BackupComponent = { ...component, migrations: [things, colours] };
async function code(work: Promise<unknown>): Promise<BackupErrorCode | undefined> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (BackupError.is(error)) return error.code;
  throw new Error("it did not fail as a backup", { cause: error });
}

/** The lines of the only backup, changed, with a checksum that is right again unless told otherwise. */
async function forged(store: Store, change: (lines: string[]) => string[], honest = true): Promise<void> {
  const [backup] = await listBackups({ store });
  const lines = change(
    gunzipSync(await readBytes(store, backup?.path as string))
      .toString()
      .trimEnd()
      .split("\n"),
  );
  if (honest) {
    const end = JSON.parse(lines.at(-1) as string) as Record<string, unknown>;
    const body = lines.slice(0, -1).map((line) => `${line}\n`);
    const sha256 = createHash("sha256").update(body.join("")).digest("hex");
    lines[lines.length - 1] = JSON.stringify({ ...end, rows: body.length - 1, sha256 });
  }
  await store.write(backup?.path as string, gzipSync(`${lines.join("\n")}\n`));
}
const header = (change: (fields: Record<string, unknown>) => object) => (lines: string[]) => [
  JSON.stringify(change(JSON.parse(lines[0] as string) as Record<string, unknown>)),
  ...lines.slice(1),
];

/** A service that gives other bytes than it was given. */
const flip = () =>
  layer("flip", (inner) => ({
    backend: uniform(inner, {
      around: (call, next) => next(call),
      read: async (call, next) => {
        const reply = await next(call);
        const { body } = reply;
        let first = true;
        const pull = async (): Promise<Uint8Array | undefined> => {
          const chunk = await body.pull();
          if (chunk === undefined || !first) return chunk;
          first = false;
          return Uint8Array.from(chunk, (byte, index) => (index === 20 ? byte ^ 1 : byte));
        };
        return { ...reply, body: byteStream({ length: body.length, pull, close: () => body.close() }) };
      },
    }),
    identity: () => "flip:1",
  }));

export function backupTests(kind: string, empty: EmptyCatalogue): void {
  describe(`backups of a catalogue on ${kind}`, () => {
    test("S3R25 S3R26 one compressed file that says what it is; put back, all rows are equal and no id comes twice", async () => {
      await using store = memory();
      await using db = await filled(empty());
      const before = (await everything(db)) as Record<string, unknown[]>;
      const report = await backupCatalogue({ catalogue: db, components: [component], store, clock: manualClock(START) });
      expect(report).toMatchObject({ tables: { owner: 5, thing: 2298, registry: 1 }, madeMs: START, removed: [], failures: [] });
      expect(report.path).toMatch(/^\/catalogue-backups\/catalogue\.20260115T123456789Z\.[0-9a-f]{8}\.jsonl\.gz$/);
      const bytes = await readBytes(store, report.path);
      expect([bytes.length, createHash("sha256").update(bytes).digest("hex")]).toEqual([report.size, report.sha256]);
      expect(JSON.parse(gunzipSync(bytes).toString().split("\n")[0] as string)).toMatchObject({
        format: "stratus-catalogue-backup",
        version: 1,
        components: [{ name: "things", steps: ["things"] }],
      });

      await using other = empty();
      // As an opening leaves it.
      await other.migrate("things", component.migrations);
      await other.run("insert into registry(host) values('new')");
      expect(await restoreCatalogue({ catalogue: other, components: [component], store })).toEqual({
        name: report.name,
        madeMs: START,
        tables: report.tables,
      });
      expect(await everything(other)).toEqual({ ...before, passing: [] });
      const [row] = await other.query<{ readonly id: number }>("insert into thing(name) values('next') returning id");
      expect(row?.id).toBe(2301);
      await other.migrate("things", component.migrations);
    });

    test("an older backup is brought up to this release, a newer one is refused", async () => {
      await using store = memory();
      await using db = await filled(empty(), 20);
      await backupCatalogue({ catalogue: db, components: [component], store });
      await using upgraded = empty();
      // Made by the newer release already: empty, but with other columns.
      await upgraded.migrate("things", newer.migrations);
      const settled: number[] = [];
      const settle: BackupComponent["settle"] = async (tx, now) => {
        settled.push(now);
        await tx.run("update thing set colour = 'settled' where id = 1");
      };
      await restoreCatalogue({ catalogue: upgraded, components: [{ ...newer, settle }], store, clock: manualClock(7) });
      expect(settled).toEqual([7]);
      expect(await upgraded.query("select colour, count(*) as n from thing group by colour order by colour")).toEqual([
        { colour: "grey", n: 17 },
        { colour: "settled", n: 1 },
      ]);
      await upgraded.migrate("things", newer.migrations);
      await backupCatalogue({ catalogue: upgraded, components: [newer], store });
      await using old = empty();
      expect(await code(restoreCatalogue({ catalogue: old, components: [component], store }))).toBe("unknown-version");
    });

    test("S3R26 without a backup, without one of this name, or into a catalogue with rows nothing is done", async () => {
      await using store = memory();
      await using db = await filled(empty(), 20);
      const restore = (catalogue: Catalogue, name?: string): Promise<unknown> => restoreCatalogue({ catalogue, components: [component], store, name });
      await using other = empty();
      expect(await code(restore(other))).toBe("no-backup");
      const { name } = await backupCatalogue({ catalogue: db, components: [component], store });
      expect(await code(restore(other, "catalogue.20260115T123456789Z.00000000.jsonl.gz"))).toBe("no-backup");
      const before = await everything(db);
      expect(await code(restore(db))).toBe("not-empty");
      expect(await everything(db)).toEqual(before);
      await restore(other, name);
      expect(await code(restore(other, name))).toBe("not-empty");
      await using bare = empty();
      await expect(backupCatalogue({ catalogue: bare, components: [component], store })).rejects.toMatchObject({ code: "config" });
    });

    test("S3R27 rotation keeps the set number of this label, newest first, also where the clock was set back", async () => {
      await using store = memory();
      await using db = await filled(empty(), 3);
      const made: string[] = [];
      await backupCatalogue({ catalogue: db, components: [component], store, label: "another" });
      await store.write("/catalogue-backups/catalogue.readme.txt", "not a backup");
      for (const at of [START, START + 1000, START - 86_400_000, START + 500]) {
        const { name, removed } = await backupCatalogue({ catalogue: db, components: [component], store, keep: 2, clock: manualClock(at) });
        expect(removed).toEqual(made.length < 2 ? [] : [made[made.length - 2]]);
        made.push(name);
        expect((await listBackups({ store })).map((backup) => backup.name)).toEqual(made.slice(-2).toReversed());
      }
      expect(await listBackups({ store, label: "another" })).toHaveLength(1);
      expect(await store.list("/catalogue-backups").toArray()).toHaveLength(4);
      for (const keep of [0, -1, 1.5, NaN])
        await expect(backupCatalogue({ catalogue: db, components: [component], store, keep })).rejects.toMatchObject({ code: "config" });
      await expect(backupCatalogue({ catalogue: db, components: [component], store, label: "../x" })).rejects.toMatchObject({ code: "config" });
    });

    test("a backup that fails, or comes back with other bytes, takes no older one with it", async () => {
      await using base = memory();
      await using db = await filled(empty(), 3);
      const old = await backupCatalogue({ catalogue: db, components: [component], store: base });
      const failing = stack(borrow(base), fault({ rules: ({ operation }) => (operation === "write" ? { code: "unavailable" } : undefined) }));
      const flipping = stack(borrow(base), flip());
      const backup = (store: Store): Promise<unknown> => backupCatalogue({ catalogue: db, components: [component], store, keep: 1 });
      await expect(backup(failing)).rejects.toMatchObject({ code: "unavailable" });
      expect((await listBackups({ store: base })).map(({ name }) => name)).toEqual([old.name]);
      await expect(backup(flipping)).rejects.toMatchObject({ code: "integrity" });
      expect((await listBackups({ store: base })).map(({ name }) => name)).toEqual([old.name]);
      const hold = await db.hold("backup");
      await expect(backup(base)).rejects.toMatchObject({ code: "conflict" });
      await hold?.[Symbol.asyncDispose]();
      await backup(base);
    });

    test("what is written meanwhile is in the backup whole or not at all", async () => {
      await using store = memory();
      await using db = await filled(empty(), 3000);
      let writing = true;
      let pairs = 0;
      const writer = (async () => {
        for (; writing; pairs++) {
          // On SQLite a transaction is over before anything else gets its turn.
          await new Promise((done) => setImmediate(done));
          await db.transaction(async (tx) => {
            // The first lies in a table that is read early, the second in one that is read late.
            await tx.run("insert into owner(name, joined_ms) values(?, 1)", `pair ${pairs}`);
            await tx.run("insert into thing(name, owner) values(?, ?)", `pair ${pairs}`, `pair ${pairs}`);
          });
        }
      })();
      for (let n = 0; n < 3; n++) {
        await backupCatalogue({ catalogue: db, components: [component], store });
        await using other = empty();
        await restoreCatalogue({ catalogue: other, components: [component], store });
        const [row] = await other.query<{ readonly owners: number; readonly things: number }>(
          "select (select count(*) from owner where name like 'pair %') as owners, (select count(*) from thing where name like 'pair %') as things",
        );
        expect(row?.things).toBe(row?.owners);
      }
      writing = false;
      await writer;
      expect(pairs).toBeGreaterThan(0);
    });

    const hostile: readonly (readonly [what: string, change: (lines: string[]) => string[], code: BackupErrorCode, honest?: boolean])[] = [
      ["another format", header((fields) => ({ ...fields, format: "tar" })), "bad-backup"],
      ["no header", (lines) => lines.slice(1), "bad-backup"],
      ["a newer format", header((fields) => ({ ...fields, version: 2 })), "unknown-version"],
      ["another component", header((fields) => ({ ...fields, components: [{ name: "others", steps: ["things"] }] })), "bad-backup"],
      ["another history", header((fields) => ({ ...fields, components: [{ name: "things", steps: ["thongs"] }] })), "bad-backup"],
      ["a newer step", header((fields) => ({ ...fields, components: [{ name: "things", steps: ["things", "colours"] }] })), "unknown-version"],
      ["a table less", header((fields) => ({ ...fields, tables: (fields["tables"] as object[]).slice(0, 3) })), "bad-backup"],
      ["a table of others", (lines) => [(lines[0] as string).replace('"registry"', '"passing"'), ...lines.slice(1)], "bad-backup"],
      ["an evil name", (lines) => [(lines[0] as string).replace('"registry"', '"registry\\"; drop table owner; --"'), ...lines.slice(1)], "bad-backup"],
      ["a column less", (lines) => [(lines[0] as string).replace('["joined_ms","int"]', '["joined","int"]'), ...lines.slice(1)], "bad-backup"],
      ["ids at their end", (lines) => [(lines[0] as string).replace('"last_id":20', '"last_id":9007199254740991'), ...lines.slice(1)], "bad-backup"],
      ["a row less", (lines) => lines.toSpliced(3, 1), "bad-backup"],
      ["a row twice", (lines) => lines.toSpliced(3, 0, lines[3] as string), "bad-backup"],
      ["a key twice", (lines) => lines.with(3, lines[2] as string), "bad-backup"],
      ["a reference to nothing", (lines) => lines.with(7, '[2,"nobody","x",1,1]'), "bad-backup"],
      ["null where nothing may be null", (lines) => lines.with(7, "[2,null,null,1,1]"), "bad-backup"],
      ["a text for a number", (lines) => lines.with(7, '[2,null,"x","1",1]'), "bad-backup"],
      ["a number that is none of ours", (lines) => lines.with(7, '[2,null,"x",1e17,1]'), "bad-backup"],
      ["a NUL", (lines) => lines.with(7, '[2,null,"\\u0000",1,1]'), "bad-backup"],
      ["half a character", (lines) => lines.with(7, '[2,null,"\\ud800",1,1]'), "bad-backup"],
      ["an object", (lines) => lines.with(7, '[2,null,{"$ne":1},1,1]'), "bad-backup"],
      ["a row too long", (lines) => lines.with(7, `[2,null,"${"x".repeat(17 << 20)}",1,1]`), "bad-backup"],
      ["no end", (lines) => lines.slice(0, -1), "bad-backup", false],
      ["something behind the end", (lines) => [...lines, "[1]"], "bad-backup", false],
      ["a wrong checksum", (lines) => lines.with(7, '[2,null,"other",1,1]'), "bad-backup", false],
    ];
    for (const [what, change, expected, honest] of hostile)
      test(`a backup with ${what} is refused and changes nothing`, async () => {
        await using store = memory();
        await using db = await filled(empty(), 20);
        await backupCatalogue({ catalogue: db, components: [component], store });
        await forged(store, change, honest);
        await using other = empty();
        await other.migrate("things", component.migrations);
        await other.run("insert into registry(host) values('mine')");
        const before = await everything(other);
        expect(await code(restoreCatalogue({ catalogue: other, components: [component], store }))).toBe(expected);
        expect(await everything(other)).toEqual(before);
        await backupCatalogue({ catalogue: db, components: [component], store });
        await restoreCatalogue({ catalogue: other, components: [component], store });
      });

    test("cut off or changed at any place, or no backup at all: refused, and nothing is changed", async () => {
      await using store = memory();
      await using db = await filled(empty(), 20);
      const { path } = await backupCatalogue({ catalogue: db, components: [component], store });
      const whole = await readBytes(store, path);
      await using other = empty();
      const refused = async (bytes: Uint8Array): Promise<void> => {
        await store.write(path, bytes);
        expect(await code(restoreCatalogue({ catalogue: other, components: [component], store }))).toBe("bad-backup");
      };
      for (let cut = 0; cut < whole.length; cut += 37) await refused(whole.subarray(0, cut));
      // The first ten bytes are gzip's own, and some of them mean nothing.
      for (let at = 10; at < whole.length - 4; at += 29) await refused(whole.map((byte, index) => (index === at ? byte ^ 4 : byte)));
      for (const text of ["", "hello", "{}", "SQLite format 3\0"]) {
        await refused(Buffer.from(text));
        await refused(gzipSync(text));
      }
      await refused(gzipSync(Buffer.from([0xff, 0xfe, 0x0a])));
      await store.write(path, whole);
      await restoreCatalogue({ catalogue: other, components: [component], store });
      expect((await everything(other)) as object).toMatchObject({ registry: [{ host: "old" }] });
    });
  });
}
