/** The catalogue: tables in SQLite or PostgreSQL, behind four verbs. */

/** What a `?` may stand for. Integers are safe integers; a text has no NUL and no lone surrogate, for PostgreSQL cannot keep them. */
export type Value = number | string | null;

/** Rows come as plain objects by column name; integers as numbers. */
export interface Queryable {
  /** All rows. @throws StoreError */
  query<R>(sql: string, ...values: readonly Value[]): Promise<R[]>;
  /** Gives the number of rows that changed. @throws StoreError */
  run(sql: string, ...values: readonly Value[]): Promise<number>;
}

export interface Transaction extends Queryable {
  /** Waits until no other transaction that locked this key runs; held until this one ends. For what rows alone cannot guard. */
  lock(key: string): Promise<void>;
  /** False where somebody holds this key, this process included (`Catalogue.hold`). True: nobody can take it until this transaction ends. Never waits. */
  free(key: string): Promise<boolean>;
}

/** Held until disposed, until the catalogue is closed, or until this process dies: by the database itself, so that nothing stays behind. */
export interface Hold extends AsyncDisposable {
  readonly key: string;
  /** True once the connection that held it broke: somebody else may have it now. */
  readonly lost: boolean;
}

/**
 * Texts are SQL that both databases understand, with `?` for values and the words of `sql.ts` in braces where the two differ. Errors are StoreErrors: `config` (not ours, newer, missing
 * package or directory), `conflict` (in use, deadlock), `already-exists` (unique constraint), `unavailable`, `no-space`, `unauthenticated`, `permission-denied`, `corrupt`, `closed`.
 */
export interface Catalogue extends Queryable, AsyncDisposable {
  readonly kind: "sqlite" | "postgres";
  /**
   * Brings the tables of one component to the newest version this release knows, each step in one transaction with its number. Does nothing where they are there already. Opens the
   * catalogue; nothing did before. @throws StoreError `config` for a newer one, another program's, or one whose steps are not these; nothing is touched then
   */
  migrate(component: string, migrations: readonly Migration[]): Promise<void>;
  /**
   * All or nothing. Inside only `tx` may be used, not the catalogue (TypeError). After a deadlock the work runs again, so it changes nothing but the catalogue. Where the connection
   * breaks during the commit, the error is `unavailable` with `applied` "unknown".
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Null where somebody else holds this key: another process, machine, or another part of this program; or a transaction that found it free and has not ended. Never waits. */
  hold(key: string): Promise<Hold | null>;
  /** Waits for running transactions. Later calls reject with `closed`; a second close waits for the first. */
  close(): Promise<void>;
}

/** The n-th of a component is version n. Never changed once released. */
export interface Migration {
  /** A few words; kept in the catalogue, so that one of another history is noticed. */
  readonly name: string;
  /** Single statements. */
  readonly statements: readonly string[];
}
