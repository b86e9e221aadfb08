/** Keeps the logs of a service: added on the machine that wrote them, published, found by day on any other. */
import type { Store } from "stratus";
import { RepositoryError } from "stratus/repository";
import type { Catalogue, Repository, RepositoryOptions } from "stratus/repository";

export function options(catalogue: Catalogue, store: Store, directory: string, host: string): RepositoryOptions {
  return { catalogue, store, directory, host, cacheLimitBytes: 50e9 };
}

/** Takes the log and all its tags, or nothing. */
export async function keep(repo: Repository, log: string, when: Date): Promise<number> {
  return await repo.transaction(async (t) => {
    const id = await t.addLocalFile("/logs/web.log", log, { move: true }); // on this disk, flushed
    t.tagDate(id, when, "day"); // day=2026-01-15, week=2026-W03, month=2026-01
    await t.publish(id); // in the store, checked by both hashes; current once the transaction commits
    return id;
  });
}

/** What was logged on this day, wherever it was written. */
export async function read(repo: Repository, day: string): Promise<string[]> {
  const texts: string[] = [];
  for (const file of await repo.findTagged({ all: [`day=${day}`] })) {
    try {
      texts.push(await repo.text(file)); // from this disk, or fetched and checked
    } catch (error) {
      if (RepositoryError.is(error) && error.code === "object-missing") console.log("the store lost", file.path);
      throw error;
    }
  }
  return texts;
}

/** What a timer does, on every machine. */
export async function lookAfter(repo: Repository): Promise<void> {
  const host = await repo.maintainHost(); // stale and least recently used local copies go
  const database = await repo.maintainDatabase(); // superseded versions expire; what nothing wants is collected
  for (const { file, error } of host.failures) console.log(`file ${file}: ${error.message}`);
  for (const { path, error } of database.failures) console.log(`${path} is still in the store: ${error.message}`);
}
