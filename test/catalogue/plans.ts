/** What SQLite looks at to answer a question: nothing that is done with one file may look at all files. No clock is asked, the database says how it would go about it. */
import type { Catalogue, Transaction, Value } from "../../src/catalogue/index.ts";

export interface Asked {
  readonly sql: string;
  readonly values: readonly Value[];
}

/** A catalogue that notes every question. */
export function noting(inner: Catalogue, asked: Asked[]): Catalogue {
  const noted = <T>(sql: string, values: readonly Value[], answer: Promise<T>): Promise<T> => {
    asked.push({ sql, values });
    return answer;
  };
  const inside = (tx: Transaction): Transaction => ({
    query: (sql, ...values) => noted(sql, values, tx.query(sql, ...values)),
    run: (sql, ...values) => noted(sql, values, tx.run(sql, ...values)),
    lock: (key) => tx.lock(key),
    free: (key) => tx.free(key),
  });
  return {
    kind: inner.kind,
    migrate: (component, migrations) => inner.migrate(component, migrations),
    query: (sql, ...values) => noted(sql, values, inner.query(sql, ...values)),
    run: (sql, ...values) => noted(sql, values, inner.run(sql, ...values)),
    transaction: (work) => inner.transaction((tx) => work(inside(tx))),
    hold: (key) => inner.hold(key),
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
}

/**
 * Steps that look at a whole table or index, or at all that one node or host has, with their question. `small`: tables that have few rows whatever the catalogue holds, and indexes of what is still
 * to be done.
 */
export async function wideSteps(db: Catalogue, asked: readonly Asked[], small: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const few = new RegExp(`\\b(?:${small.join("|")})\\b`);
  for (const { sql, values } of asked) {
    if (!/^\s*(?:select|update|delete|insert)\b/.test(sql)) continue;
    const steps = await db.query<{ readonly detail: string }>(`explain query plan ${sql}`, ...values);
    for (const { detail } of steps) {
      // In the order of the index, until there are enough.
      if (steps.every((step) => !step.detail.includes("TEMP B-TREE")) && /\blimit \d+\s*$/.test(sql) && detail.startsWith("SEARCH")) continue;
      const wide = /^SCAN (?!CONSTANT)/.test(detail) || /^SEARCH .*\((?:node|host|origin|state)=\?\)$/.test(detail);
      if (wide && !few.test(detail.replace(/ \(.*$/, ""))) found.add(`${detail}: ${sql}`);
    }
  }
  return [...found];
}
