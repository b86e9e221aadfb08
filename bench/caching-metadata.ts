/** (c) The metadata cache: what a hit costs, what a listing costs among many others, and what an entry takes. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { StoreError, createStore, entry, nameOf, parentOf, root, stack } from "../src/store/index.ts";
import type { Entry, Layered, Provider, Store, StorePath } from "../src/store/index.ts";
import { metadataCache } from "../src/wrappers/index.ts";
import type { MetadataCacheControl } from "../src/wrappers/index.ts";
import type { Figure } from "./figure.ts";
import { least } from "./measure.ts";

/** Names of 25 characters and etags of 34, as the reference measured. */
const NAME = 25;

export async function metadataCacheFigures(report: (figure: Figure) => void): Promise<void> {
  const few = await filled(1000, 1);
  const before = heapBytes();
  const many = await filled(1_000_000, 1000);
  const bytes = heapBytes() - before;
  const { entries, bytes: estimate } = many.layers.metadataCache.report();

  const paths = Array.from({ length: 1000 }, (_, i) => `/d${i}/${nameAt(i)}`);
  const ns = await least({
    hit: (i) => many.stat(paths[i % 1000] as string),
    absence: (i) => many.stat(`${paths[i % 1000]}-none`).catch(() => {}),
  });
  report(micros("hit of stat among 1,000,000 entries", ns.hit, 3));
  report(micros("absence among 1,000,000 entries, thrown", ns.absence, null));

  const lists = await least({ few: () => few.list("/hundred").toArray(), many: () => many.list("/hundred").toArray() }, { rounds: 100, calls: 200 });
  const ratio = lists.many / lists.few;
  report({
    name: "(c) metadataCache, list of 100 among 1,000,000",
    value: lists.many / 1000,
    unit: "µs",
    against: "among 1,000",
    ratio,
    goal: "at most 1.5",
    met: ratio <= 1.5,
  });
  report({
    name: "(c) metadataCache, memory per entry",
    value: bytes / entries,
    unit: "bytes",
    against: "its own estimate",
    ratio: bytes / estimate,
    goal: null,
    met: null,
  });
  for (const store of [few, many]) {
    if (store.layers.metadataCache.report().misses > 1100) throw new Error("the figures are not of answers from memory");
    await store.close();
  }
}

function micros(name: string, ns: number, goal: number | null): Figure {
  const value = ns / 1000;
  return {
    name: `(c) metadataCache, ${name}`,
    value,
    unit: "µs",
    against: "the goal",
    ratio: goal === null ? 1 : goal / value,
    goal: goal === null ? null : `below ${goal} µs`,
    met: goal === null ? null : value < goal,
  };
}

/** A cache that knows so many entries in so many directories, and one of a hundred. */
async function filled(entries: number, directories: number): Promise<Store & Layered<"metadataCache", MetadataCacheControl>> {
  const store = stack(createStore(madeUp(entries / directories)), metadataCache({ maxEntries: 3_000_000, ttlMs: Infinity }));
  for (let i = 0; i < directories; i++) await store.list(`/d${i}`).toArray();
  if ((await store.list("/hundred").toArray()).length !== 100) throw new Error("no hundred entries");
  return store;
}

/** A service whose directories are made up when they are listed. */
function madeUp(children: number): Provider & { readonly kind: "made-up" } {
  const made = (path: StorePath): Entry =>
    entry({ path, kind: "file", size: path.length, modifiedMs: 1_700_000_000_000 + path.length * 1000, etag: nameOf(path).padEnd(34, "e"), metadata: {} });
  const refused = async (): Promise<never> => {
    throw new StoreError("unsupported", "not in this service");
  };
  return {
    kind: "made-up",
    capabilities: { etag: true, listComplete: true, modifiedPrecisionMs: 1 },
    stat: async ({ path }) => made(path),
    list: async ({ path }) => {
      const count = path === "/hundred" ? 100 : children;
      return { entries: Array.from({ length: count }, (_, i) => made((parentOf(path) === root ? `${path}/${nameAt(i)}` : path) as StorePath)) };
    },
    read: refused,
    write: refused,
    delete: refused,
  };
}

function nameAt(index: number): string {
  return `photo-${index}`.padEnd(NAME, "x");
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}
