/** Services that fold case or Unicode forms: a path is brought to the spelling under which it is known here, so that one file is one row. */
import { StoreError, isInside, root } from "../../store/index.ts";
import type { Capabilities, StorePath } from "../../store/index.ts";
import { pathsOf } from "./barriers.ts";
import type { Core } from "./core.ts";
import type { NodeRow } from "./rows.ts";

export class Spelling {
  /** False: every name is its own. */
  readonly folds: boolean;
  readonly #can: Pick<Capabilities, "caseSensitive" | "normalisation">;

  constructor(can: Pick<Capabilities, "caseSensitive" | "normalisation">) {
    this.#can = can;
    this.folds = !can.caseSensitive || can.normalisation !== "kept";
  }

  /** Equal for names that are one to the service. Rather one too many than one too few: two rows of one file would be two answers. */
  key(name: string): string {
    if (!this.folds) return name;
    const { caseSensitive, normalisation } = this.#can;
    const form = normalisation === "kept" ? name : name.normalize(normalisation === "nfkc" ? "NFKC" : "NFC");
    return caseSensitive ? form : form.toLowerCase().toUpperCase();
  }

  /** Are both one path? @throws StoreError `invalid-path` where a directory would go into itself */
  isOne(from: StorePath, to: StorePath): boolean {
    if (!this.folds) return false;
    const [a, b] = [this.key(from) as StorePath, this.key(to) as StorePath];
    if (a !== b && isInside(b, a)) throw new StoreError("invalid-path", "a directory cannot go into itself", { applied: false });
    return a === b;
  }

  /** The row of a name in a directory, under whatever spelling. */
  child(core: Core, parent: number, name: string): NodeRow | undefined {
    const exact = core.tree.child(parent, name);
    if (exact !== undefined || !this.folds) return exact;
    const key = this.key(name);
    return core.tree.children(parent).find((row) => this.key(row.name) === key);
  }

  /** As the tree, or a pending operation, spells it; else as it was given. */
  known(core: Core, path: StorePath): StorePath {
    if (!this.folds || path === root) return path;
    const names = path.slice(1).split("/");
    for (let parent: number | undefined = 1, i = 0; i < names.length && parent !== undefined; i++) {
      const row: NodeRow | undefined = this.child(core, parent, names[i] as string);
      if (row !== undefined) names[i] = row.name;
      parent = row?.id;
    }
    for (const barrier of core.barriers.all)
      for (const one of pathsOf(barrier)) {
        const own = one.slice(1).split("/");
        if (own.length <= names.length && own.every((name, i) => this.key(name) === this.key(names[i] as string))) names.splice(0, own.length, ...own);
      }
    return `/${names.join("/")}` as StorePath;
  }
}
