/** A pool over three hosts in memory that fail when told: `await using l = await lab(); const pool = await l.open();` */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { sqliteCatalogue } from "../../src/catalogue/index.ts";
import type { Catalogue } from "../../src/catalogue/index.ts";
import { Pool } from "../../src/pool/index.ts";
import type { PoolError, PoolOptions } from "../../src/pool/index.ts";
import { borrow, manualClock } from "../../src/store/index.ts";
import type { StoreError } from "../../src/store/index.ts";
import { failureOf, faultyStore } from "../catalogue/lab-parts.ts";
import type { FaultyStore, Places } from "../catalogue/lab-parts.ts";
import { scratch } from "../scratch.ts";

export { down, sha } from "../catalogue/lab-parts.ts";
export type { Places } from "../catalogue/lab-parts.ts";

export interface LabHost extends FaultyStore {
  pathOf(hash: string): Promise<string>;
}
export interface Lab extends AsyncDisposable {
  readonly base: string;
  readonly clock: ReturnType<typeof manualClock>;
  readonly hosts: Readonly<Record<string, LabHost>>;
  /** The same place each time. `node`: another cache directory over the same hosts; `catalogue`: another one. */
  open(options?: Partial<PoolOptions>, node?: string, catalogue?: string): Promise<Pool>;
  catalogueOf(name?: string): Catalogue;
  cachedFiles(node?: string): string[];
}

/** So many bytes that no other label has. */
export const bytes = (label: string, size: number): Buffer => Buffer.from(`${label} `.repeat(Math.ceil(size / (label.length + 1)) + 1)).subarray(0, size);

function host(): LabHost {
  const made = faultyStore();
  return Object.assign(made, {
    pathOf: async (hash: string) => {
      const found = (await made.files()).find((path) => path.includes(hash));
      expect(found, `no copy of ${hash}`).toBeDefined();
      return found as string;
    },
  });
}

export async function lab(places?: Places, names: readonly string[] = ["a", "b", "c"]): Promise<Lab> {
  const base = mkdtempSync(join(scratch(), "pool-"));
  mkdirSync(join(base, "nodes"));
  const clock = manualClock(Date.UTC(2026, 0, 15));
  const hosts = Object.fromEntries(names.map((name) => [name, host()]));
  const place = places?.();
  const catalogueOf = (name = "catalogue"): Catalogue => place?.(name) ?? sqliteCatalogue({ file: join(base, `${name}.db`), flush: false, clock });
  const opened: Pool[] = [];
  return {
    base,
    clock,
    hosts,
    catalogueOf,
    cachedFiles: (node = "one") => readdirSync(join(base, "nodes", node, "files")),
    open: async (options = {}, node = "one", catalogue = "catalogue") => {
      const pool = await Pool.open({
        catalogue: catalogueOf(catalogue),
        directory: join(base, "nodes", node),
        capacityBytes: 10_000,
        hosts: Object.fromEntries(Object.entries(hosts).map(([name, { store }]) => [name, borrow(store)])),
        copies: 2,
        clock,
        random: () => 0.5,
        ...options,
      });
      opened.push(pool);
      return pool;
    },
    [Symbol.asyncDispose]: async () => {
      for (const pool of opened) await pool.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

export type Failure = Omit<PoolError, "code" | "name"> & { readonly name: string; readonly code: PoolError["code"] | StoreError["code"] };
export const failure = (work: Promise<unknown>): Promise<Failure> => failureOf(work);
