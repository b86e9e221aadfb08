/** Own changes: held while they run, and what they told put into the tree when they end. */
import { hasCode, nameOf, parentOf, root } from "../../store/index.ts";
import type { Backend, CopyCall, DeleteCall, Entry, MkdirCall, MoveCall, StorePath, WriteCall } from "../../store/index.ts";
import { absent, someDirectory } from "./fact.ts";
import type { Fact } from "./fact.ts";
import type { Hold } from "./holds.ts";
import type { MetadataMemory } from "./memory.ts";

type ChangeCall = WriteCall | DeleteCall | MkdirCall | CopyCall | MoveCall;
/** One path that a change concerns. */
interface Part {
  readonly path: StorePath;
  /** As the caller spelled it. */
  readonly given: StorePath;
  readonly reach: "self" | "tree";
  /** Its key is that of a directory around it: of the name itself nothing is remembered. */
  readonly vague: boolean;
}

export class Changes {
  readonly #inner: Backend;
  readonly #memory: MetadataMemory;

  constructor(inner: Backend, memory: MetadataMemory) {
    this.#inner = inner;
    this.#memory = memory;
  }

  write(call: WriteCall): Promise<Entry> {
    return this.#makes(call, call.path, "self", () => this.#inner.write(call));
  }

  mkdir(call: MkdirCall): Promise<Entry> {
    return this.#makes(call, call.path, "self", () => this.#inner.mkdir(call));
  }

  copy(call: CopyCall): Promise<Entry> {
    return this.#makes(call, call.to, "tree", () => this.#inner.copy(call));
  }

  delete(call: DeleteCall): Promise<void> {
    const target = this.#part(call.path, "tree");
    return this.#run(
      call,
      [target],
      undefined,
      target,
      () => this.#inner.delete(call),
      () => this.#deleted(target.path, call.recursive),
    );
  }

  move(call: MoveCall): Promise<Entry> {
    const source = this.#part(call.path, "tree");
    const target = this.#part(call.to, "tree");
    return this.#run(
      call,
      [source, target],
      target,
      source,
      () => this.#inner.move(call),
      (made, part) => {
        if (part === target) this.#made(target.path, made, "tree");
        else this.#moved(source.path, made.kind);
      },
    );
  }

  #makes(call: ChangeCall, path: StorePath, reach: "self" | "tree", run: () => Promise<Entry>): Promise<Entry> {
    const target = this.#part(path, reach);
    return this.#run(call, [target], target, undefined, run, (made) => this.#made(target.path, made, reach));
  }

  #part(path: StorePath, reach: "self" | "tree"): Part {
    const { naming } = this.#memory;
    const key = naming.key(path);
    return key === undefined ? { path: naming.nearest(path), given: path, reach: "tree", vague: true } : { path: key, given: path, reach, vague: false };
  }

  /**
   * `makes` may make its parents, `empties` may take them along. What is known stays until the change ends, so that who asks meanwhile sees the old state; how it ended
   * decides then.
   */
  async #run<T>(
    call: ChangeCall,
    parts: readonly Part[],
    makes: Part | undefined,
    empties: Part | undefined,
    run: () => Promise<T>,
    patch: (result: T, part: Part) => void,
  ): Promise<T> {
    const memory = this.#memory;
    const { holds, rules, tree, touches } = memory;
    const since = touches.now;
    const parents = makes === undefined ? [] : rules.heldParents(makes.path, (directory) => memory.isKnownDirectory(directory));
    for (const path of parents) tree.forgetEntry(path);
    const made = parents.map((path) => holds.begin(path, "made"));
    const vanishing = empties === undefined ? [] : rules.vanishing(empties.path, memory.capabilities).map((path) => holds.begin(path, "emptied"));
    const held = parts.map((part) => holds.begin(part.path, part.reach));
    const release = (): void => {
      for (const hold of [...held, ...vanishing, ...made]) holds.end(hold);
    };
    let result: T;
    try {
      result = await run();
    } catch (error) {
      release();
      if (rules.mayHaveHappened(error, call.operation)) {
        for (const part of parts) this.#unsure(part);
        if (makes !== undefined) this.#refute(makes.path);
        for (const hold of [...made, ...vanishing]) this.#unsureEntry(hold.path);
        this.#age(held);
      } else this.#refused(error, parts, makes);
      throw error;
    }
    // Something came or went in what this change has made, and its reply may be of before.
    const aged = parts.filter(({ path }) => touches.touched(since, path));
    release();
    for (const [i, part] of parts.entries()) {
      if (part.vague || !rules.knowsOrder(held[i] as Hold)) this.#unsure(part);
      else patch(result, part);
    }
    this.#age(held);
    for (const { path } of aged) rules.agesDirectory(tree, path);
    if (makes !== undefined) this.#refute(makes.path);
    // There was something to copy or to move.
    if ("to" in call) this.#refute(this.#part(call.path, "self").path);
    this.#parentsMade(made, makes?.given ?? root);
    this.#emptied(vanishing);
    return result;
  }

  #age(held: readonly Hold[]): void {
    for (const { path } of held) if (path !== root) this.#memory.rules.agesDirectory(this.#memory.tree, parentOf(path));
  }

  /** Nobody knows what is at this path, and below it. */
  #unsure({ path, reach }: Part): void {
    this.#memory.tree.forget(path);
    this.#memory.doubt(path, reach === "tree" ? "came" : "self");
  }

  /** Nor whether this directory is there. */
  #unsureEntry(path: StorePath): void {
    this.#memory.tree.forgetEntry(path);
    this.#memory.doubt(path, "self");
  }

  /** Directories above that were there when the change began, and went meanwhile by what was learnt: with what was made here they may be there again. */
  #refute(path: StorePath): void {
    const { tree, now } = this.#memory;
    for (let at = parentOf(path); at !== root; at = parentOf(at)) if (tree.lookDirectory(at, now) === null) this.#unsureEntry(at);
  }

  /** Nothing was changed. Where the refusal itself says that something else is there than was known, that is given up. */
  #refused(error: unknown, parts: readonly Part[], makes: Part | undefined): void {
    const memory = this.#memory;
    if (!hasCode(error, "already-exists", "precondition-failed", "not-found", "is-a-directory", "not-a-directory", "not-empty")) return;
    for (const { path } of parts) {
      const known = memory.look(path);
      if (hasCode(error, "already-exists") ? known === null : known !== null || !hasCode(error, "not-found")) memory.tree.forget(path);
    }
    if (hasCode(error, "not-a-directory") && makes !== undefined) for (let at = parentOf(makes.path); at !== root; at = parentOf(at)) memory.tree.forget(at);
  }

  #made(path: StorePath, entry: Entry, reach: "self" | "tree"): void {
    const memory = this.#memory;
    const fact = memory.fact(entry, memory.now);
    if (reach === "tree" && (memory.tree.strict || entry.kind === "directory")) memory.rules.dropBelow(memory.tree, path);
    if (memory.settings.ttlMs > 0) memory.rules.setOwn(memory.tree, path, fact);
    else memory.tree.forget(path);
    this.#note(path, fact, reach === "tree" && fact.isDirectory);
  }

  #deleted(path: StorePath, recursive: boolean): void {
    const memory = this.#memory;
    const { tree, now } = memory;
    const nothing = absent(now);
    // Of two that stand side by side the file was meant, unless all of it was.
    const sideBySide = !tree.strict && !recursive && tree.lookDirectory(path, now) !== null;
    memory.rules.dropBelow(tree, path);
    if (sideBySide) tree.forget(path);
    else if (memory.settings.ttlMs > 0) tree.set(path, nothing);
    else tree.forget(path);
    this.#note(path, nothing);
  }

  #moved(path: StorePath, kind: Entry["kind"]): void {
    const memory = this.#memory;
    const { tree, now } = memory;
    if (tree.strict) return this.#deleted(path, true);
    if (kind === "directory") memory.rules.dropBelow(tree, path);
    if (memory.settings.ttlMs > 0) tree.setAbsent(path, kind, now);
    else tree.forget(path);
    this.#note(path, absent(now));
  }

  #note(path: StorePath, fact: Fact, tree = false): void {
    const { own, settings, now } = this.#memory;
    own?.add(path, fact, tree, now + settings.settleMs, now);
  }

  /** The parents that a change made are there; more is not known of them. */
  #parentsMade(made: readonly Hold[], given: StorePath): void {
    const memory = this.#memory;
    if (made.length === 0) return;
    for (const hold of made.toReversed()) {
      if (!memory.rules.knowsOrder(hold)) this.#unsureEntry(hold.path);
      else {
        // What is folded has the length that it had.
        const some = someDirectory(memory.now, memory.naming.exact ? null : nameOf(given.slice(0, hold.path.length) as StorePath));
        if (memory.settings.ttlMs > 0 && !memory.isKnownDirectory(hold.path)) memory.tree.set(hold.path, some);
        this.#note(hold.path, some);
      }
      memory.rules.agesDirectory(memory.tree, parentOf(hold.path));
    }
  }

  /** Directories that may have gone with their last child: all up to the first in which something else is known to lie. */
  #emptied(chain: readonly Hold[]): void {
    const { tree } = this.#memory;
    let open = true;
    for (const hold of chain) {
      if (!this.#memory.rules.knowsOrder(hold)) this.#unsureEntry(hold.path);
      else if (open && this.#memory.hasKnownChild(hold.path)) open = false;
      else if (open) tree.forgetEntry(hold.path);
    }
  }
}
