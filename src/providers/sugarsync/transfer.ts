/**
 * Copy and move by the rules of rename(2). Trees that cannot be moved here (to, from and at the top, where sync folders are) and trees to copy reject with
 * `is-a-directory`, and are walked above.
 */
import { StoreError, isInside, root } from "../../store/index.ts";
import type { CopyCall, Entry, MoveCall, StorePath } from "../../store/index.ts";
import { isAmbiguous, made, post, put, quietly, trash } from "./change.ts";
import { isThere, mustBeEmpty } from "./delete.ts";
import { errorOf, translate } from "./errors.ts";
import { find, namesOf, need } from "./find.ts";
import type { Place } from "./find.ts";
import { linkOf } from "./links.ts";
import { makeFolders, takeBack } from "./make.ts";
import type { Made } from "./make.ts";
import { fold, temporaryName } from "./names.ts";
import { replace } from "./replace.ts";
import { entryOf } from "./resources.ts";
import type { Item } from "./resources.ts";
import type { Session } from "./session.ts";
import { Temporary } from "./write.ts";
import { request } from "./xml.ts";

export async function copy(session: Session, { path, to, signal }: CopyCall): Promise<Entry> {
  const source = await need(session, path, { signal, sure: true });
  if (source.item.kind === "directory") throw new StoreError("is-a-directory", "the service copies files only", { applied: false });
  const target = await targetOf(session, to, signal);
  if (target.item?.ref === source.item.ref) return entryOf(to, source.item);
  if (target.item !== null) fits(source.item, target.item);
  const folders: Made[] = [];
  const temporary = new Temporary(session);
  let isDone = false;
  const from = { source: linkOf(source.item.ref, session.settings) };
  try {
    const parent = await makeFolders(session, target, namesOf(to).slice(0, -1), folders, signal);
    if (target.item === null) {
      const name = namesOf(to).at(-1) as string;
      const direct = await session.turns.take(`${parent} ${fold(name)}`, signal, async () => {
        const there = session.index.find(parent, name).length > 0;
        return there ? undefined : post(session, parent, request("fileCopy", { displayName: name }, from), signal);
      });
      if (direct !== undefined && "ref" in direct && direct.ref !== undefined) {
        isDone = true;
        const now = await made(session, direct.ref, signal);
        session.index.made(parent, now);
        return entryOf(to, now);
      }
      // 400: something of this name came meanwhile.
      if (direct !== undefined && "refused" in direct && direct.refused.status !== 400 && direct.refused.status !== 409) throw errorOf(direct.refused);
    }
    const ref = await temporary.make(parent, request("fileCopy", { displayName: temporary.name }, from), signal);
    const allow = (there: Item): void => fits(source.item, there);
    const { resource } = await replace(session, {
      path: to,
      thing: { ref, kind: "file" },
      alone: true,
      made: folders,
      signal,
      allow,
      begin: () => (isDone = true),
    });
    return entryOf(to, resource);
  } catch (error) {
    await quietly(temporary.remove(isDone, session.grace(signal)));
    if (!isDone) await quietly(takeBack(session, folders, session.grace(signal)));
    throw error;
  }
}

export async function move(session: Session, call: MoveCall): Promise<Entry> {
  const { item } = await need(session, call.path, { signal: call.signal });
  // Of two moves of one thing the second finds nothing: both requests would succeed, and the bytes be where one of them says.
  return session.turns.take(`moving ${item.ref}`, call.signal, () => moveNow(session, call));
}

async function moveNow(session: Session, call: MoveCall): Promise<Entry> {
  const { path, to, signal } = call;
  const source = await need(session, path, { signal, sure: true });
  const { item } = source;
  const names = namesOf(to);
  if (isInside(fold(to) as StorePath, fold(path) as StorePath) && fold(to) !== fold(path))
    throw new StoreError("invalid-path", "a directory cannot go into itself", { applied: false });
  const { root: top } = await session.links(signal);
  if (item.kind === "directory" && (source.parent === top || names.length === 1) && path !== to)
    throw new StoreError("is-a-directory", "the service does not move sync folders", { applied: false });
  const target = await targetOf(session, to, signal);
  if (target.item?.ref === item.ref) return spelled(session, source, item, call, names.at(-1) as string);
  if (target.item !== null) fits(item, target.item);
  const folders: Made[] = [];
  let isBegun = false;
  try {
    const allow = async (there: Item): Promise<void> => {
      fits(item, there);
      if (there.kind === "directory") await mustBeEmpty(session, there, signal);
    };
    const { resource, parent } = await replace(session, { path: to, thing: item, alone: false, made: folders, signal, allow, begin: () => (isBegun = true) });
    if (parent !== source.parent) session.index.drop(source.parent, item.ref, true);
    await removeOthers(session, path, source, signal);
    return entryOf(to, resource);
  } catch (error) {
    if (!isBegun) await quietly(takeBack(session, folders, session.grace(signal)));
    throw error;
  }
}

async function targetOf(session: Session, to: StorePath, signal: AbortSignal | undefined): Promise<Place> {
  if (to.lastIndexOf("/") === 0 && to !== root) {
    const there = await find(session, to, { signal, sure: true });
    if (there.item === null) throw new StoreError("invalid-path", "files cannot lie in the root", { applied: false });
    return there;
  }
  const target = await find(session, to, { signal, sure: true });
  if (target.blocked) throw new StoreError("not-a-directory", "a parent of the target is a file", { applied: false });
  return target;
}

/** What rename(2) says to this pair, but for what is in a directory. */
function fits(source: Item, target: Item): void {
  if (source.kind === "file" && target.kind === "directory") throw new StoreError("is-a-directory", "a file does not replace a directory", { applied: false });
  if (source.kind === "directory" && target.kind === "file") throw new StoreError("not-a-directory", "a directory does not replace a file", { applied: false });
}

/**
 * Files of the same name that the moved one hid: with it gone they would be there in its place. Not transient where one stays: the same move would put that
 * one over what was just moved.
 */
async function removeOthers(session: Session, path: StorePath, { others, parent }: Place, signal: AbortSignal | undefined): Promise<void> {
  let done = 1;
  for (const other of others) {
    try {
      if (await isThere(session, parent, other, signal)) await trash(session, parent, other, signal);
    } catch (error) {
      if (translate(error) === undefined) throw error;
      throw new StoreError("conflict", "it was moved, and an older file of its name that cannot be put into Deleted Files is in its place", {
        applied: "partly",
        partial: { done, at: path },
        transient: false,
        cause: error,
      });
    }
    done++;
  }
}

/** Another spelling of the same name. The new one meets the old one, so it goes by a name that is neither. */
async function spelled(session: Session, { parent }: Place, item: Item, { path, to, signal }: MoveCall, name: string): Promise<Entry> {
  if (item.name === name) return entryOf(to, item);
  return session.turns.take(`${parent} ${fold(name)}`, signal, async () => {
    const between = temporaryName(session.settings.random);
    const first = await put(session, item, { name: between, parent }, false, signal).catch((error: unknown) => ({ error }));
    if ("refused" in first) throw errorOf(first.refused);
    if ("error" in first && !isAmbiguous(first.error)) throw first.error;
    const outcome = "error" in first ? first : await put(session, item, { name, parent }, true, signal).catch((error: unknown) => ({ error }));
    if ("done" in outcome) {
      session.index.made(parent, outcome.done);
      return entryOf(to, outcome.done);
    }
    // Also where nobody knows whether it got the name between: that one hides it from every listing.
    const back = await put(session, item, { name: item.name, parent }, true, session.grace(signal)).catch(() => undefined);
    if (back === undefined || "refused" in back)
      throw new StoreError("conflict", `the change failed half way: the item ${"error" in first ? "may be" : "is"} there as ${between}`, {
        applied: "partly",
        partial: { done: 0, at: path },
        transient: false,
        cause: "error" in outcome ? outcome.error : undefined,
      });
    throw "error" in outcome ? outcome.error : errorOf(outcome.refused);
  });
}
