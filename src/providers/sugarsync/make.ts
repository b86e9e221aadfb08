/** Making folders: sync folders at the top, folders below; each made once, however many calls of this store need it. */
import { StoreError, hasCode } from "../../store/index.ts";
import type { Entry, MkdirCall } from "../../store/index.ts";
import { afterwards, discard, erase, isAmbiguous, post, quietly } from "./change.ts";
import { errorOf } from "./errors.ts";
import type { Refusal } from "./errors.ts";
import { find, namesOf } from "./find.ts";
import type { Place } from "./find.ts";
import { listFolder } from "./list.ts";
import { fold } from "./names.ts";
import { entryOf } from "./resources.ts";
import type { Item } from "./resources.ts";
import type { Session } from "./session.ts";
import { request } from "./xml.ts";

/** A folder that was not there before. */
export interface Made {
  readonly parent: string;
  readonly item: Item;
}

export async function mkdir(session: Session, { path, existOk, signal }: MkdirCall): Promise<Entry> {
  const place = await find(session, path, { signal, sure: !existOk });
  if (place.item !== null) {
    const there = entryOf(path, place.item);
    if (existOk && there.kind === "directory") return there;
    throw new StoreError("already-exists", `a ${there.kind} of this name is there`, { entry: there, applied: false });
  }
  const names = namesOf(path);
  const made: Made[] = [];
  try {
    const above = await makeFolders(session, place, names.slice(0, -1), made, signal);
    const { item, isNew } = await makeOne(session, above, names.at(-1) as string, existOk, signal);
    if (!isNew && !existOk) throw new StoreError("already-exists", "a directory of this name is there", { applied: false });
    return entryOf(path, item);
  } catch (error) {
    // A call that is not repeated blindly must not leave its parents; one that may have happened needs them.
    if (StoreError.is(error) && error.applied === false && !hasCode(error, "already-exists")) await takeBack(session, made, session.grace(signal));
    throw error;
  }
}

/** The folders above a file, and the last of them. What is made is added to `made`. */
export async function makeFolders(session: Session, place: Place, names: readonly string[], made: Made[], signal: AbortSignal | undefined): Promise<string> {
  if (place.blocked) throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
  let parent = place.parent;
  for (const name of names.slice(place.depth)) {
    const { item, isNew } = await makeOne(session, parent, name, true, signal);
    if (item.kind === "file") throw new StoreError("not-a-directory", "a parent of this path is a file", { applied: false });
    if (isNew) made.push({ parent, item });
    parent = item.ref;
  }
  return parent;
}

function makeOne(
  session: Session,
  parent: string,
  name: string,
  existOk: boolean,
  signal: AbortSignal | undefined,
): Promise<{ readonly item: Item; readonly isNew: boolean }> {
  return session.turns.take(`${parent} ${fold(name)}`, signal, async () => {
    // Made by another call of ours while this one waited.
    const [known] = session.index.find(parent, name);
    if (known !== undefined && known.oursUntil > session.index.now) return { item: known.item, isNew: false };
    const { root } = await session.links(signal);
    const top = parent === root;
    let ref: string | undefined;
    try {
      const answer = await post(
        session,
        parent,
        request(top ? "syncFolder" : "folder", { displayName: name }),
        signal,
        // Without it the service does not know sync folders.
        top ? { "x-sugarsync-api-version": "1.5" } : {},
      );
      if ("refused" in answer) return { item: await instead(session, parent, name, answer.refused, signal), isNew: false };
      ref = answer.ref;
    } catch (error) {
      const found = existOk && isAmbiguous(error) && signal?.aborted !== true ? await listed(session, parent, name, signal).catch(() => undefined) : undefined;
      if (found === undefined) throw error;
      return { item: found, isNew: false };
    }
    // The answer to a sync folder does not name it.
    const item: Item | undefined =
      ref === undefined
        ? await listed(session, parent, name, signal).catch((error: unknown) => {
            throw afterwards(error);
          })
        : { ref, kind: "directory", name, size: 0, modifiedMs: null, contentType: null, present: true };
    if (item === undefined) throw new StoreError("unavailable", "the service called the folder made and does not list it", { applied: true });
    session.index.made(parent, item);
    return { item, isNew: true };
  });
}

async function listed(session: Session, parent: string, name: string, signal: AbortSignal | undefined): Promise<Item | undefined> {
  await listFolder(session, parent, signal);
  return session.index.find(parent, name)[0]?.item;
}

/** The service refuses: something of this name is there, or the folder above is not. */
async function instead(session: Session, parent: string, name: string, refused: Refusal, signal: AbortSignal | undefined): Promise<Item> {
  if (refused.status !== 400 && refused.status !== 404 && refused.status !== 409) throw errorOf(refused);
  const found = await listed(session, parent, name, signal);
  if (found !== undefined) return found;
  if (refused.status === 404) throw errorOf(refused, { code: "conflict", reason: "the directory above went at this moment", applied: false });
  throw errorOf(refused);
}

/** Those of a failed call, the last first, as far as nothing is in them. */
export async function takeBack(session: Session, made: readonly Made[], signal: AbortSignal | undefined): Promise<void> {
  for (const { parent, item } of made.toReversed()) {
    let left = 1;
    await quietly(listFolder(session, item.ref, signal).then((items) => (left = items?.length ?? 0)));
    if (left > 0) return;
    await quietly(removeFolder(session, parent, item, signal));
  }
}

/** An empty folder. Sync folders cannot be moved to Deleted Files, so they go for good. */
export async function removeFolder(session: Session, parent: string, item: Item, signal: AbortSignal | undefined): Promise<void> {
  const { root } = await session.links(signal);
  if (parent !== root) return discard(session, parent, item, signal);
  await erase(session, item.ref, signal);
  session.index.drop(parent, item.ref, true);
}
