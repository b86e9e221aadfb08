/** What the killed process said, kept outside of it: which trees its workers may have left. */
import type { Store } from "../../store/index.ts";
import { isBody, typeOf } from "./bodies.ts";
import { after } from "./changes.ts";
import type { Started } from "./child.ts";
import { homeOf } from "./child.ts";
import { isWithin, kindOf, parentsMade } from "./tree.ts";
import type { Tree } from "./tree.ts";

/** A file with its bytes, or a directory. */
export type View = ReadonlyMap<string, { readonly bytes: Uint8Array; readonly contentType: string | null } | null>;

export async function viewOf(store: Store, directory: string = "/"): Promise<View> {
  const seen = new Map<string, { readonly bytes: Uint8Array; readonly contentType: string | null } | null>();
  const visit = async (path: string): Promise<void> => {
    for (const { path: child, kind } of await store.list(path).toArray()) {
      if (seen.has(child)) throw new Error(`${child} is listed twice`);
      seen.set(child, null);
      if (kind === "directory") await visit(child);
      else {
        const { contentType } = await store.stat(child);
        seen.set(child, { bytes: await (await store.read(child)).bytes(), contentType });
      }
    }
  };
  await visit(directory);
  return seen;
}

export class Ledger {
  /** Per worker: what its directory may hold, the newest belief first. More than one only after a kill in the middle of a change. */
  readonly #trees: (readonly Tree[])[];
  readonly #running = new Map<number, Started>();
  readonly faults: string[] = [];
  acknowledged = 0;
  serial = 0;
  opened = false;
  closed = false;

  /** Changes happen wholly or not at all, with the directories above that they make. */
  readonly #whole: boolean;

  constructor(workers: number, whole: boolean) {
    this.#whole = whole;
    this.#trees = Array.from({ length: workers }, () => [new Map()]);
  }

  /** A new process on the same directory. */
  begin(): void {
    this.opened = false;
    this.closed = false;
  }

  line(text: string): void {
    const [kind, rest] = [text.slice(0, 1), text.slice(2)];
    if (kind === "O") this.opened = true;
    else if (kind === "C") this.closed = true;
    else if (kind === "V") this.faults.push(rest);
    else if (kind === "S") {
      const started = JSON.parse(rest) as Started;
      this.serial = Math.max(this.serial, started.serial + 1);
      this.#running.set(started.serial, started);
    } else if (kind === "A" || kind === "R") this.#answered(Number(rest.split(" ")[0]), kind === "A" ? undefined : rest.split(" ")[1]);
    else this.faults.push(`the process said: ${text}`);
  }

  #answered(serial: number, code: string | undefined): void {
    const started = this.#running.get(serial);
    if (started === undefined) throw new Error(`an answer to ${serial}, which nobody asked`);
    this.#running.delete(serial);
    if (code === undefined) this.acknowledged += 1;
    const next = (this.#trees[started.worker] ?? []).flatMap((tree) => {
      const result = after(tree, started.change);
      if ("tree" in result) return code === undefined ? [result.tree] : [];
      return code !== undefined && (result.codes as readonly string[]).includes(code) ? [tree] : [];
    });
    if (next.length === 0) this.faults.push(`${JSON.stringify(started.change)} was ${code === undefined ? "acknowledged" : `refused with ${code}`}`);
    else this.#trees[started.worker] = next;
  }

  /** The process is dead: what it had not acknowledged happened wholly or not at all (but for directories above it). Gives how much that is. */
  killed(): number {
    const count = this.#running.size;
    for (const { worker, change } of this.#running.values()) {
      const target = "to" in change ? change.to : change.path;
      this.#trees[worker] = (this.#trees[worker] ?? []).flatMap((tree) => {
        const result = after(tree, change);
        if (!("tree" in result)) return [tree];
        return [result.tree, ...(this.#whole || change.verb === "delete" ? [] : parentsMade(tree, target)), tree];
      });
    }
    this.#running.clear();
    return count;
  }

  /** Compares with what is there; what it decides is believed from then on. Gives how many cut changes had happened. */
  compare(view: View, where: string): number {
    let landed = 0;
    this.#trees.forEach((trees, worker) => {
      const home = homeOf(worker);
      const mine = new Map([...view].filter(([path]) => isWithin(path, home)));
      const found = trees.find((tree) => differences(tree, mine, home).length === 0);
      if (found === undefined) this.faults.push(`${where}, ${home}: ${trees.map((tree) => differences(tree, mine, home).join("; ")).join("  OR  ")}`);
      else {
        if (trees.length > 1 && found === trees[0]) landed += 1;
        this.#trees[worker] = [found];
      }
    });
    const strangers = [...view.keys()].filter((path) => !this.#trees.some((_, worker) => isWithin(path, homeOf(worker))));
    if (strangers.length > 0) this.faults.push(`${where}: nobody wrote ${strangers.join(" ")}`);
    return landed;
  }

  /** For the next process. */
  trees(): (readonly (readonly [string, number | null])[])[] {
    return this.#trees.map(([tree]) => [...(tree ?? [])]);
  }
}

/** The directory of a worker itself is there with whatever is in it. */
function differences(tree: Tree, view: View, home: string): string[] {
  const found: string[] = [];
  for (const [path, body] of tree) {
    const there = view.get(path);
    if (there === undefined) found.push(`${path} is missing`);
    else if (body === null || there === null) {
      if (body !== there) found.push(`${path} is a ${there === null ? "directory" : "file"}`);
    } else if (!isBody(body, there.bytes)) found.push(`${path} has ${there.bytes.length} bytes that are not body ${body}`);
    else if (there.contentType !== null && there.contentType !== (typeOf(body) ?? null) && typeOf(body) !== undefined)
      found.push(`${path} (body ${body}) is of type ${there.contentType}, not ${typeOf(body)}`);
  }
  for (const path of view.keys()) if (kindOf(tree, path) === undefined && path !== home) found.push(`${path} is there`);
  if (view.has(home) && tree.size === 0) found.push(`${home} is there`);
  return found;
}
