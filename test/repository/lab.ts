/** A repository over stores in memory that fail when told: `await using l = await lab(); const repo = await l.create();` */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { sqliteCatalogue } from "../../src/catalogue/index.ts";
import type { Catalogue } from "../../src/catalogue/index.ts";
import { memory } from "../../src/providers/memory/index.ts";
import { Repository } from "../../src/repository/index.ts";
import type { RepositoryError, RepositoryOptions, RepositoryProblem } from "../../src/repository/index.ts";
import { borrow, manualClock, stack } from "../../src/store/index.ts";
import type { Call, Store, StoreError } from "../../src/store/index.ts";
import { fault } from "../../src/wrappers/index.ts";
import type { InjectedFault } from "../../src/wrappers/fault.ts";
import { scratch } from "../scratch.ts";

export interface Bucket {
  /** Below the faults. */
  readonly base: Store;
  readonly store: Store;
  /** What happens to a call; undefined: nothing. */
  fault: ((call: Call) => InjectedFault | undefined) | undefined;
  readonly calls: string[];
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

/** Catalogues by name, anew for each lab. */
export type Places = () => (name: string) => Catalogue;

export const sha = (body: string | Uint8Array): string => createHash("sha256").update(body).digest("hex");
export const md5 = (body: string | Uint8Array): string => createHash("md5").update(body).digest("hex");

function bucket(): Bucket {
  const base = memory();
  const made: Bucket = {
    base,
    store: stack(
      base,
      fault({
        rules: (call) => {
          made.calls.push(call.operation);
          return made.fault?.(call);
        },
      }),
    ),
    fault: undefined,
    calls: [],
    objects: async () => (await base.list("/", { recursive: true }).toArray()).filter(({ kind }) => kind === "file").map(({ path }) => path),
  };
  return made;
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
/** What it fails with. */
export async function failure(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error, "it succeeded").toBeInstanceOf(Error);
  return error as Failure;
}

export const down = (): InjectedFault => ({ code: "unavailable" });
