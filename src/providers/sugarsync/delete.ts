/** Deleting: into Deleted Files, or for good where that is wanted. Emptiness is looked at first; there is no way to make the service look. */
import { StoreError, inPart } from "../../store/index.ts";
import type { DeleteCall } from "../../store/index.ts";
import { discard } from "./change.ts";
import { translate } from "./errors.ts";
import { find, look } from "./find.ts";
import type { Place } from "./find.ts";
import { listFolder } from "./list.ts";
import { removeFolder } from "./make.ts";
import { fold, isTemporary } from "./names.ts";
import type { Item } from "./resources.ts";
import type { Session } from "./session.ts";

/** A temporary file of this age has no writer any more. */
const FORGOTTEN_MS = 86_400_000;

export async function remove(session: Session, { path, recursive, signal }: DeleteCall): Promise<void> {
  const place = await find(session, path, { signal, sure: true });
  const { item, parent } = place;
  if (item === null) return;
  if (item.kind === "file") return removeFiles(session, place, signal);
  const { root } = await session.links(signal);
  // The whole of it is one move, but for a sync folder, which cannot be moved.
  if (recursive && parent !== root) return discard(session, parent, item, signal);
  if (recursive) return removeSyncFolder(session, parent, item, signal);
  await mustBeEmpty(session, item, signal);
  await removeFolder(session, parent, item, signal);
}

/** All files of the name, the newest last: until then the file is what it was. */
async function removeFiles(session: Session, { item, others, parent }: Place, signal: AbortSignal | undefined): Promise<void> {
  for (const other of others) if (await isThere(session, parent, other, signal)) await discard(session, parent, other, signal);
  if (item !== null) await discard(session, parent, item, signal);
}

/** Before something is taken away it is looked at by its id: remembered, it may be something else by now. */
export async function isThere(session: Session, parent: string, item: Item, signal: AbortSignal | undefined): Promise<boolean> {
  const now = await look(session, item.ref, signal);
  return now !== null && now.parent === parent && fold(now.name) === fold(item.name);
}

/** @throws StoreError `not-empty`, and `conflict` where a file is being written into it */
export async function mustBeEmpty(session: Session, folder: Item, signal: AbortSignal | undefined): Promise<void> {
  const items = (await listFolder(session, folder.ref, signal)) ?? [];
  if (items.some(({ name }) => !isTemporary(name))) throw new StoreError("not-empty", "the directory has children", { applied: false });
  // Hidden, so the directory is empty for the caller; but somebody is writing a file there, and it would go with it.
  if (items.some(({ modifiedMs }) => (modifiedMs ?? 0) > session.settings.clock.now() - FORGOTTEN_MS))
    throw new StoreError("conflict", "a file is being written in this directory", { applied: false });
}

async function removeSyncFolder(session: Session, parent: string, folder: Item, signal: AbortSignal | undefined): Promise<void> {
  let done = 0;
  try {
    for (const child of (await listFolder(session, folder.ref, signal)) ?? []) {
      await discard(session, folder.ref, child, signal);
      done++;
    }
    // What came meanwhile would be lost for good with the folder.
    const left = await listFolder(session, folder.ref, signal);
    if (left !== null && left.length > 0) throw new StoreError("conflict", "something was put into the directory while it was deleted", { applied: "partly" });
    await removeFolder(session, parent, folder, signal);
  } catch (error) {
    const known = translate(error);
    throw done > 0 && known !== undefined ? inPart(known, "delete") : error;
  }
}
