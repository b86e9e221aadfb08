/** A repository over stores in memory that fail when told: `await using l = await lab(); const repo = await l.create();` */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sqliteCatalogue } from "../../src/catalogue/index.ts";
import type { Catalogue } from "../../src/catalogue/index.ts";
import { Repository } from "../../src/repository/index.ts";
import type { RepositoryError, RepositoryOptions, RepositoryProblem } from "../../src/repository/index.ts";
import { borrow, manualClock } from "../../src/store/index.ts";
import type { StoreError } from "../../src/store/index.ts";
import { failureOf, faultyStore } from "../catalogue/lab-parts.ts";
import type { FaultyStore, Places } from "../catalogue/lab-parts.ts";
import { scratch } from "../scratch.ts";

export { down, sha } from "../catalogue/lab-parts.ts";
export type { Places } from "../catalogue/lab-parts.ts";

export interface Bucket extends FaultyStore {
  /** Paths of all objects there. */
  objects(): Promise<string[]>;
}
export interface Lab extends AsyncDisposable {
  readonly base: string;
  readonly clock: ReturnType<typeof manualClock>;
  readonly main: Bucket;
  readonly other: Bucket;
  readonly problems: RepositoryProblem[];
  create(options?: Partial<RepositoryOptions>, host?: string): Promise<Repository>;
  /** The same place each time. `host`: another machine over the same stores. */
  open(options?: Partial<RepositoryOptions>, host?: string): Promise<Repository>;
  catalogueOf(name?: string): Catalogue;
  localFiles(host?: string): string[];
  /** A local file with this text. */
  source(text: string | Uint8Array, name?: string): string;
}

export const md5 = (body: string | Uint8Array): string => createHash("md5").update(body).digest("hex");

function bucket(): Bucket {
  const made = faultyStore();
  return Object.assign(made, { objects: () => made.files() });
}

export async function lab(places?: Places): Promise<Lab> {
  const base = mkdtempSync(join(scratch(), "repository-"));
  mkdirSync(join(base, "hosts"));
  const clock = manualClock(Date.UTC(2026, 0, 15));
  const [main, other] = [bucket(), bucket()];
  const place = places?.();
  const catalogueOf = (name = "catalogue"): Catalogue => place?.(name) ?? sqliteCatalogue({ file: join(base, `${name}.db`), flush: false, clock });
  const opened: Repository[] = [];
  const problems: RepositoryProblem[] = [];
  let sources = 0;
  const options = (host: string, more: Partial<RepositoryOptions>): RepositoryOptions => ({
    catalogue: catalogueOf(),
    store: borrow(main.store),
    buckets: { other: borrow(other.store) },
    directory: join(base, "hosts", host),
    host,
    clock,
    random: () => 0.5,
    onProblem: (problem) => void problems.push(problem),
    ...more,
  });
  const kept = (repo: Repository): Repository => (opened.push(repo), repo);
  return {
    base,
    clock,
    main,
    other,
    problems,
    catalogueOf,
    localFiles: (host = "one") => readdirSync(join(base, "hosts", host, "files")),
    source: (text, name = `source${(sources += 1)}`) => {
      writeFileSync(join(base, name), text);
      return join(base, name);
    },
    create: async (more = {}, host = "one") => kept(await Repository.create(options(host, more))),
    open: async (more = {}, host = "one") => kept(await Repository.open(options(host, more))),
    [Symbol.asyncDispose]: async () => {
      for (const repo of opened) await repo.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** An unpublished file with this text. */
export async function added(repo: Repository, path: string, text: string): Promise<number> {
  const id = await repo.addFile(path);
  await repo.write(id, text);
  return id;
}
export async function published(repo: Repository, path: string, text: string): Promise<number> {
  const id = await added(repo, path, text);
  await repo.publish(id);
  return id;
}

export type Failure = Omit<RepositoryError, "code" | "name"> & { readonly name: string; readonly code: RepositoryError["code"] | StoreError["code"] };
export const failure = (work: Promise<unknown>): Promise<Failure> => failureOf(work);
