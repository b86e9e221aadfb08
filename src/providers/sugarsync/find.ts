/** From a path to what the service knows it as, with no more questions than what is remembered leaves open. */
import { StoreError, root } from "../../store/index.ts";
import type { StorePath } from "../../store/index.ts";
import { errorOf } from "./errors.ts";
import type { Known } from "./folders.ts";
import { pathOf } from "./links.ts";
import { listFolder } from "./list.ts";
import { encodeName, fold } from "./names.ts";
import { resourceOf } from "./resources.ts";
import type { Item, Resource } from "./resources.ts";
import type { Session, User } from "./session.ts";

export interface Place {
  /** What is there; null: nothing. Of several files the newest. */
  readonly item: Item | null;
  /** Further files of the same name, where the service made them. */
  readonly others: readonly Item[];
  /** The folder that holds it, or the last one above that is there. */
  readonly parent: string;
  /** How many names of the path, from the root, are folders above it that are there. */
  readonly depth: number;
  /** Something above is a file. */
  readonly blocked: boolean;
}
export interface Wish {
  readonly signal: AbortSignal | undefined;
  /** Nothing remembered is believed. */
  readonly fresh?: boolean | undefined;
  /** What is found was seen by this very call. */
  readonly sure?: boolean | undefined;
}

export function namesOf(path: StorePath): string[] {
  return path === root ? [] : path.slice(1).split("/").map(encodeName);
}

/** The path is not the root. */
export async function find(session: Session, path: StorePath, { signal, fresh = false, sure = false }: Wish): Promise<Place> {
  const names = namesOf(path);
  const user = await session.links(signal);
  const { index, settings } = session;
  const maxAge = fresh ? 0 : settings.cacheMs;
  const checked = new Set<string>();
  const listed = new Set<string>();
  const refuted = new Set<string>();
  for (let tries = 0; tries < 10 + 3 * names.length; tries++) {
    const { chain, parent, blocked } = walk(session, user, names, refuted);
    const isLast = chain.length === names.length && !blocked;
    const stale = chain.filter(({ known, parent: above }, i) => {
      if (checked.has(known.item.ref) || listed.has(above)) return false;
      return (sure && isLast && i === chain.length - 1) || index.now - known.seenAt >= maxAge;
    });
    if (stale.length > 0) {
      await Promise.all(
        stale.map(async ({ known, parent: above }) => {
          if (await isStill(session, user, above, known.item, signal)) checked.add(known.item.ref);
          else refuted.add(known.item.ref);
        }),
      );
      continue;
    }
    if (isLast) {
      const { known, parent: above, others } = chain.at(-1) as Step;
      return { item: known.item, others, parent: above, depth: names.length - 1, blocked: false };
    }
    if (blocked) return { item: null, others: [], parent, depth: chain.length - 1, blocked };
    if (listed.has(parent) || index.now - index.listedAt(parent) < maxAge) return { item: null, others: [], parent, depth: chain.length, blocked };
    const items = await listFolder(session, parent, signal);
    if (items !== null) listed.add(parent);
    else {
      const last = chain.at(-1);
      if (last === undefined) throw new StoreError("config", "the account has no sync folders any more");
      index.drop(last.parent, last.known.item.ref, false);
      refuted.add(last.known.item.ref);
      checked.delete(last.known.item.ref);
    }
  }
  throw new StoreError("conflict", "somebody else changes the folders above at this moment", { applied: false });
}

interface Step {
  readonly known: Known;
  readonly parent: string;
  readonly others: readonly Item[];
}

/** As far as is known. */
function walk(
  { index }: Session,
  user: User,
  names: readonly string[],
  refuted: ReadonlySet<string>,
): { readonly chain: readonly Step[]; readonly parent: string; readonly blocked: boolean } {
  const chain: Step[] = [];
  let parent = user.root;
  for (const [i, name] of names.entries()) {
    const [known, ...more] = index.find(parent, name).filter(({ item }) => !refuted.has(item.ref));
    if (known === undefined) break;
    const others = more.filter(({ item }) => item.kind === known.item.kind).map(({ item }) => item);
    // To take one of them would hide what is in the other.
    if (known.item.kind === "directory" && others.length > 0)
      throw new StoreError("conflict", "there are two folders of one name: one of them has to be renamed at the service", { transient: false, applied: false });
    chain.push({ known, parent, others });
    if (known.item.kind === "file") return { chain, parent, blocked: i < names.length - 1 };
    parent = i < names.length - 1 ? known.item.ref : parent;
  }
  return { chain, parent, blocked: false };
}

/** Is it there under this name, in this folder? Remembered, or forgotten. */
async function isStill(session: Session, user: User, parent: string, item: Item, signal: AbortSignal | undefined): Promise<boolean> {
  const now = await look(session, item.ref, signal);
  if (now === null || fold(now.name) !== fold(item.name) || !isIn(now, parent, user)) {
    session.index.drop(parent, item.ref, false);
    return false;
  }
  session.index.seen(parent, now);
  return true;
}

/** What a sync folder says of its parent is no link to the collection of sync folders. */
function isIn(now: Resource, parent: string, { root: top, deleted }: User): boolean {
  return parent === top ? now.parent !== deleted : now.parent === parent;
}

/** A resource by itself. Null: there is none. */
export function look(session: Session, ref: string, signal: AbortSignal | undefined): Promise<Resource | null> {
  return session.get(pathOf(ref), signal, (answer) => {
    if (answer.status === 404 || answer.status === 400 || answer.status === 410) return null;
    if (answer.status !== 200) throw errorOf(answer);
    return resourceOf(answer.text, ref, session.settings);
  });
}

/** @throws StoreError `not-found` */
export async function need(session: Session, path: StorePath, wish: Wish): Promise<Place & { readonly item: Item }> {
  const place = await find(session, path, wish);
  if (place.item === null) throw new StoreError("not-found", "nothing is there", { applied: false });
  return { ...place, item: place.item };
}
