/**
 * Listings: pages of list_folder, one directory or everything below it, parents first.
 *
 * While a listing goes on Dropbox adds what changes to its later pages: a file that was given may come again, or come as deleted. Each path is given once.
 * A cursor that has expired (`reset`) begins anew, and what was given is left out. Of `path_display` only the last name can be trusted, so paths are made
 * of the names of the folders themselves.
 *
 * The cursor of a listing that came in one page is its etag: asked to go on, it tells what has changed since, and nothing is `not-modified` (CF79).
 */
import { StoreError } from "../../store/index.ts";
import type { Entry, ListCall, Page, StorePath } from "../../store/index.ts";
import type { Said } from "./ask.ts";
import { entryOf, metadataIn, unclear } from "./entries.ts";
import type { Metadata } from "./entries.ts";
import { ApiError, isRefusal, refusalOf } from "./errors.ts";
import { absent, metadataAt } from "./look.ts";
import type { Session } from "./session.ts";

/** The most that Dropbox gives at once. */
const LIMIT = 2000;

/** What was given, and by which page: a cursor that is asked for again gives again what its own page gave. Null: hidden, with all below it. */
type Given = Map<string, { readonly page: number; readonly path: StorePath | null }>;
/** Where a listing stands. Immutable but for `given`, which only ever says more. */
interface Going {
  readonly cursor: string;
  readonly page: number;
  readonly given: Given;
  /** Children whose folder has not come yet. */
  readonly waiting: readonly Metadata[];
}
interface Answer {
  readonly entries: readonly Metadata[];
  /** With those that were deleted. */
  readonly told: number;
  readonly cursor: string;
  readonly more: boolean;
}

export async function list(session: Session, call: ListCall): Promise<Page> {
  const { path, recursive, signal } = call;
  const native = session.names.native(path);
  if (call.cursor === undefined && call.ifNoneMatch !== undefined) await unlessSame(session, native, call);
  const { cursor, page, given, waiting } = (call.cursor as Going | undefined) ?? { cursor: undefined, page: 0, given: new Map() as Given, waiting: [] };
  const answer = await ask(session, native, recursive, cursor, signal);
  const sorter = new Sorter(session, path, slashes(native), page, given);
  for (const one of [...waiting, ...answer.entries]) sorter.take(one);
  if (answer.more) return { entries: sorter.entries, cursor: { cursor: answer.cursor, page: page + 1, given, waiting: sorter.waiting() } satisfies Going };
  await sorter.finish(signal);
  return { entries: sorter.entries, etag: page === 0 ? placeOf(native, recursive) + answer.cursor : null };
}

/** A cursor knows its folder and says nothing about it, so the etag does. */
const placeOf = (native: string, recursive: boolean): string => `${recursive ? "all" : "one"}:${native}:`;

/** @throws StoreError `not-modified` where nothing has changed since the listing with this etag */
async function unlessSame(session: Session, native: string, { recursive, ifNoneMatch = "", signal }: ListCall): Promise<void> {
  const place = placeOf(native, recursive);
  if (!ifNoneMatch.startsWith(place)) return;
  let said: Answer;
  try {
    said = answerIn(await session.askAgain("filesListFolderContinue", { cursor: ifNoneMatch.slice(place.length) }, signal));
  } catch (error) {
    // Expired, or none of this service's: there is nothing to compare with.
    if (isRefusal(error, "reset") || (error instanceof ApiError && error.status === 400)) return;
    throw await failure(session, error, signal);
  }
  if (said.told === 0 && !said.more) throw new StoreError("not-modified", "the listing has this etag");
}

async function ask(session: Session, native: string, recursive: boolean, cursor: string | undefined, signal: AbortSignal | undefined): Promise<Answer> {
  try {
    if (cursor !== undefined) return answerIn(await session.askAgain("filesListFolderContinue", { cursor }, signal));
  } catch (error) {
    if (!isRefusal(error, "reset")) throw await failure(session, error, signal);
  }
  const begin = async (): Promise<Answer> => answerIn(await session.askAgain("filesListFolder", { path: native, recursive, limit: LIMIT }, signal));
  try {
    return await begin();
  } catch (error) {
    if (native !== session.settings.root || !isRefusal(error, "path/not_found")) throw await failure(session, error, signal);
  }
  // The root itself is missing: an error, or made now (`createRoot`).
  await session.checkRoot(signal);
  try {
    return await begin();
  } catch (error) {
    throw await failure(session, error, signal);
  }
}

async function failure(session: Session, error: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  if (isRefusal(error, "path/not_found")) return absent(session, signal, error);
  return error instanceof ApiError ? refusalOf(error) : error;
}

function answerIn(said: Said | "done"): Answer {
  const { entries, cursor, has_more: more } = ((said as Said).result ?? {}) as { entries?: unknown; cursor?: unknown; has_more?: unknown };
  // Without its last member a page would be taken for the end of the listing.
  if (!Array.isArray(entries) || typeof cursor !== "string" || typeof more !== "boolean")
    throw new StoreError("unavailable", "the service's page of a listing is not whole", { applied: false });
  // What is deleted was given before, or never.
  const there = entries.filter((one: { readonly ".tag"?: unknown }) => one[".tag"] !== "deleted").map(metadataIn);
  return { entries: there, told: entries.length, cursor, more };
}

const slashes = (path: string): number => path.split("/").length - 1;

/** Puts what comes in any order behind its folder, and leaves out what was given. */
class Sorter {
  readonly entries: Entry[] = [];
  readonly #session: Session;
  readonly #top: StorePath;
  readonly #depth: number;
  readonly #page: number;
  readonly #given: Given;
  readonly #now = new Map<string, StorePath | null>();
  readonly #waiting = new Map<string, Metadata[]>();

  constructor(session: Session, top: StorePath, depth: number, page: number, given: Given) {
    this.#session = session;
    this.#top = top;
    this.#depth = depth;
    this.#page = page;
    this.#given = given;
  }

  take(one: Metadata): void {
    const key = one.path_lower;
    if (key === undefined || slashes(key) < this.#depth) throw unclear();
    // A recursive listing begins with the folder itself.
    if (slashes(key) === this.#depth || this.#pathOf(key) !== undefined) return;
    const above = key.slice(0, key.lastIndexOf("/"));
    const parent = slashes(above) === this.#depth ? this.#top : this.#pathOf(above);
    if (parent === undefined) {
      const others = this.#waiting.get(above);
      if (others === undefined) this.#waiting.set(above, [one]);
      else others.push(one);
      return;
    }
    const path = parent === null ? null : this.#session.names.child(parent, one.name);
    this.#now.set(key, path);
    this.#given.set(key, { page: this.#page, path });
    if (path !== null) this.entries.push(entryOf(path, one));
    const children = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    for (const child of children) this.take(child);
  }

  /** Undefined: not given yet. */
  #pathOf(key: string): StorePath | null | undefined {
    const now = this.#now.get(key);
    if (now !== undefined) return now;
    const before = this.#given.get(key);
    return before !== undefined && before.page < this.#page ? before.path : undefined;
  }

  waiting(): readonly Metadata[] {
    return [...this.#waiting.values()].flat();
  }

  /** Nothing more comes: a folder that never came is gone with all below it, or the service has left it out. */
  async finish(signal: AbortSignal | undefined): Promise<void> {
    while (this.#waiting.size > 0) {
      const [above] = [...this.#waiting.keys()].sort((a, b) => a.length - b.length) as [string];
      const there = await metadataAt(this.#session, above, signal);
      if (there?.[".tag"] === "folder" && there.path_lower === above) this.take(there);
      // Taken, unless its own parent is missing too, which is then asked for.
      else this.#waiting.delete(above);
    }
  }
}
