/**
 * Listing: one ListObjectsV2 is one page. Keys become entries; prefixes, and the markers that tools leave, become directories, each once.
 *
 * Keys come in the order of their bytes, so everything below a prefix is together and comes before the `<name>_$folder$` that may mark it.
 */
import { entry, join, root, StoreError, type Entry, type ListCall, type Page, type StorePath } from "../../store/index.ts";
import type { Context } from "./context.ts";
import { FOLDER_SUFFIX } from "./keys.ts";
import { directoryEntry, hasFolderMarker, headOrNothing, isParentMarker, isTypeMarker, lookFile, notFound } from "./look.ts";
import { keyPage } from "./pages.ts";
import { tries } from "./tries.ts";
import { MAX_KEYS } from "./vendors.ts";
import type { KeyPage, ListedObject } from "./wire.ts";

/** Immutable, so that a page may be asked for twice. */
interface Cursor {
  readonly token: string;
  /** The directories, outermost first, that the last key of the page before was in: they are told already. */
  readonly inside: readonly string[];
}

export async function list(context: Context, call: ListCall): Promise<Page> {
  const { path, recursive, signal } = call;
  const { session } = context;
  const prefix = context.keys.directory(path);
  const cursor = call.cursor as Cursor | undefined;
  const query = { prefix, delimiter: recursive ? undefined : ("/" as const), max: MAX_KEYS, token: cursor?.token };
  const page = await tries(session, signal, () => keyPage(context, query, signal));
  if (cursor === undefined && page.objects.length === 0 && page.prefixes.length === 0 && page.next === null) await mustBeDirectory(context, path, signal);
  const reader = new PageReader(context, path, prefix, cursor, signal);
  const entries = recursive ? await reader.recursive(page) : await reader.flat(page);
  return { entries, cursor: page.next === null ? undefined : ({ token: page.next, inside: reader.inside } satisfies Cursor) };
}

/** Nothing was listed: an old marker, a file, or nothing. The bucket itself has answered, so the root is there. */
async function mustBeDirectory(context: Context, path: StorePath, signal: AbortSignal | undefined): Promise<void> {
  if (path === root) return;
  const found = await lookFile(context, path, signal);
  if (found?.kind === "directory" || (await hasFolderMarker(context, path, signal))) return;
  throw found === undefined ? notFound() : new StoreError("not-a-directory", "a file has no children");
}

class PageReader {
  readonly #context: Context;
  readonly #dir: StorePath;
  readonly #prefix: string;
  readonly #first: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #entries: Entry[] = [];
  /** Native paths of directories told on this page. */
  readonly #told = new Set<string>();
  inside: readonly string[];

  constructor(context: Context, dir: StorePath, prefix: string, cursor: Cursor | undefined, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#dir = dir;
    this.#prefix = prefix;
    this.#first = cursor === undefined;
    this.#signal = signal;
    this.inside = cursor?.inside ?? [];
  }

  async flat(page: KeyPage): Promise<Entry[]> {
    for (const text of page.prefixes) {
      const segment = text.slice(this.#prefix.length, -1);
      if (!text.endsWith("/") || segment.includes("/")) throw wrongPage();
      this.#directory([segment]);
    }
    for (const object of page.objects) {
      const segment = this.#below(object);
      if (segment === undefined) continue;
      if (segment.includes("/")) throw wrongPage();
      await this.#leaf([segment], object);
    }
    return this.#entries;
  }

  async recursive(page: KeyPage): Promise<Entry[]> {
    for (const object of page.objects) {
      const relative = this.#below(object);
      if (relative === undefined) continue;
      const segments = relative.split("/");
      const dirs = segments.slice(0, -1);
      let same = 0;
      while (same < dirs.length && same < this.inside.length && dirs[same] === this.inside[same]) same++;
      for (let depth = same + 1; depth <= dirs.length; depth++) this.#directory(dirs.slice(0, depth));
      this.inside = dirs;
      // An empty object behind a slash is the marker of the directory just told.
      if (!(segments.at(-1) === "" && object.size === 0)) await this.#leaf(segments, object);
    }
    return this.#entries;
  }

  /** What follows the prefix; undefined for the marker of the listed directory itself. */
  #below(object: ListedObject): string | undefined {
    // The bucket's root has no marker: an empty key is none.
    if (object.key === this.#prefix && isParentMarker(object.key, object.size)) return undefined;
    return object.key.slice(this.#prefix.length);
  }

  async #leaf(segments: readonly string[], object: ListedObject): Promise<void> {
    const last = segments.at(-1) as string;
    if (last.endsWith(FOLDER_SUFFIX) && last.length > FOLDER_SUFFIX.length) {
      const { folderMarkers } = this.#context.settings;
      if (folderMarkers && object.size === 0) await this.#marked([...segments.slice(0, -1), last.slice(0, -FOLDER_SUFFIX.length)], !this.#first);
      return;
    }
    const path = this.#path(segments);
    if (path === undefined) return;
    if (object.size === 0 && this.#context.settings.contentTypeMarkers) {
      const facts = await headOrNothing(this.#context, object.key, this.#signal);
      if (facts !== undefined && isTypeMarker(this.#context, facts)) return await this.#marked(segments, true);
    }
    const { size, etag, modifiedMs } = object;
    this.#entries.push(entry({ path, kind: "file", size, etag, modifiedMs, complete: false }));
  }

  /** A directory that an object beside it marks: told here, unless what lies below it tells it, perhaps on another page: then `probe`. */
  async #marked(segments: readonly string[], probe: boolean): Promise<void> {
    if (this.#told.has(segments.join("/"))) return;
    if (probe) {
      const prefix = `${this.#prefix}${segments.join("/")}/`;
      const below = await tries(this.#context.session, this.#signal, () => keyPage(this.#context, { prefix, max: 1 }, this.#signal));
      if (below.objects.length > 0) return;
    }
    this.#directory(segments);
  }

  #directory(segments: readonly string[]): void {
    const native = segments.join("/");
    if (this.#told.has(native)) return;
    this.#told.add(native);
    const path = this.#path(segments);
    if (path !== undefined) this.#entries.push(directoryEntry(path));
  }

  /** Undefined: a name that this store never writes, so no part of it. */
  #path(segments: readonly string[]): StorePath | undefined {
    let path = this.#dir;
    for (const segment of segments) {
      const name = this.#context.keys.name(segment);
      if (name === undefined) return undefined;
      path = join(path, name);
    }
    return path;
  }
}

function wrongPage(): StoreError {
  return new StoreError("unavailable", "the service lists keys that a delimiter should have kept together");
}
