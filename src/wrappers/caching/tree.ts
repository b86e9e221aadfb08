/** The tree of rows: the user's view as far as it differs from the remote, or is known beside it. */
import { isInside, parentOf, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import type { Journal } from "./journal.ts";
import { ABSENT, DIRECTORY, FILE } from "./rows.ts";
import type { Kind, NodeRow } from "./rows.ts";
import type { Value } from "./sqlite.ts";

export interface Look {
  /** What the tree says is there; undefined: the tree does not know. */
  readonly known: Kind | undefined;
  /** The row at the path itself. */
  readonly node: NodeRow | undefined;
  /** The newest end of a tree operation on the way: bases older than this are soft. */
  readonly moved: number;
  /** The row that stands in the way where something on the way is no directory. */
  readonly blocker: NodeRow | undefined;
}

type Step = Pick<NodeRow, "id" | "kind" | "moved_gen">;

export type NodeChanges = Partial<Omit<NodeRow, "id">>;
export type NewNode = Pick<NodeRow, "id" | "parent" | "name" | "kind" | "dirty" | "gen"> & NodeChanges;

export class Tree {
  readonly #journal: Journal;
  dirtyFiles = 0;
  dirtyBytes = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.recount();
  }

  recount(): void {
    const { files, bytes } = this.#journal.get<{ files: number; bytes: number }>(
      "select count(*) as files, coalesce(sum(size), 0) as bytes from node where dirty = 1 and kind = 1",
    ) as { files: number; bytes: number };
    this.dirtyFiles = files;
    this.dirtyBytes = bytes;
  }

  row(id: number): NodeRow | undefined {
    return this.#journal.get<NodeRow>("select * from node where id = ?", id);
  }

  child(parent: number, name: string): NodeRow | undefined {
    return this.#journal.get<NodeRow>("select * from node where parent = ? and name = ?", parent, name);
  }

  children(parent: number): NodeRow[] {
    return this.#journal.all<NodeRow>("select * from node where parent = ?", parent);
  }

  /** From the root down, as far as rows lead. */
  look(path: StorePath): Look {
    if (path === root) {
      const node = this.row(1) as NodeRow;
      return { known: DIRECTORY, node, moved: node.moved_gen, blocker: undefined };
    }
    const names = path.slice(1).split("/");
    const last = names.pop() as string;
    // A lookup is made for every step of every call: of the directories on the way no more is read than leads on.
    let { id, moved_gen: moved } = this.#journal.get<Step>("select id, kind, moved_gen from node where id = 1") as Step;
    for (const name of names) {
      const step = this.#journal.get<Step>("select id, kind, moved_gen from node where parent = ? and name = ?", id, name);
      if (step === undefined) return { known: undefined, node: undefined, moved, blocker: undefined };
      moved = Math.max(moved, step.moved_gen);
      if (step.kind !== DIRECTORY) return { known: ABSENT, node: undefined, moved, blocker: this.row(step.id) };
      id = step.id;
    }
    const node = this.child(id, last);
    if (node === undefined) return { known: undefined, node: undefined, moved, blocker: undefined };
    return { known: node.kind, node, moved: Math.max(moved, node.moved_gen), blocker: undefined };
  }

  at(path: StorePath): NodeRow | undefined {
    return this.look(path).node;
  }

  pathOf(node: Pick<NodeRow, "id" | "parent" | "name">): StorePath {
    if (node.id === 1) return root;
    let path = `/${node.name}`;
    for (let id = node.parent; id !== 1;) {
      const up = this.#journal.get<{ parent: number; name: string }>("select parent, name from node where id = ?", id);
      if (up === undefined) break;
      path = `/${up.name}${path}`;
      id = up.parent;
    }
    return path as StorePath;
  }

  /** The row and all below it, parents first. */
  subtree(id: number): NodeRow[] {
    return this.#journal.all<NodeRow>(
      "with recursive t(id, depth) as (select ?, 0 union all select n.id, depth + 1 from node n join t on n.parent = t.id) select n.* from t join node n using(id) order by depth, n.id",
      id,
    );
  }

  insert(node: NewNode): void {
    const columns = Object.keys(node);
    const values = Object.values(node) as Value[];
    this.#journal.run(`insert into node(${columns.join(", ")}) values(${columns.map(() => "?").join(", ")})`, ...values);
    this.#count(node.kind, node.dirty, node.size ?? null, 1);
  }

  update(node: NodeRow, changes: NodeChanges): void {
    const columns = Object.keys(changes);
    const values = Object.values(changes) as Value[];
    this.#journal.run(`update node set ${columns.map((column) => `${column} = ?`).join(", ")} where id = ?`, ...values, node.id);
    this.#count(node.kind, node.dirty, node.size, -1);
    const next = { ...node, ...changes };
    this.#count(next.kind, next.dirty, next.size, 1);
  }

  remove(node: NodeRow): void {
    this.#journal.run("delete from node where id = ?", node.id);
    this.#count(node.kind, node.dirty, node.size, -1);
  }

  #count(kind: Kind, dirty: 0 | 1, size: number | null, by: 1 | -1): void {
    if (kind !== FILE || dirty === 0) return;
    this.dirtyFiles += by;
    this.dirtyBytes += by * (size ?? 0);
  }
}

/** The directories above a path, from the top, the root not. */
export function ancestors(path: StorePath): StorePath[] {
  const found: StorePath[] = [];
  for (let at = parentOf(path); at !== root; at = parentOf(at)) found.push(at);
  return found.reverse();
}

/** One contains, equals or lies inside the other. */
export function related(a: StorePath, b: StorePath): boolean {
  return isInside(a, b) || isInside(b, a);
}
