/** The real layer as programs run it: `subject()`, or with one rule turned around. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { cachingWith } from "../../../../src/wrappers/caching/index.ts";
import type { CachingOptions } from "../../../../src/wrappers/caching/index.ts";
import { rules } from "../../../../src/wrappers/caching/rules.ts";
import type { Rules } from "../../../../src/wrappers/caching/rules.ts";
import type { Subject } from "./subject.ts";
import { INLINE_BYTES } from "./versions.ts";

export function subject(bug: Partial<Rules> = {}, more: Partial<CachingOptions> = {}): Subject {
  return {
    name: `caching${Object.entries(bug).map(([rule, value]) => `, ${rule}: ${String(value)}`)}`,
    persistent: true,
    async start({ directory, remote, clock, setup, durability, point }) {
      const killed = new AbortController();
      const layer = cachingWith(
        { ...rules, ...bug },
        {
          directory,
          durability,
          clock,
          // The middle of each random wait.
          random: () => 0.5,
          mode: setup.mode,
          unknownPaths: setup.unknownPaths,
          freshMs: setup.freshMs,
          cacheBytes: setup.cacheBytes,
          inlineBytes: INLINE_BYTES,
          minFreeBytes: 0,
          uploadDelayMs: 1000,
          maxDelayMs: 5000,
          ...more,
        },
        { step: point, killed: killed.signal, reserveBytes: 0 },
      );
      const store = layer(remote);
      const { caching } = store.layers;
      await store.open();
      return {
        store,
        flush: () => caching.flush(),
        pending: () => {
          const { barriers, inDoubt } = caching.report();
          return [
            ...caching.dirty().map(({ path, change }) => `${change} ${path}`),
            ...(barriers === 0 ? [] : [`${barriers} barriers`]),
            ...(inDoubt === 0 ? [] : [`${inDoubt} in doubt`]),
          ];
        },
        evict: (path) => caching.evict(path),
        refresh: (path) => caching.refresh(path),
        abandon: () => killed.abort(),
      };
    },
    check: faultsOf,
  };
}

/** Of a directory whose owner has left it: content that nobody names, or that is named and not there, and counts that are wrong (cache.md 1.7, 3). */
export function faultsOf(directory: string): string[] {
  const database = new Database(join(directory, "journal.db"));
  try {
    const faults: string[] = [];
    const integrity = database.pragma("integrity_check", { simple: true });
    if (integrity !== "ok") faults.push(`integrity_check: ${String(integrity)}`);
    const wrong = database
      .prepare(
        `select id, refs, (select count(*) from node where content = content.id) + (select count(*) from flight where content = content.id) as named
         from content where refs <> named or named = 0`,
      )
      .all() as { id: number; refs: number; named: number }[];
    for (const { id, refs, named } of wrong) faults.push(`content ${id} has ${refs} references and is named ${named} times`);
    faults.push(...straysIn(directory, database));
    for (const table of ["flight", "barrier"]) {
      const left = database.prepare(`select count(*) from ${table}`).pluck().get() as number;
      if (left > 0) faults.push(`${left} rows are left in ${table}`);
    }
    return faults;
  } finally {
    database.close();
  }
}

/** Content files that no row names, and rows whose file is not there. */
function straysIn(directory: string, database: Database.Database): string[] {
  const named = database.prepare("select id from content where data is null").pluck().all() as number[];
  const found = readdirSync(join(directory, "content"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  if (found.length === named.length) return [];
  return [`${found.length} content files (${found.map(({ name }) => name).join(" ")}) for ${named.length} rows (${named.map((id) => id % 2 ** 32).join(" ")})`];
}
