/** A component of its own, with what is awkward to write down, as backups of a catalogue are tested with. */
import type { BackupComponent, Catalogue, Migration } from "../../src/catalogue/index.ts";

export const things: Migration = {
  name: "things",
  statements: [
    "create table owner(name {text} primary key, joined_ms {int} not null) {strict}",
    "create table thing(id {id}, owner {text} references owner(name), name {text} not null unique, size {int}, weight {real}) {strict}",
    "create table tag(thing {int} not null references thing(id), tag {text} not null, primary key(thing, tag)) {strict}",
    "create table passing(x {int} not null) {strict}",
    "create table registry(host {text} primary key) {strict}",
  ],
};
export const colours: Migration = { name: "colours", statements: ["alter table thing add column colour {text}", "update thing set colour = 'grey'"] };
export const component: BackupComponent = {
  name: "things",
  migrations: [things],
  tables: [{ name: "owner" }, { name: "thing" }, { name: "tag" }, { name: "passing", rows: "left-out" }, { name: "registry", rows: "replaced" }],
};
export const START = Date.UTC(2026, 0, 15, 12, 34, 56, 789);

/** More rows than two pages have, and what is awkward to write down. */
export async function filled(db: Catalogue, rows = 2300): Promise<Catalogue> {
  await db.migrate("things", component.migrations);
  await db.transaction(async (tx) => {
    for (const name of ["äöü 😀", 'quo"te', "line\nbreak", "", "\\u0041"]) await tx.run("insert into owner(name, joined_ms) values(?, ?)", name, START);
    for (let n = 0; n < rows; n++)
      await tx.run("insert into thing(owner, name, size, weight) values(?, ?, ?, ?)", n % 3 === 0 ? null : 'quo"te', `thing ${n}`, n === 7 ? null : n, n / 3);
    await tx.run("update thing set size = ?, weight = ? where name = 'thing 1'", Number.MAX_SAFE_INTEGER, 1.5e-300);
    await tx.run("insert into tag(thing, tag) select id, 'even' from thing where size % 2 = 0");
    // The last ids are given and gone.
    await tx.run("delete from tag where thing > ?", rows - 2);
    await tx.run("delete from thing where id > ?", rows - 2);
    await tx.run("insert into passing(x) values(1)");
    await tx.run("insert into registry(host) values('old')");
  });
  return db;
}

export async function everything(db: Catalogue): Promise<unknown> {
  const all: Record<string, unknown> = {};
  for (const [table, order] of [
    ["owner", "name"],
    ["thing", "id"],
    ["tag", "thing, tag"],
    ["passing", "x"],
    ["registry", "host"],
  ])
    all[table as string] = await db.query(`select * from ${table} order by ${order}`);
  return all;
}
