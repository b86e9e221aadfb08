/** Rows of the journal, as SQLite gives them. docs/formats/cache.md says what each column means. */

export const ABSENT = 0;
export const FILE = 1;
export const DIRECTORY = 2;
/** `cond` of a flight that was to find nothing. */
export const IF_ABSENT = 1;
export type Kind = typeof ABSENT | typeof FILE | typeof DIRECTORY;

export interface NodeRow {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
  readonly kind: Kind;
  readonly implied: 0 | 1 | 2;
  readonly dirty: 0 | 1;
  readonly gen: number;
  readonly content: number | null;
  readonly size: number | null;
  readonly modified: number | null;
  readonly ctype: string | null;
  readonly metadata: string | null;
  readonly local: 0 | 1;
  readonly complete: 0 | 1;
  readonly base_kind: Kind | null;
  readonly base_etag: string | null;
  readonly base_size: number | null;
  readonly base_modified: number | null;
  readonly base_hashes: string | null;
  readonly base_crc: number | null;
  readonly base_id: string | null;
  readonly base_gen: number;
  readonly moved_gen: number;
  readonly checked: number | null;
  readonly since: number | null;
  readonly due: number | null;
  readonly wait: number | null;
  readonly tries: number;
  readonly error: string | null;
}

export interface ContentRow {
  readonly id: number;
  readonly refs: number;
  readonly size: number;
  readonly crc: number;
  readonly hashes: string;
  readonly used: number | null;
  readonly data: Buffer | null;
}

export interface FlightRow {
  readonly id: number;
  readonly node: number;
  readonly gen: number;
  readonly kind: Kind;
  readonly path: string;
  readonly content: number | null;
  readonly cond: 0 | 1 | 2;
  readonly started: number;
  readonly doubt: 0 | 1;
}

/** "hold": a call that went to the remote by itself, under a condition: nothing else may happen on its paths until its outcome is settled. */
export type BarrierKind = "delete" | "remove" | "move" | "copy" | "hold";
export interface BarrierRow {
  readonly seq: number;
  readonly kind: BarrierKind;
  readonly src: string;
  readonly dst: string | null;
  readonly tree: 0 | 1;
  readonly run: 0 | 1;
  readonly doubt: 0 | 1;
  readonly fresh: 0 | 1;
  readonly step: 0 | 1;
  readonly tries: number;
  readonly due: number | null;
  readonly error: string | null;
}

export interface ItemRow {
  readonly seq: number;
  readonly path: string;
  readonly etag: string | null;
}

/** Begins a statement: `t` holds the id of a row, which is its first parameter, and of all rows below. */
export const SUBTREE = "with recursive t(id) as (select ? union all select n.id from node n join t on n.parent = t.id)";
