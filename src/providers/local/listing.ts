/** Listings: the names of a directory are read at once, and looked at page by page. */
import { StoreError, join } from "../../store/index.ts";
import type { Entry, ListCall, Page, StorePath } from "../../store/index.ts";
import { disk, errnoOf } from "./disk.ts";
import type { Maker } from "./maker.ts";
import type { Names, Native } from "./names.ts";
import type { Root } from "./root.ts";

/** Entries of one page, and looks at the disk at once. */
const PAGE = 1000;
const LOOKS = 64;

/** What is left of a listing. */
interface Rest {
  readonly directory: Native;
  readonly names: readonly Native[];
  readonly from: number;
}

export async function listPage({ path, cursor, signal }: ListCall, maker: Maker, names: Names): Promise<Page> {
  const { directory, names: found, from } = (cursor as Rest | undefined) ?? (await firstOf(maker.root, path));
  const to = Math.min(found.length, from + PAGE);
  const entries: Entry[] = [];
  for (let at = from; at < to; at += LOOKS) {
    signal?.throwIfAborted();
    const looks = found.slice(at, Math.min(to, at + LOOKS)).map((name) => look(path, directory, name, maker, names));
    for (const one of await Promise.all(looks)) if (one !== undefined) entries.push(one);
  }
  const rest: Rest = { directory, names: found, from: to };
  return { entries, cursor: to < found.length ? rest : undefined };
}

async function firstOf(root: Root, path: StorePath): Promise<Rest> {
  const directory = await root.directory(path);
  try {
    return { directory, names: await disk.names(directory), from: 0 };
  } catch (error) {
    if (errnoOf(error) === "ENOTDIR") throw new StoreError("not-a-directory", "a file has no children", { cause: error });
    throw error;
  }
}

/** Undefined for what is no part of the store, and for what is gone by now. */
async function look(dir: StorePath, directory: Native, name: Native, maker: Maker, names: Names): Promise<Entry | undefined> {
  const logical = names.logical(name);
  if (logical === undefined) return undefined;
  const found = await maker.root.entryOf(join(dir, logical), directory, name);
  return found === undefined ? undefined : maker.entry(found);
}
