/** One text for both databases: `?` for values, and words in braces where the two differ. */
import type { Value } from "./types.ts";

export type Dialect = "sqlite" | "postgres";

const WORDS: Readonly<Record<string, Readonly<Record<Dialect, string>>>> = {
  /** A key that the database gives, and never gives twice. */
  id: { sqlite: "integer primary key autoincrement", postgres: "bigint generated always as identity primary key" },
  int: { sqlite: "integer", postgres: "bigint" },
  real: { sqlite: "real", postgres: "double precision" },
  /** Ordered by bytes in both. */
  text: { sqlite: "text", postgres: `text collate "C"` },
  strict: { sqlite: "strict", postgres: "" },
  /** A writing transaction of SQLite has the whole database to itself. */
  "for update": { sqlite: "", postgres: "for update" },
  "for update skip locked": { sqlite: "", postgres: "for update skip locked" },
};

const made: Readonly<Record<Dialect, Map<string, string>>> = { sqlite: new Map(), postgres: new Map() };

/** @throws TypeError for a word that does not exist, and for a quoted `?`, which would be taken for a value */
export function inDialect(sql: string, dialect: Dialect): string {
  const known = made[dialect].get(sql);
  if (known !== undefined) return known;
  if ((sql.match(/'(?:[^']|'')*'/g) ?? []).some((literal) => literal.includes("?")))
    throw new TypeError("a question mark inside a literal: give it as a value");
  let count = 0;
  const text = sql
    .replace(/\{([^}]*)\}/g, (_, word: string) => {
      const found = WORDS[word];
      if (found === undefined) throw new TypeError(`no such word of SQL: {${word}}`);
      return found[dialect];
    })
    .replace(/\?/g, () => (dialect === "postgres" ? `$${(count += 1)}` : "?"));
  made[dialect].set(sql, text);
  return text;
}

/** Checked alike for both, so that what one keeps the other keeps too. */
export function checkValues(values: readonly Value[]): void {
  for (const value of values) {
    if (value === null) continue;
    if (
      typeof value === "string"
        ? value.includes("\0") || !value.isWellFormed()
        : !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))
    )
      throw new TypeError("a value of the catalogue is null, a safe number, or a text without NUL and lone surrogates");
  }
}
