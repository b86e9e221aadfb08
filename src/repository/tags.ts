/** Tags of files, of paths (all versions), and of dates. */
import type { Transaction } from "../catalogue/index.ts";
import { pathRow } from "./add.ts";
import type { Core } from "./core.ts";
import { RepositoryError } from "./errors.ts";
import { checkPath } from "./names.ts";

export type DateGranularity = "hour" | "day" | "week" | "month";

/** @throws RepositoryError `bad-query` */
export function checkTag(tag: string): string {
  if (typeof tag !== "string" || !/^[^\0-\x1f\x7f]{1,200}$/.test(tag) || !tag.isWellFormed())
    throw new RepositoryError("bad-query", "a tag is a text of 1 to 200 characters, none of them a control character");
  return tag;
}

/**
 * In UTC, as `hour=2013-04-24T07`, `day=2013-04-24`, `week=2013-W17` (ISO 8601), `month=2013-04`. An hour carries its day, week and month too, a day its week and month; week and month
 * stand alone, for neither contains the other.
 */
export function dateTags(when: Date | number, granularity: DateGranularity): string[] {
  const date = new Date(when);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9998)
    throw new RepositoryError("bad-query", "this is no date of the years 1 to 9998");
  const text = date.toISOString();
  const tags: Readonly<Record<DateGranularity, string>> = {
    hour: `hour=${text.slice(0, 13)}`,
    day: `day=${text.slice(0, 10)}`,
    week: `week=${weekOf(date)}`,
    month: `month=${text.slice(0, 7)}`,
  };
  const { hour, day, week, month } = tags;
  if (granularity === "hour") return [hour, day, week, month];
  if (granularity === "day") return [day, week, month];
  if (granularity !== "week" && granularity !== "month") throw new RepositoryError("bad-query", "a date is tagged by hour, day, week or month");
  return [tags[granularity]];
}

/** The week that has the Thursday, and the year of that Thursday. */
function weekOf(date: Date): string {
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 4 - (date.getUTCDay() || 7)));
  const first = new Date(0);
  first.setUTCFullYear(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - first.getTime()) / (7 * 86_400_000)) + 1;
  return `${String(thursday.getUTCFullYear()).padStart(4, "0")}-W${String(week).padStart(2, "0")}`;
}

export async function tagFileIn(core: Core, tx: Transaction, id: number, tags: readonly string[], pending: string | null): Promise<void> {
  const row = await core.locked(tx, id, pending);
  if (row.purged_ms !== null) throw new RepositoryError("illegal-transition", "it was purged", { file: id });
  for (const tag of tags)
    await tx.run("insert into repo_file_tag(file, tag, tagged_ms) values(?, ?, ?) on conflict(file, tag) do nothing", id, checkTag(tag), core.now());
}

export async function untagFileIn(core: Core, tx: Transaction, id: number, tags: readonly string[], pending: string | null): Promise<void> {
  await core.locked(tx, id, pending);
  for (const tag of tags) await tx.run("delete from repo_file_tag where file = ? and tag = ?", id, checkTag(tag));
}

export async function tagPathIn(core: Core, tx: Transaction, path: string, tags: readonly string[]): Promise<void> {
  const { id } = await pathRow(tx, checkPath(path));
  for (const tag of tags)
    await tx.run("insert into repo_path_tag(path, tag, tagged_ms) values(?, ?, ?) on conflict(path, tag) do nothing", id, checkTag(tag), core.now());
}

export async function untagPathIn(tx: Transaction, path: string, tags: readonly string[]): Promise<void> {
  const [row] = await tx.query<{ readonly id: number }>("select id from repo_path where path = ?", checkPath(path));
  if (row !== undefined) for (const tag of tags) await tx.run("delete from repo_path_tag where path = ? and tag = ?", row.id, checkTag(tag));
}

/** Its own, and those of its path. */
export async function tagsOf(core: Core, id: number): Promise<string[]> {
  const rows = await core.db.query<{ readonly tag: string }>(
    "select tag from repo_file_tag where file = ? union select t.tag from repo_path_tag t join repo_file f on f.path = t.path where f.id = ? order by tag",
    id,
    id,
  );
  return rows.map(({ tag }) => tag);
}
