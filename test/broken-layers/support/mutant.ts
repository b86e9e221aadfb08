/**
 * The wrappers loaded once more with one place of their source changed:
 *
 *   const wrong = mutant("src/wrappers/limit.ts", "if (this.#running.delete(held))", "");
 *   const { limit } = await wrong();
 *
 * The copy has its own wrappers and shares everything else (src/store, providers), so its layers stack with all others. Only under plain Node: vitest
 * has a loader of its own.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

export type Wrappers = typeof import("../../../src/wrappers/index.ts");

/** The right ones. */
export const real = (): Promise<Wrappers> => import("../../../src/wrappers/index.ts");

const root = new URL("../../../", import.meta.url);
const folder = new URL("src/wrappers/", root).href;
interface Change {
  readonly url: string;
  readonly from: string;
  readonly to: string;
}
const changes = new Map<string, Change>();
let hooked = false;

/** `from` stands in `file` (relative to the root of the repository, inside of src/wrappers) exactly once; anything else rejects. `entry`: the module that is given. */
export function mutant(file: string, from: string, to: string): () => Promise<Wrappers>;
export function mutant<M>(file: string, from: string, to: string, entry: string): () => Promise<M>;
export function mutant(file: string, from: string, to: string, entry = "src/wrappers/index.ts"): () => Promise<unknown> {
  return async () => {
    const url = new URL(file, root);
    if (!url.href.startsWith(folder)) throw new Error(`${file} is not in src/wrappers: only those are loaded a second time`);
    const found = readFileSync(fileURLToPath(url), "utf8").split(from).length - 1;
    if (found !== 1) throw new Error(`${JSON.stringify(from)} stands ${found} times in ${file}, not once: the variant is out of date`);
    hook();
    const key = String(changes.size);
    changes.set(key, { url: url.href, from, to });
    return import(`${new URL(entry, root).href}?mutant=${key}`) as Promise<unknown>;
  };
}

function hook(): void {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const key = context.parentURL === undefined ? null : new URL(context.parentURL).searchParams.get("mutant");
      return key !== null && found.url.startsWith(folder) ? { ...found, url: `${found.url}?mutant=${key}` } : found;
    },
    load(url, context, next) {
      const loaded = next(url, context);
      const [file, query] = url.split("?mutant=");
      const change = query === undefined ? undefined : changes.get(query);
      if (change?.url !== file || change === undefined) return loaded;
      const source = typeof loaded.source === "string" ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString("utf8");
      // A function, so that `$&` in the text is no pattern.
      return { ...loaded, source: source.replace(change.from, () => change.to) };
    },
  });
}
