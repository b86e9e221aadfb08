/** The rows that may be sent now, the oldest first: each question has its index, so that what has to wait is not looked at again and again. */
import { SMALL_BYTES } from "./parallel.ts";
import type { NodeRow } from "./rows.ts";

/** Of a row `node` that is an implied directory: what makes it when it is sent. */
const MAKES_IT = "from node c where c.parent = node.id and c.dirty = 1 and c.due is not null and (c.kind = 1 or (c.kind = 2 and c.implied <> 0))";
/** Such a directory, which waits for what makes it: to hurry it changes nothing. */
export const FOLLOWS: string = `(kind = 2 and implied <> 0 and exists(select 1 ${MAKES_IT}))`;

const READY = "dirty = 1 and wait is null and due is not null";
export type Which = "all" | "noFiles" | "small";
const WHICH: Readonly<Record<Which, string>> = {
  all: READY,
  // What is sent also while the remote is full: deletes make room, and who asked for a directory gets it.
  noFiles: `${READY} and (kind = 0 or (kind = 2 and implied = 0))`,
  // What needs one place.
  small: `${READY} and (kind <> 1 or size <= ${SMALL_BYTES})`,
};
const INDEX: Readonly<Record<Which, string>> = { all: "node_due", noFiles: "node_rest", small: "node_small" };

/** No part of the format's version: what is missing is made by each opening. */
export const indexes: string = (["all", "noFiles", "small"] as const)
  .map((which) => `create index if not exists ${INDEX[which]} on node(due, id) where ${WHICH[which]};`)
  .join("\n");

export type Candidate = Pick<NodeRow, "id" | "parent" | "name" | "kind" | "size"> & {
  readonly due: number;
  /** Of a directory that the upload of something in it makes, and that does not stand behind it: when that is due. */
  readonly follows: number | null;
};

/** Parameters: now; `due` and `id` of the last row seen; how many. Most of what is seen runs already: no more of a row than says so. */
export const candidates: Readonly<Record<Which, string>> = { all: queryOf("all"), noFiles: queryOf("noFiles"), small: queryOf("small") };

function queryOf(which: Which): string {
  return `select id, parent, name, kind, size, due, case when kind = 2 and implied <> 0 then (select c.due ${MAKES_IT} limit 1) end as follows
    from node indexed by ${INDEX[which]} where ${WHICH[which]} and due <= ? and (due, id) > (?, ?) and (follows is null or follows >= due) order by due, id limit ?`;
}

/** All rows that are pending, by the indices that hold no others: most of a large cache is not. */
export function pendingRows(columns: string): string {
  return [`${INDEX.all} where ${READY}`, "node_wait where wait is not null and dirty = 1 and due is not null", "node_parked where dirty = 1 and due is null"]
    .map((rows) => `select ${columns} from node indexed by ${rows}`)
    .join(" union all ");
}
